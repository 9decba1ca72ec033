"""Which versions to use, a module for each kind of lock file."""
