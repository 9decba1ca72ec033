"""A command-line tool with package data, colors and shell completion."""

__version__ = "3.2.1"
