"""Read a saved image once and collect all that the rules and the report need."""

import tempfile
from typing import BinaryIO, Final, cast

import msgspec

from onebin.errors import ImageError
from onebin.image import spec
from onebin.terminal import decoded

from . import accounts, census, merged_fs, starting, validate
from .blobs import Blobs
from .budget import Budget
from .evidence import InspectedImage, Program
from .measure import measure
from .merged_fs import MergedFilesystem, Wanted
from .record import FileEntry
from .saved_image import SavedImage

MAX_ACCOUNTS_BYTES: Final = 1024**2
"""Of /etc/passwd or /etc/group: ten thousand users."""

_IN_MEMORY_BYTES: Final = 8 * 1024**2
"""Of a program; a larger one goes to a temporary file. Those of onebin have 6 MB."""

_SCRIPT_BYTES: Final = 256
"""Linux's BINPRM_BUF_SIZE."""


class _Contents(msgspec.Struct, frozen=True):
    """The contents of files that rules check."""

    passwd: bytes
    group: bytes
    program: Program | None
    script_interpreter: str


def read_image(blobs: Blobs, saved: SavedImage, budget: Budget) -> InspectedImage:
    """Read and measure the documents and layers of *saved*.

    Raises:
        ImageError: they violate their formats, or exceed a limit.
    """
    what = budget.what
    filesystem = merged_fs.read(blobs, saved, budget)
    config = spec.decode(saved.config, spec.Config, what=f"{what}: its config")
    process = config.config or spec.Process()
    annotations = (
        spec.decode(saved.manifest, spec.Manifest, what=what).annotations if saved.manifest else {}
    )

    command = (*(process.entrypoint or ()), *(process.cmd or ()))
    entry = starting.find(filesystem, process, command[0] if command else "")
    read = _read_files(blobs, saved, filesystem, entry, budget)
    users, groups = accounts.users(read.passwd), accounts.groups(read.group)
    return InspectedImage(
        config=config,
        process=process,
        annotations=annotations or {},
        saved=saved,
        filesystem=filesystem,
        files=census.take(filesystem.entries, entry, budget),
        problems=validate.check(saved, filesystem.layers),
        entry=entry,
        program=read.program,
        script_interpreter=read.script_interpreter,
        users=users[0],
        groups=groups[0],
        broken_accounts=users[1] + groups[1],
    )


def _read_files(
    blobs: Blobs,
    saved: SavedImage,
    filesystem: MergedFilesystem,
    entry: FileEntry | None,
    budget: Budget,
) -> "_Contents":
    """Read the files whose contents the rules check: accounts and the program."""
    files: list[Wanted] = []
    passwd, group = _Head(MAX_ACCOUNTS_BYTES), _Head(MAX_ACCOUNTS_BYTES)
    script = _Head(_SCRIPT_BYTES)
    if entry is not None and entry.program == "script":
        files.append((entry, script))
    for path, head in (("/etc/passwd", passwd), ("/etc/group", group)):
        found = filesystem.resolve(path)
        if found is not None and found.kind in ("file", "hardlink"):
            files.append((found, head))
    # An entry that begins as a program is a file, or a link to one: a link has its target's size.
    is_elf = entry is not None and entry.program == "elf"
    with tempfile.SpooledTemporaryFile(_IN_MEMORY_BYTES) as temporary:
        file = cast("BinaryIO", temporary)
        copy = _Copy(file, budget)
        if is_elf and entry is not None and entry.size <= budget.limits.program_bytes:
            files.append((entry, copy))
        merged_fs.extract(blobs, saved, filesystem, files, budget)
        try:
            program = measure(file) if copy.is_whole else None
        except ImageError:
            program = None  # IMG-ELF-001 reports it; the rest of the image is still worth a report
    return _Contents(passwd.data, group.data, program, _interpreter(script.data))


def _interpreter(head: bytes) -> str:
    """Return the path in the first line of a script (execve(2)); a kernel reads 256 bytes."""
    words = head.removeprefix(b"#!").split(b"\n")[0].strip(b" \t").replace(b"\t", b" ")
    return decoded(words.split(b" ")[0]) if head.startswith(b"#!") else ""


class _Head:
    """Keeps the beginning of a file."""

    def __init__(self, limit: int) -> None:
        self.data, self._limit = b"", limit

    def write(self, data: bytes) -> None:
        self.data += data[: self._limit - len(self.data)]


class _Copy:
    """Copies a program to a temporary file, up to the largest size of one."""

    def __init__(self, file: BinaryIO, budget: Budget) -> None:
        self._file, self._budget, self._left = file, budget, budget.limits.program_bytes

    def write(self, data: bytes) -> None:
        self._left -= len(data)
        if self._left >= 0:
            self._budget.temporary(len(data))
            self._file.write(data)

    @property
    def is_whole(self) -> bool:
        """There is a program, and it was not too large."""
        return self._left >= 0 and self._file.tell() > 0
