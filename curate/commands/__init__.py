"""Commands of `curate`, by topic: each reads its arguments, calls what does the work, and says what came of it."""
