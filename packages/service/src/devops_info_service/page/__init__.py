"""The page for browsers: HTML of the same snapshot as the JSON."""
