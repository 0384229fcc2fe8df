"""Recordings as pictures, for kitbox."""
