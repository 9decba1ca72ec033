"""Lives in a namespace package, loads plugins by name, survives what was left out."""

import importlib
import json
import sys
import tempfile  # noqa: F401  (a part of the standard library with late imports of its own)


def main():
    names = ["red", "blue"]
    found = [importlib.import_module(f"outer.inner.plugins.{name}").COLOUR for name in names]
    try:
        from outer.inner import unwanted

        left_out = unwanted is None
    except ImportError:
        left_out = True
    print(json.dumps({"found": found, "left_out": left_out, "argv": sys.argv[1:]}))
    return 3
