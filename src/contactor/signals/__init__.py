"""The vocabulary: what a value is called, what it may be, and how it travels. Pure, no I/O."""
