"""The page that a browser gets: HTML made of the same snapshot as the JSON."""
