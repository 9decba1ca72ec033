"""Modules of the standard library that an executable never has, each with the reason."""

from typing import Final

_TK: Final = ("Tk", "an image without a display has no use for it")
_INSTALLS: Final = (
    "pip and environments of it",
    "nothing is installed beside a static executable: import it in the function that needs it",
)

NOT_IN_RUNTIME: Final = {
    "_dbm": ("a dbm library", "dbm.sqlite3 and dbm.dumb are there"),
    "_gdbm": ("gdbm, which is under the GPL", "dbm.sqlite3 and dbm.dumb are there"),
    "_tkinter": _TK,
    "tkinter": _TK,
    "turtle": _TK,
    "turtledemo": _TK,
    "idlelib": _TK,
    "ensurepip": _INSTALLS,
    "venv": _INSTALLS,
    "_uuid": ("libuuid", "the module uuid does without it"),
    "_zstd": ("CPython 3.14 or newer", "set requires-python"),
}
"""What the module needs, and a hint."""

OTHER_PLATFORMS: Final = frozenset(
    {
        "nt", "winreg", "_winapi", "msvcrt", "_overlapped", "winsound", "_wmi", "_scproxy",
        "_osx_support", "java", "org",
    }
)  # fmt: skip
"""Modules of other operating systems: imported behind a condition, visible or not."""

OF_ANOTHER: Final = "a module of another operating system"
BEHIND_A_CONDITION: Final = (
    "import it behind a condition, such as `if sys.platform …`, or catch ImportError"
)
