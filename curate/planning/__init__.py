"""Planning: what a build will ask of its teacher, what that will take, and what it took."""
