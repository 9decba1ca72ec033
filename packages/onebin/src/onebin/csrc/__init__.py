"""C code that is linked into executables, read as package data."""
