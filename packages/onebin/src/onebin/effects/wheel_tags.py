"""What the name of a wheel states: which Python, ABI and platform it is for.

Source: platform compatibility tags (PEP 425, PEP 600).
"""

from packaging import tags
from packaging.utils import InvalidWheelFilename, parse_wheel_filename

from onebin.model import Machine


def tags_of(name: str) -> frozenset[tags.Tag]:
    """Return the tags of the wheel *name*; none if it is another file."""
    try:
        return parse_wheel_filename(name)[3]
    except InvalidWheelFilename:
        return frozenset()


def is_compiled(name: str, python: str, machine: Machine) -> bool:
    """Whether the file *name* is a wheel with compiled code for Linux on *machine*."""
    fitting = {
        (tag.interpreter, tag.abi)
        for tag in tags.cpython_tags(series(python), platforms=[""], warn=False)
    }
    return any(
        (tag.interpreter, tag.abi) in fitting and "linux" in tag.platform
        and tag.platform.endswith(f"_{machine}")
        for tag in tags_of(name)
    )  # fmt: skip


def has_programs(name: str, machine: Machine) -> bool:
    """Whether the file *name* is a wheel for Linux on *machine* that no Python is named by.

    It has programs, or shared libraries that its code loads itself: C extensions have an ABI.
    """
    return any(
        tag.interpreter.startswith("py") and tag.abi == "none" and "linux" in tag.platform
        and tag.platform.endswith(f"_{machine}")
        for tag in tags_of(name)
    )  # fmt: skip


def is_pure(name: str, python: str) -> bool:
    """Whether the file *name* is a wheel that any implementation of *python* can import."""
    return bool(frozenset(tags.compatible_tags(series(python), platforms=["any"])) & tags_of(name))


def series(python: str) -> tuple[int, ...]:
    """Return ``(3, 13)`` of ``3.13``."""
    return tuple(map(int, python.split(".")[:2]))
