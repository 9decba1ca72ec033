"""The search for set-uid and set-gid programs, with a time limit.

An image may hold a hundred thousand files, so this walk begins where such programs live and
stops at a number and at a time; ``complete`` is false then.
"""

from collections import deque
from typing import Final

import msgspec

from devops_info_service.facts.fact import Unknown
from devops_info_service.facts.system_files import Clock, SystemFiles

MAX_ENTRIES: Final = 20_000
"""Scanned: a Debian with an interpreter has about ten thousand."""
MAX_SECONDS: Final = 0.05
"""A twentieth: the report is read on demand, beside other requests."""
SET_ID: Final = 0o6000
_FIRST: Final = (
    *("/usr/bin", "/bin", "/usr/sbin", "/sbin", "/usr/local/bin", "/usr/libexec", "/usr/lib"),
    *("/app", "/opt", "/"),
)
_SKIPPED: Final = frozenset({"/proc", "/sys", "/dev"})


class SetIdFiles(msgspec.Struct, frozen=True):
    """The result of the search."""

    found: tuple[str, ...]
    """Paths, sorted."""
    scanned: int
    complete: bool
    """Whether all of the root file system was seen."""


def find_setid_files(tree: SystemFiles, clock: Clock) -> SetIdFiles | Unknown:
    """Walk the root file system; other mounts have their own options and owners."""
    top = tree.node("/")
    if isinstance(top, Unknown):
        return top
    until = clock.monotonic() + MAX_SECONDS
    waiting = deque(reversed(_FIRST))
    seen: set[str] = set()
    found = []
    scanned = 0
    complete = True
    while waiting:
        if scanned >= MAX_ENTRIES or clock.monotonic() > until:
            complete = False
            break
        directory = waiting.pop()
        node = tree.node(directory)
        if directory in seen or isinstance(node, Unknown) or node.kind != "directory":
            continue
        seen.add(directory)
        nodes = tree.nodes(directory)
        if isinstance(nodes, Unknown):
            complete = False
            continue
        scanned += len(nodes)
        for name, entry in nodes.items():
            path = f"{directory.rstrip('/')}/{name}"
            # Directories only: overlayfs may give files the device of the layer below.
            inside = entry.device == top.device and path not in _SKIPPED
            if entry.kind == "directory" and inside:
                waiting.appendleft(path)
            elif entry.kind == "file" and entry.permissions & SET_ID:
                found.append(path)
    return SetIdFiles(tuple(sorted(found)), scanned, complete)
