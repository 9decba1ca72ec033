"""How code lies in an executable."""
