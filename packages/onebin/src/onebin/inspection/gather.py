"""Read a saved image once and collect all that the rules and the report need."""

import tempfile
from typing import BinaryIO, Final, cast

from onebin.errors import ImageError
from onebin.image import spec

from . import accounts, census, merged_fs, validate
from .blobs import Blobs
from .budget import Budget
from .evidence import InspectedImage, Program
from .measure import measure
from .merged_fs import MergedFilesystem, Wanted
from .saved_image import SavedImage
from .tree import FileEntry

MAX_ACCOUNTS_BYTES: Final = 1024**2
"""Of /etc/passwd or /etc/group: ten thousand users."""

_IN_MEMORY_BYTES: Final = 8 * 1024**2
"""Of a program; a larger one goes to a temporary file. Those of onebin have 6 MB."""

_PATH: Final = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
"""Search path of engines if the image sets no PATH."""
_MAX_FOLDERS: Final = 64
"""Directories of a PATH that are searched; usual ones have six."""


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

    entry = _entry(filesystem, process)
    users, groups, program = _read_files(blobs, saved, filesystem, entry, budget)
    return InspectedImage(
        config=config,
        process=process,
        annotations=annotations or {},
        saved=saved,
        filesystem=filesystem,
        files=census.take(filesystem.entries, entry, budget),
        problems=validate.check(saved, filesystem.layers),
        entry=entry,
        program=program,
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
) -> tuple[accounts.Parsed, accounts.Parsed, Program | None]:
    """Read the files whose contents the rules check: accounts and the program."""
    files: list[Wanted] = []
    passwd, group = _Head(MAX_ACCOUNTS_BYTES), _Head(MAX_ACCOUNTS_BYTES)
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
    return accounts.parse(passwd.data), accounts.parse(group.data), program


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


def _entry(filesystem: MergedFilesystem, process: spec.Process) -> FileEntry | None:
    """Find the file a container starts, as execvp(3) does: a name without slash along PATH."""
    command = (*(process.entrypoint or ()), *(process.cmd or ()))
    name = command[0] if command else ""
    if not name:
        return None
    if name.startswith("/"):
        return filesystem.resolve(name)
    if "/" in name:
        return filesystem.resolve(f"{process.working_dir}/{name}")
    settings = dict(item.partition("=")[::2] for item in process.env or ())
    folders = settings.get("PATH", _PATH).split(":")[:_MAX_FOLDERS]
    found = (filesystem.resolve(f"{folder}/{name}") for folder in folders)
    return next((entry for entry in found if entry is not None and entry.mode & 0o111), None)
