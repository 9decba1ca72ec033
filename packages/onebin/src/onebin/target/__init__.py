"""Programs that run in the target, and C code that becomes part of it: data, to onebin."""
