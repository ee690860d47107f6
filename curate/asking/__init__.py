"""Asking: which rollouts a build draws from its teacher, until when, and whether they hold what was paid for."""
