"""A small HTTP service that reports what a container platform really gives a workload."""

from typing import Final

__version__: Final = "1.0.0"
"""The version in ``pyproject.toml``; kept here too because a frozen program has no metadata."""
