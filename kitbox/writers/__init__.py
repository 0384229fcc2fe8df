"""The shapes of submission files."""
