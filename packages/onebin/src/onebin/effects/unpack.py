"""Unpack fetched archives, a tarball's tree or a wheel's code: inside a folder, under limits.

Archives are untrusted, and in part decide the place, the kind and the size of each file. Python's
own data filter (PEP 706) judges paths by the state of the disk, and was misled by links of links
more than once (CVE-2025-4517, CVE-2025-4138). Here a member below a link is refused, so no link is
ever followed while files are written.
"""

import bz2
import gzip
import lzma
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath
from typing import IO, Any, Final, Self, cast

from onebin.errors import ToolError

from .store import FULL

MAX_BYTES: Final = 2 << 30
"""Of all files of an archive, unpacked: CPython has 0.1 GB, the largest sources have 1 GB."""

ELF: Final = b"\x7fELF"
"""How files of machine code begin (elf(5))."""

MAX_MEMBERS: Final = 200_000
"""Files of an archive: CPython has 5,000, the largest sources some 50,000."""

MAX_AT_ONCE: Final = 1 << 20
"""Bytes of a header: the longest names and comments have some kilobytes; files are copied in
pieces that are smaller."""

MAX_PATH: Final = 1024
"""Bytes of a member's path: a quarter of Linux's limit, which leaves room for the folder."""

DAMAGED: Final = (
    tarfile.TarError, zipfile.BadZipFile, OSError, EOFError, zlib.error, lzma.LZMAError,
    ValueError, LookupError, NotImplementedError, RuntimeError,
)  # fmt: skip
"""Exceptions of damaged archives: each layer has its own."""

ZIP: Final = b"PK\x03\x04"
"""How a zip file with members begins."""

OPENERS: Final[tuple[tuple[bytes, Any], ...]] = (
    (b"\x1f\x8b", gzip.open), (b"BZh", bz2.open), (b"\xfd7zXZ\x00", lzma.open),
)  # fmt: skip


def tree(archive: Path, folder: Path) -> Path:
    """Unpack *archive* into the new *folder* and return the one directory it makes there.

    Raises:
        ToolError: it is damaged, larger than the limits, or holds something that is not part of a
            source tree: a path or a link that leaves it, a device, a file below a link.
    """
    folder.mkdir()
    try:
        with archive.open("rb") as stream:
            is_zip = stream.read(len(ZIP)) == ZIP
        if is_zip:
            with zipfile.ZipFile(archive) as contents:
                _extract(contents, lambda path: folder / path, marked=True)
        else:
            _extract_tar(archive, folder)
    except DAMAGED as exc:
        _require_room(exc)
        raise ToolError(f"{archive.name}: cannot be unpacked: {exc}") from exc
    made = [path for path in folder.iterdir() if path.is_dir() and not path.is_symlink()]
    if len(made) != 1:
        raise ToolError(f"{archive.name}: expected one directory in it, found {len(made)}")
    return made[0]


def _extract_tar(tarball: Path, folder: Path) -> None:
    with (
        _Contents(tarball) as stream,
        tarfile.open(fileobj=cast("IO[bytes]", stream), mode="r:") as tar,
    ):
        for member in _judged(tar):
            tar.extract(member, folder, set_attrs=True, filter="data")


def wheel(
    file: Path, folder: Path, *, programs: Path | None = None, data: Path | None = None
) -> None:
    """Unpack the code and the metadata of a wheel into *folder* (binary distribution format).

    Of its ``.data`` the parts that are code go where code goes; headers have no place here, files
    below ``sys.prefix`` and scripts only where they are wanted: in *data* and *programs*. With
    the latter, files that the wheel marks as executable are.

    Raises:
        ToolError: it is not a wheel, larger than the limits, or names a path outside.
    """
    folder.mkdir(parents=True, exist_ok=True)

    def place(path: PurePosixPath) -> Path | None:
        return _place_of(path, folder, programs, data)

    try:
        with zipfile.ZipFile(file) as archive:
            _extract(archive, place, marked=programs is not None)
    except DAMAGED as exc:
        _require_room(exc)
        raise ToolError(f"{file.name}: not a wheel: {exc}") from exc


