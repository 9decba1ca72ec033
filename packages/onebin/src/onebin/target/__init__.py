"""Programs and C code that run in or become part of the target: data to onebin, never imported by it."""
