"""A data folder as one file, and back: `backup` writes it, `restore` reads it."""
