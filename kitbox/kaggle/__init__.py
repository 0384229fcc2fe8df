"""Kaggle: keys, the real client, mounts, downloads and submissions."""
