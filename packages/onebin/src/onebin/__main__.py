"""``python -m onebin`` for machines where the script is not on PATH.

Python puts the current directory first on its search path then: a project's own ``msgspec.py``
or ``ziglang`` would be run for ours. It is taken off before anything else is imported.
"""

import sys

if __name__ == "__main__" and not sys.flags.safe_path:
    del sys.path[0]

from onebin.cli import main

if __name__ == "__main__":
    sys.exit(main())
