"""Recipes: what a manifest may say, every fault in it with its place, and the plugs that it names."""
