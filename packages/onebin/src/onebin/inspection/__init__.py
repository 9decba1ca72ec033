"""The read side: what an executable or an image is, judged by a list of checks.

Nothing is run, nothing in the file is trusted. The build imports nothing of it, nor it the build.
"""

from .inspector import inspect
from .report import Report

__all__ = ["Report", "inspect"]
