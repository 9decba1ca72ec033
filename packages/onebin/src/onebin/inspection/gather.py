"""Read an image and gather what the rules judge."""

import tempfile
from typing import BinaryIO, Final, cast

from onebin.errors import ImageError
from onebin.image import spec

from . import accounts, census, saved_image, validate
from . import merged_fs as whole
from .blobs import Blobs
from .budget import Budget
from .evidence import Program, Seen
from .measure import measure
from .tree import Entry

MAX_ACCOUNTS_BYTES: Final = 1024**2
"""Of /etc/passwd or /etc/group: ten thousand users."""

_IN_MEMORY_BYTES: Final = 8 * 1024**2
"""Of a program; what is larger goes to a temporary file. Ours have 6 MB."""

_PATH: Final = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
"""Where engines look if the image sets no PATH."""
_MAX_FOLDERS: Final = 64
"""Of a PATH that are looked into; usual ones have six."""


def see(blobs: Blobs, image: saved_image.Stored, budget: Budget) -> Seen:
    """Read the image's documents and layers, and measure them.

    Raises:
        ImageError: they are not what their formats say, or pass a limit.
    """
    what = budget.what
    contents = whole.read(blobs, image, budget)
    document = spec.decode(image.config, spec.Config, what=f"{what}: its config")
    process = document.config or spec.Process()
    annotations = (
        spec.decode(image.manifest, spec.Manifest, what=what).annotations if image.manifest else {}
    )

    entry = _entry(contents, process)
    users, groups, program = _read_files(blobs, image, contents, entry, budget)
    return Seen(
        document=document,
        process=process,
        annotations=annotations or {},
        stored=image,
        contents=contents,
        files=census.take(contents.entries, entry, budget),
        problems=validate.check(image, contents.layers),
        entry=entry,
        program=program,
        users=users[0],
        groups=groups[0],
        broken_accounts=users[1] + groups[1],
    )


def _read_files(
    blobs: Blobs,
    image: saved_image.Stored,
    contents: whole.Contents,
    entry: Entry | None,
    budget: Budget,
) -> tuple[accounts.Parsed, accounts.Parsed, Program | None]:
    """Read the files that are judged by their contents: accounts and the program."""
    files: list[tuple[Entry, whole.Sink]] = []
    passwd, group = _Head(MAX_ACCOUNTS_BYTES), _Head(MAX_ACCOUNTS_BYTES)
    for path, head in (("/etc/passwd", passwd), ("/etc/group", group)):
        found = contents.resolve(path)
        if found is not None and found.kind in ("file", "hardlink"):
            files.append((found, head))
    # What begins as a program is a file, or a link to one: the size of a link is its target's.
    is_elf = entry is not None and entry.program == "elf"
    with tempfile.SpooledTemporaryFile(_IN_MEMORY_BYTES) as temporary:
        file = cast("BinaryIO", temporary)
        copy = _Copy(file, budget)
        if is_elf and entry is not None and entry.size <= budget.limits.program_bytes:
            files.append((entry, copy))
        whole.extract(blobs, image, contents, files, budget)
        try:
            program = measure(file) if copy.is_whole else None
        except ImageError:
            program = None  # IMG-ELF-001 says so; the rest of the image is still worth a report
    return accounts.parse(passwd.data), accounts.parse(group.data), program


class _Head:
    """Keeps the beginning of a file."""

    def __init__(self, limit: int) -> None:
        self.data, self._limit = b"", limit

    def write(self, data: bytes) -> None:
        self.data += data[: self._limit - len(self.data)]


class _Copy:
    """Writes a program aside, as long as it may be one."""

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


def _entry(contents: whole.Contents, process: spec.Process) -> Entry | None:
    """Find what a container starts, as execvp(3) does: along PATH if its name has no slash."""
    command = (*(process.entrypoint or ()), *(process.cmd or ()))
    name = command[0] if command else ""
    if not name:
        return None
    if name.startswith("/"):
        return contents.resolve(name)
    if "/" in name:
        return contents.resolve(f"{process.working_dir}/{name}")
    settings = dict(item.partition("=")[::2] for item in process.env or ())
    found = (contents.resolve(f"{folder}/{name}") for folder in _folders(settings))
    return next((entry for entry in found if entry is not None and entry.mode & 0o111), None)


def _folders(settings: dict[str, str]) -> list[str]:
    return settings.get("PATH", _PATH).split(":")[:_MAX_FOLDERS]
