"""Training: the step, stages, the learning-rate finder, checkpoints."""
