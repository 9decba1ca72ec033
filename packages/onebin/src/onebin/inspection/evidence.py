"""What the rules judge, gathered once, and the form of their judgement."""

from collections.abc import Iterable

import msgspec

from onebin.image import spec
from onebin.objects.reader import ElfFacts

from . import saved_image
from .census import Files
from .listing import cut, shortened
from .merged_fs import Contents
from .report import Finding
from .tree import Entry
from .validate import Problem


class Program(msgspec.Struct, frozen=True):
    """The executable under judgement, measured."""

    elf: ElfFacts
    size: int
    """Bytes."""
    compressed: int
    """Bytes that gzip -9 makes of it."""
    sha256: str
    """Lower-case hex."""
    build_paths: tuple[bytes, ...]
    """Different paths in it that look like a machine that builds; the first ones."""


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
    stored: saved_image.Stored
    contents: Contents
    files: Files
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
    reasons = shortened(against)
    if reasons:
        return Finding(identifier, "fail", check, reasons)
    return Finding(identifier, "pass", check, (cut(seen),) if seen else ())


def unknown(identifier: str, check: str, why: str) -> Finding:
    """Make a finding that cannot be decided."""
    return Finding(identifier, "unknown", check, (cut(why),))
