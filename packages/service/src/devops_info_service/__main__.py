"""``python -m devops_info_service`` is the same as ``devops-info-service``."""

import sys

from .cli import main

sys.exit(main())
