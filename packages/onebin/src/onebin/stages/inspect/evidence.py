"""What the rules judge, gathered once, and the form of their judgement."""

from collections.abc import Iterable, Sequence
from typing import Final

import msgspec

from onebin.model import ElfFacts, Finding
from onebin.oci import spec, stored
from onebin.oci.contents import Contents
from onebin.oci.scan import Entry
from onebin.oci.validate import Problem

MAX_EVIDENCE: Final = 10
"""Lines of one finding; the report lists every file besides."""

MAX_EXECUTABLE_BYTES: Final = 512 * 1024**2
"""Read into memory to judge it: fifty times what we make, and what a small CI machine has."""


class Program(msgspec.Struct, frozen=True):
    """The executable under judgement."""

    data: bytes
    elf: ElfFacts


class Account(msgspec.Struct, frozen=True):
    """One line of ``/etc/passwd`` or ``/etc/group``."""

    name: str
    password: str
    id: int
    gid: int = -1
    """The user's main group; -1 in ``/etc/group``."""
    shell: str = ""


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """An image, read and measured."""

    document: spec.Config
    process: spec.Process
    annotations: dict[str, str]
    stored: stored.Stored
    contents: Contents
    problems: tuple[Problem, ...]
    entry: Entry | None
    """The file the entry point leads to."""
    program: Program | None
    """That file, if it is an ELF file we can read."""
    users: tuple[Account, ...]
    groups: tuple[Account, ...]
    broken_accounts: tuple[str, ...]
    """Lines of both files that are none."""

    @property
    def command(self) -> tuple[str, ...]:
        """What a container starts."""
        return (*(self.process.entrypoint or ()), *(self.process.cmd or ()))


def judge(identifier: str, check: str, against: Iterable[str], seen: str = "") -> Finding:
    """Make a finding: failed if there is anything *against* it, else passed because of *seen*."""
    reasons = tuple(against)
    if reasons:
        return Finding(identifier, "fail", check, shortened(reasons))
    return Finding(identifier, "pass", check, (seen,) if seen else ())


def unknown(identifier: str, check: str, why: str) -> Finding:
    """Make a finding that cannot be decided."""
    return Finding(identifier, "unknown", check, (why,))


def shortened(lines: Sequence[str]) -> tuple[str, ...]:
    """Keep the first lines and say how many more there are."""
    if len(lines) <= MAX_EVIDENCE:
        return tuple(lines)
    return (*lines[:MAX_EVIDENCE], f"and {len(lines) - MAX_EVIDENCE} more")
