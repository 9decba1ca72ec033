"""Two distributions that each bring a C extension: says which are in, and that they work."""

import json
import sys

import markupsafe
import xxhash


def main():
    answer = {
        "escaped": str(markupsafe.escape("<b>")),
        "c": sorted(name for name in sys.builtin_module_names if "." in name),
        "hash": xxhash.xxh64(b"a").hexdigest(),
    }
    print(json.dumps(answer))
