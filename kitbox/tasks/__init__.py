"""Tasks: one file holds all that a task is."""
