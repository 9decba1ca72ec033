"""What a program may expect of its process: each case prints what it found, or ends so.

Test against an ordinary interpreter: only what is the same in every version and place is printed.
"""

import sys

from . import endings, processes, streams, threads


def cases():
    """Return the cases by name."""
    found = {}
    for module in (endings, processes, streams, threads):
        for name, value in vars(module).items():
            if callable(value) and getattr(value, "__module__", "") == module.__name__:
                if not name.startswith("_") and isinstance(value, type(cases)):
                    found[name] = value
    return found


def main():
    """Run the case that the first argument names, and return what it returns."""
    return cases()[sys.argv[1]](*sys.argv[2:])
