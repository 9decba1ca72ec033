"""How a pinned distribution becomes part of an executable."""
