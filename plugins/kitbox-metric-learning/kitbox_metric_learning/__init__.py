"""A kitbox task for many classes with few pictures."""
