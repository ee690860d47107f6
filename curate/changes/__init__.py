"""Changes: what differs between two versions, two recipes, or a recipe and its lock."""
