"""Choices: what the views take, in which order, and what they have in common."""
