"""Sources, objects and archives to one executable."""
