"""Films as pictures, for kitbox."""