def has_machine_code(wheel: Path) -> bool:
    """Whether a file in *wheel* is an executable, a shared object or an object (ELF).

    Raises:
        ToolError: it is damaged.
    """
    try:
        with zipfile.ZipFile(wheel) as archive:
            for member in archive.infolist():
                with archive.open(member) as stream:
                    if stream.read(len(ELF)) == ELF:
                        return True
    except DAMAGED as exc:
        raise ToolError(f"{wheel.name}: a damaged wheel: {exc}") from exc
    return False


def metadata(file: Path) -> str:
    """Return the text of ``METADATA`` of the wheel *file*.

    Raises:
        ToolError: it has none, or one of more than a megabyte.
    """
    try:
        with zipfile.ZipFile(file) as archive:
            names = [
                name
                for name in archive.namelist()
                if name.endswith(".dist-info/METADATA") and name.count("/") == 1
            ]
            if len(names) != 1:
                raise ValueError(f"{len(names)} files METADATA")
            with archive.open(names[0]) as stream:
                data = stream.read(MAX_AT_ONCE + 1)
            if len(data) > MAX_AT_ONCE:
                raise ValueError(f"METADATA of more than {MAX_AT_ONCE} bytes")
            return data.decode("utf-8", "replace")
    except DAMAGED as exc:
        raise ToolError(f"{file.name}: not a wheel: {exc}") from exc


def text(archive: Path, name: str) -> str:
    """Return the text of the file *name* of a source *archive*; empty if it has none.

    Nothing is unpacked: of thousands of files one matters.

    Raises:
        ToolError: it is damaged, or the text has more than a megabyte.
    """
    try:
        with archive.open("rb") as stream:
            is_zip = stream.read(len(ZIP)) == ZIP
        data = (_zipped if is_zip else _tarred)(archive, name)
        if len(data) > MAX_AT_ONCE:
            raise ValueError(f"{name} of more than {MAX_AT_ONCE} bytes")
    except DAMAGED as exc:
        raise ToolError(f"{archive.name}: cannot be unpacked: {exc}") from exc
    return data.decode("utf-8", "replace")


def _zipped(archive: Path, name: str) -> bytes:
    with zipfile.ZipFile(archive) as contents:
        found = (it for it in contents.namelist() if _is_at_top(it, name))
        if (member := next(found, None)) is None:
            return b""
        with contents.open(member) as stream:
            return stream.read(MAX_AT_ONCE + 1)


def _tarred(archive: Path, name: str) -> bytes:
    with (
        _Contents(archive) as stream,
        tarfile.open(fileobj=cast("IO[bytes]", stream), mode="r:") as tar,
    ):
        for member in _judged(tar):
            if member.isreg() and _is_at_top(member.name, name):
                found = tar.extractfile(member)
                assert found is not None  # noqa: S101  (a regular file)
                return found.read(MAX_AT_ONCE + 1)
    return b""


def _is_at_top(path: str, name: str) -> bool:
    parts = PurePosixPath(path).parts
    return len(parts) == 2 and parts[1] == name  # noqa: PLR2004  (the one folder, and the file)


def _require_room(exc: Exception) -> None:
    """Let a full disk be one, and not a damaged archive."""
    if isinstance(exc, OSError) and exc.errno in FULL:
        raise exc


def _judged(tar: tarfile.TarFile) -> Iterator[tarfile.TarInfo]:
    total = 0
    links: set[PurePosixPath] = set()
    files: set[PurePosixPath] = set()
    for number, member in enumerate(tar):
        if member.isdir() and member.name in {".", ""}:
            continue
        total += member.size
        if number >= MAX_MEMBERS or total > MAX_BYTES:
            raise ValueError(f"more than {MAX_MEMBERS} files or {MAX_BYTES} bytes")
        _judge(member, _inside(member.name), links, files)
        yield member


