"""The subjects of the rules: an image or a program, read and measured once."""

import msgspec

from onebin.image import spec
from onebin.objects.facts import ElfFacts

from .census import Files
from .merged_fs import MergedFilesystem
from .record import FileEntry
from .saved_image import SavedImage
from .validate import Problem


class Program(msgspec.Struct, frozen=True):
    """One executable, measured."""

    elf: ElfFacts
    size: int
    """Bytes."""
    compressed: int
    """Bytes that gzip -9 makes of it."""
    sha256: str
    """Lower-case hex."""
    build_paths: tuple[bytes, ...]
    """The first different paths in it that may be those of a build machine."""


class Account(msgspec.Struct, frozen=True):
    """One line of ``/etc/passwd`` or ``/etc/group``."""

    name: str
    password: str
    id: int
    gid: int = -1
    """The user's main group; -1 in ``/etc/group``."""
    shell: str = ""
    members: str = ""
    """Names of the users that ``/etc/group`` lists, with commas."""


class InspectedImage(msgspec.Struct, frozen=True, kw_only=True):
    """An image, read and measured."""

    config: spec.Config
    process: spec.Process
    """The ``config`` member of ``config``; empty if there is none."""
    annotations: dict[str, str]
    saved: SavedImage
    filesystem: MergedFilesystem
    files: Files
    problems: tuple[Problem, ...]
    entry: FileEntry | None
    """The file the entry point leads to."""
    program: Program | None
    """That file, if it is a readable ELF file."""
    script_interpreter: str
    """The path after ``#!`` if that file is a script (execve(2))."""
    users: tuple[Account, ...]
    groups: tuple[Account, ...]
    broken_accounts: tuple[str, ...]
    """Lines of both files that are not accounts."""

    @property
    def command(self) -> tuple[str, ...]:
        """Entry point and command: the argument list a container starts."""
        return (*(self.process.entrypoint or ()), *(self.process.cmd or ()))
