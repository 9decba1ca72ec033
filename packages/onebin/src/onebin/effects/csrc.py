"""Read the C code of the package, as data."""

import importlib.resources

from onebin.model import CSource


def source(name: str) -> CSource:
    """Return the file *name* of ``onebin/csrc``."""
    return CSource(name, (importlib.resources.files("onebin.csrc") / name).read_text("utf-8"))
