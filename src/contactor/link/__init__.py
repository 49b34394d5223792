"""The link: what car and cloud say to each other, and what carries it."""
