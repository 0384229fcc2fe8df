"""Training by hand: data, history, curves; what `kitbox.Learner` is made of."""
