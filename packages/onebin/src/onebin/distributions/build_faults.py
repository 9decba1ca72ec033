"""The remedy for a build that failed, by the last lines that it printed."""

import re
from typing import Final

from . import obstacles

NETWORK: Final = re.compile(
    r"urlopen error|\bgaierror\b|Name does not resolve|Name or service not known|"
    r"Temporary failure in name resolution|Could(?: not|n't) resolve host|Network is unreachable",
    re.IGNORECASE,
)
"""Words of musl, glibc, Python, curl, CMake and git where there is no network."""

PROGRAMS: Final = (
    "autoconf|autoreconf|bazel|bison|cargo|cmake|flex|go|libtoolize|meson|nasm|ninja|node|npm|"
    "pg_config|protoc|swig|yasm"
)

PROGRAM: Final = re.compile(
    rf"\b(?P<before>{PROGRAMS}): (?:command not found|not found|No such file or directory)|"
    rf"No such file or directory: '(?P<after>{PROGRAMS})'"
)
"""Words of shells, of make and of Python where a program is missing."""


def remedy(name: str, detail: str) -> str:
    """Return what to change where the build of the distribution *name* printed *detail*."""
    if NETWORK.search(detail):
        return f"its build fetches a file while it runs; {obstacles.ALONE}"
    if found := PROGRAM.search(detail):
        program = found["before"] or found["after"]
        return (
            f"its build runs {program}, which is not among its build requirements; programs of "
            f"this machine are not used: {obstacles.ANOTHER}"
        )
    return (
        "choose another version; or, if it has a pure-Python wheel and may be slower: "
        f'tool.onebin.pure = ["{name}"]'
    )
