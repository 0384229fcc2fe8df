"""The table, splits, pixels and batches: what flows from labels to training."""
