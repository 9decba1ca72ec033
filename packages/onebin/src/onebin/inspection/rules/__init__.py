"""The checks of docs/reference/inspect.md, in modules by what they judge."""
