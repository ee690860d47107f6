"""Alike: which problems are one, which are forms or variants of one, and which a benchmark asks."""
