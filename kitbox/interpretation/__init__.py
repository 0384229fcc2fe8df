"""What a trained model does with labelled pictures: looked at, counted, and what to change."""
