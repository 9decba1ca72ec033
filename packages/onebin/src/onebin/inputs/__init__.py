"""What to build, a module for each kind of input."""
