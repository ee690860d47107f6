"""Texts: what a problem or a rollout says, told by rules that can be shown."""
