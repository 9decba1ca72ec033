"""The read side: a report on an executable or an image, with a list of checks.

No file is run and no input is trusted. Neither the build nor this package imports the other.
"""

from .inspector import inspect
from .report import Report

__all__ = ["Report", "inspect"]
