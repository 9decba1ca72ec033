"""Why another program failed, read from its output: the one place that knows their wording."""

import enum
import re
from collections.abc import Mapping
from typing import Final


class Reason(enum.Enum):
    """A failure that onebin explains or handles, instead of showing the program's output."""

    DISK_FULL = "disk full"
    NO_COMPILER = "no compiler"
    TOO_MANY_FILES = "too many open files"
    UNDEFINED_SYMBOL = "undefined symbol"
    INDEX_DENIED = "index denied"
    INDEX_UNREACHABLE = "index unreachable"
    NO_MATCH = "no match"
    CONFLICT = "conflict"
    ADDRESS = "address"
    HASH_MISMATCH = "hash mismatch"


SIGNS: Final = (
    # The C library, zig, the C library.
    (Reason.DISK_FULL, r"No space left on device|NoSpaceLeft|Disk quota exceeded"),
    # Shells, of the program that the compiler's scripts start.
    (
        Reason.NO_COMPILER,
        r"(?P<subject>/\S*/ziglang/zig): (?:[^\n:]*: )*(?:not found|No such|Permission denied)",
    ),
    # zig compiles musl with hundreds of files open at once.
    (Reason.TOO_MANY_FILES, r"FdQuotaExceeded"),
    # ld.lld
    (Reason.UNDEFINED_SYMBOL, r"undefined symbol:[ ]*(?P<subject>\S*)"),
    # target/index_requests.py: pip reports an unreachable index's distribution as missing.
    (
        Reason.INDEX_DENIED,
        r"(?m)^onebin: no response: (?P<subject>.+: status 40[137]\b.*)$",
    ),
    (Reason.INDEX_UNREACHABLE, r"(?m)^onebin: no response: (?P<subject>.+)$"),
    (Reason.NO_MATCH, r"No matching distribution found for (?P<subject>.+)"),
    # Of files without an index, whose own metadata states the Python.
    (Reason.NO_MATCH, r"Package '(?P<subject>[^']+)' requires a different Python"),
    (
        Reason.NO_MATCH,
        r"Packages require a different Python(?s:.)+?\(required by (?P<subject>[^)\n]+)\)",
    ),
    (
        Reason.CONFLICT,
        r"Cannot install (?P<subject>.+) because these package versions have conflicting",
    ),
    # target/pip_for_target.py
    (Reason.ADDRESS, r"(?P<subject>\S.* asks for \S+) by an address"),
    (Reason.HASH_MISMATCH, r"HASHES|hashes"),
)
"""The first pattern that is found decides."""

UNREACHABLE: Final[Mapping[Reason | None, str]] = {
    Reason.INDEX_UNREACHABLE: "is it up, and is there a network? pip's own settings decide which "
    "index it is: PIP_INDEX_URL, pip.conf",
    Reason.INDEX_DENIED: "is the name spelled right? the user and the password are those of the "
    "address, or of pip's own settings: PIP_INDEX_URL, pip.conf, .netrc",
}
"""Hints for an index that gives no page."""

OFFLINE: Final = (
    "no index was contacted (--offline, PIP_NO_INDEX, UV_OFFLINE): lock once with one, or put it "
    "into a folder of PIP_FIND_LINKS"
)


def is_offline(detail: str) -> bool:
    """Whether pip, of whose last lines *detail* is, has made no request."""
    return "onebin: no request" in detail.splitlines()


def why(detail: str) -> Reason | None:
    """Return the known reason in *detail*, a failed program's last lines."""
    return next((reason for reason, sign in SIGNS if re.search(sign, detail)), None)


def subject(detail: str) -> str:
    """Return the subject of the reason in *detail*: a symbol, a requirement; or nothing."""
    for _, sign in SIGNS:
        if found := re.search(sign, detail):
            return (found.groupdict().get("subject") or "").strip()
    return ""