def _judge(
    member: tarfile.TarInfo,
    path: PurePosixPath,
    links: set[PurePosixPath],
    files: set[PurePosixPath],
) -> None:
    """Refuse *member*, or note it among the *links* and *files* before it."""
    if not links.isdisjoint([path, *path.parents]):
        raise ValueError(f"{member.name!a} is below a link")
    if member.issym():
        if not _stays(path, PurePosixPath(member.linkname)):
            raise ValueError(f"{member.name!a} links to {member.linkname!a}, outside")
        links.add(path)
    elif member.islnk():
        if _inside(member.linkname) not in files:
            raise ValueError(f"{member.name!a} is another name of no file before it")
    elif member.isreg():
        files.add(path)
    elif not member.isdir():
        raise ValueError(f"{member.name!a} is neither a file nor a directory")


def _stays(link: PurePosixPath, target: PurePosixPath) -> bool:
    """Whether a link leads to something below the archive's top directory, whatever is a link.

    It may climb first, over directories that are none of them links, and then go down alone.
    """
    climbs = next((n for n, part in enumerate(target.parts) if part != ".."), len(target.parts))
    down = target.parts[climbs:]
    return not target.is_absolute() and ".." not in down and climbs < len(link.parent.parts)


def _inside(name: str) -> PurePosixPath:
    path = PurePosixPath(name)
    if (
        path.is_absolute()
        or ".." in path.parts
        or not path.parts
        or "\0" in name
        or "\\" in name
        or len(name.encode("utf-8", "replace")) > MAX_PATH
    ):
        raise ValueError(f"{name[:MAX_PATH]!a} is not a path inside")
    return path


def _extract(
    archive: zipfile.ZipFile, place: Callable[[PurePosixPath], Path | None], *, marked: bool
) -> None:
    """Write each member to its *place*; executable if that is *marked* and wanted."""
    members = archive.infolist()
    if len(members) > MAX_MEMBERS:
        raise ValueError(f"more than {MAX_MEMBERS} files")
    if len({member.orig_filename for member in members}) != len(members):
        raise ValueError("two files of one name")
    left = MAX_BYTES
    for member in members:
        path = _inside(member.orig_filename)
        if member.is_dir() or (target := place(path)) is None:
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        # A size in a header is a claim: the output is counted.
        with archive.open(member) as stream, target.open("wb") as out:
            while piece := stream.read(MAX_AT_ONCE):
                left -= len(piece)
                if left < 0:
                    raise ValueError(f"more than {MAX_BYTES} bytes")
                out.write(piece)
        is_script = path.parts[1:2] == ("scripts",) and path.parts[0].endswith(".data")
        if marked and (is_script or member.external_attr >> 16 & 0o100):
            target.chmod(0o755)


def _place_of(
    path: PurePosixPath, folder: Path, programs: Path | None, data: Path | None
) -> Path | None:
    if not path.parts[0].endswith(".data"):
        return folder / path
    kind, rest = path.parts[1:2], PurePosixPath(*path.parts[2:])
    if kind in {("purelib",), ("platlib",)}:
        return folder / rest
    if data and kind == ("data",):
        return data / rest
    return programs / rest if programs and kind == ("scripts",) else None


class _Contents:
    """The contents of a compressed tarball, which are read in pieces and end before MAX_BYTES."""

    def __init__(self, file: Path) -> None:
        with file.open("rb") as raw:
            start = raw.read(6)
        opener = next((opener for mark, opener in OPENERS if start.startswith(mark)), open)
        self._stream: IO[bytes] = opener(file, "rb")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._stream.close()

    def read(self, size: int = -1) -> bytes:
        if not 0 <= size <= MAX_AT_ONCE:
            raise ValueError(f"a header of {size} bytes")
        return self._stream.read(size)

    def seek(self, position: int) -> int:
        # Headers and padding of the most files there may be take as much again at worst.
        if position > MAX_BYTES + MAX_MEMBERS * 2 * tarfile.RECORDSIZE:
            raise ValueError(f"more than {MAX_BYTES} bytes")
        return self._stream.seek(position)

    def tell(self) -> int:
        return self._stream.tell()
