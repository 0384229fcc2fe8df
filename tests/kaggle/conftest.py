"""The fixtures of tests that talk to Kaggle's stand-in."""

from kaggle_client import at_kaggle

__all__ = ["at_kaggle"]
