"""A kitbox task for graded targets."""
