"""Programs that have no place in a minimal image, by their names.

A name counts only where there is something to run: an executable file, or a
link to one. Data that is called alike (``/etc/apt``, completions) does not.
"""

import re
from collections.abc import Iterator
from itertools import islice
from typing import Final

import msgspec

from onebin.oci.contents import Contents
from onebin.oci.scan import Entry

MAX_HITS: Final = 1000
"""Names of one sort that are looked into; a Python image on slim Debian has ten."""

_SHELLS: Final = re.compile(
    r"sh|ash|bash|dash|[mo]?ksh\d*|pdksh|zsh|t?csh|fish|busybox|toybox|rbash|nu|pwsh"
)
_INTERPRETERS: Final = re.compile(
    r"(python|pypy|perl|ruby|lua|luajit|php|tclsh|guile)[\d.]*|node|nodejs|deno|bun|java|[gmn]?awk"
)
_NETWORK: Final = re.compile(r"curl|wget2?|nc(\.\w+)?|ncat|netcat|socat|telnet|ssh|scp|ftp")
_MANAGERS: Final = re.compile(
    r"apt(-get|-cache)?|aptitude|dpkg|apk|rpm|yum|(micro)?dnf5?|tdnf|zypper|pacman|opkg|pip[\d.]*|npm"
)
_DATABASES: Final = (
    "/lib/apk/db/installed",
    "/usr/lib/apk/db/installed",
    "/usr/lib/sysimage/rpm",
    "/var/lib/dpkg/status",
    "/var/lib/pacman",
    "/var/lib/rpm",
)


class Tools(msgspec.Struct, frozen=True, kw_only=True):
    """Paths, by what they are for."""

    shells: tuple[str, ...]
    interpreters: tuple[str, ...]
    network: tuple[str, ...]
    package_managers: tuple[str, ...]

    def __iter__(self) -> Iterator[str]:
        yield from (*self.shells, *self.interpreters, *self.network, *self.package_managers)


def find(contents: Contents) -> Tools:
    """Find every such program in the image."""

    def named(names: re.Pattern[str]) -> tuple[str, ...]:
        # Names first: to follow every link of a hostile image would take hours.
        called = (
            entry
            for entry in contents.entries.values()
            if names.fullmatch(entry.path.rpartition("/")[2])
        )
        return tuple(entry.path for entry in islice(called, MAX_HITS) if _runs(contents, entry))

    databases = tuple(path for path in _DATABASES if path in contents.entries)
    return Tools(
        shells=named(_SHELLS),
        interpreters=named(_INTERPRETERS),
        network=named(_NETWORK),
        package_managers=named(_MANAGERS) + databases,
    )


def _runs(contents: Contents, entry: Entry) -> bool:
    target = contents.resolve(entry.path) if entry.kind == "symlink" else entry
    return bool(
        target is not None
        and target.kind in ("file", "hardlink")
        and target.mode & 0o111
        and target.program
    )
