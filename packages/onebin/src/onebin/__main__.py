"""``python -m onebin``."""

import sys

from onebin.cli import main

sys.exit(main())
