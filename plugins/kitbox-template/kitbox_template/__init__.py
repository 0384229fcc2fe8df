"""Plugins for kitbox; `pyproject.toml` names their classes."""
