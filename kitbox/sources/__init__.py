"""Sources: where raw files come from, and how they arrive whole and checked."""
