"""Programs that do not belong in a minimal image, by their names.

A name counts only for an executable file, or a link to one. Data of the same
name (``/etc/apt``, completions) does not.
"""

import re
from collections.abc import Iterator
from typing import Final

import msgspec

from .budget import Budget
from .record import FileEntry
from .tree import Tree

MAX_HITS: Final = 1000
"""Names of one sort that are checked; a Python image on slim Debian has ten."""

_ENTRY_BYTES: Final = 112
"""Of an ``FileEntry`` without its path."""

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
    """Paths, by their purpose."""

    shells: tuple[str, ...]
    interpreters: tuple[str, ...]
    network: tuple[str, ...]
    package_managers: tuple[str, ...]

    def __iter__(self) -> Iterator[str]:
        yield from (*self.shells, *self.interpreters, *self.network, *self.package_managers)


NONE: Final = Tools(shells=(), interpreters=(), network=(), package_managers=())


class Named:
    """Entries named like such programs, collected one by one."""

    def __init__(self, budget: Budget) -> None:
        self._budget = budget
        self._called: dict[re.Pattern[str], list[FileEntry]] = {
            names: [] for names in (_SHELLS, _INTERPRETERS, _NETWORK, _MANAGERS)
        }

    def add(self, entry: FileEntry, name: str) -> None:
        """Keep *entry*, called *name*, if it is named like one."""
        for names, called in self._called.items():
            if len(called) < MAX_HITS and names.fullmatch(name):
                self._budget.text(entry.path)
                self._budget.hold(_ENTRY_BYTES)
                called.append(entry)

    def tools(self, entries: Tree) -> Tools:
        """Return those that can be run."""

        def named(names: re.Pattern[str]) -> tuple[str, ...]:
            # Names first: following every link of a hostile image would take hours.
            return tuple(entry.path for entry in self._called[names] if _runs(entries, entry))

        databases = tuple(path for path in _DATABASES if path in entries)
        return Tools(
            shells=named(_SHELLS),
            interpreters=named(_INTERPRETERS),
            network=named(_NETWORK),
            package_managers=named(_MANAGERS) + databases,
        )


def _runs(entries: Tree, entry: FileEntry) -> bool:
    target = entries.resolve(entry.path) if entry.kind == "symlink" else entry
    return bool(
        target is not None
        and target.kind in ("file", "hardlink")
        and target.mode & 0o111
        and target.program
    )
