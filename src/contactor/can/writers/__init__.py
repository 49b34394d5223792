"""Frames as logs that other tools read: a writer for each format, and the table of them."""
