"""``python -m onebin``, for machines where the script is not on PATH."""

import sys

from onebin.cli import main

if __name__ == "__main__":
    sys.exit(main())
