"""Modules that an executable never has, or that no version has any more, each with the reason."""

from collections.abc import Mapping
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

REMOVED: Final[Mapping[str, tuple[int, int]]] = {
    **dict.fromkeys(("asynchat", "asyncore", "distutils", "imp", "smtpd"), (3, 12)),
    **dict.fromkeys(
        (
            "aifc", "audioop", "cgi", "cgitb", "chunk", "crypt", "imghdr", "lib2to3", "mailcap",
            "msilib", "nis", "nntplib", "ossaudiodev", "pipes", "sndhdr", "spwd", "sunau",
            "telnetlib", "uu", "xdrlib",
        ),
        (3, 13),
    ),
}  # fmt: skip
"""Modules of the standard library, with the version that has them no more (PEP 594, PEP 632)."""

FORMER: Final = {"pkg_resources": "setuptools<82"}
"""Modules that only earlier versions of a distribution have, which pip finds by its name."""

NOBODY: Final = "nothing provides"


def once_there(module: str) -> tuple[str, str] | None:
    """Return why *module* can be found nowhere, and a hint; None if it may be misspelled."""
    if module in REMOVED:
        since = ".".join(map(str, REMOVED[module]))
        hint = "do without it, or add a distribution that has it, as standard-telnetlib"
        return f"Python {since} and newer do not have", hint
    if module in FORMER:
        return NOBODY, f"add {FORMER[module]} to the dependencies: newer versions do not have it"
    if module == "src":
        return NOBODY, "modules are packed without their folder src: import them without it"
    return None
