"""The ladder: every stage after the other, measured after each, with controls, in one report."""
