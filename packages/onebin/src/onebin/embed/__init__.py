"""How code is stored in an executable."""
