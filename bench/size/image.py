"""Size and content of a saved image.

Reads what ``docker save`` writes and starts nothing, so a figure does not depend on how an engine
counts: older ones show the unpacked size, newer ones add the compressed one to it.
"""

import gzip
import io
import json
import tarfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final

_GZIP_LEVEL: Final = 9
"""One compressor for every contender, at its best: what builders and registries use differs."""

SHELLS: Final = frozenset(
    ("ash", "bash", "busybox", "csh", "dash", "fish", "ksh", "mksh", "sh", "tcsh", "toybox", "zsh")
)
PACKAGE_MANAGERS: Final = frozenset(
    ("apk", "apt", "apt-get", "conda", "dnf", "dpkg", "npm", "pip", "pip3", "rpm", "uv", "yum")
)

_WHITEOUT: Final = ".wh."
_OPAQUE: Final = ".wh..wh..opq"


@dataclass(frozen=True, slots=True, kw_only=True)
class Contents:
    """Size and content of an image."""

    unpacked_bytes: int
    """Contents of the regular files of all layers: pulled files are kept, overwritten or not."""
    tar_bytes: int
    """All layers as tar: the contents and 512 bytes or more for each entry."""
    gzip_bytes: int
    """All layers, each compressed: what a pull moves."""
    layers: int
    files: int
    """Regular files in the file system a container sees."""
    executables: int
    """Those of them anyone may execute."""
    shells: tuple[str, ...]
    package_managers: tuple[str, ...]
    setuid: tuple[str, ...]
    """Files that run as their owner or group: setuid or setgid."""
    user: str
    """Whom it runs as, in the image's own word; ``root`` where it has none."""


def unpacked_bytes(saved: Path) -> int:
    """Return only that of the one image in *saved*: compressing a build stage takes minutes."""
    with tarfile.open(saved) as archive:
        [manifest] = json.loads(_member(archive, "manifest.json"))
        return sum(
            entry.size
            for name in manifest["Layers"]
            for entry in _entries(_plain(_member(archive, name)))
            if entry.isreg()
        )


def read(saved: Path) -> Contents:
    """Read the one image in *saved*, an archive by ``docker save``."""
    seen: dict[PurePosixPath, tarfile.TarInfo] = {}
    unpacked = tar_bytes = gzip_bytes = 0
    with tarfile.open(saved) as archive:
        [manifest] = json.loads(_member(archive, "manifest.json"))
        config = json.loads(_member(archive, manifest["Config"]))
        for name in manifest["Layers"]:
            layer = _plain(_member(archive, name))
            tar_bytes += len(layer)
            gzip_bytes += len(gzip.compress(layer, _GZIP_LEVEL, mtime=0))
            entries = _entries(layer)
            unpacked += sum(entry.size for entry in entries if entry.isreg())
            _lay(entries, over=seen)
    files = {path: entry for path, entry in seen.items() if entry.isreg() or entry.islnk()}
    programs = [
        path for path, entry in seen.items() if entry.issym() or (path in files and _runs(entry))
    ]
    return Contents(
        unpacked_bytes=unpacked,
        tar_bytes=tar_bytes,
        gzip_bytes=gzip_bytes,
        layers=len(manifest["Layers"]),
        files=len(files),
        executables=sum(_runs(entry) for entry in files.values()),
        shells=_named(SHELLS, programs),
        package_managers=_named(PACKAGE_MANAGERS, programs),
        setuid=tuple(sorted(str(path) for path, entry in files.items() if entry.mode & 0o6000)),
        user=config["config"].get("User") or "root",
    )


def _lay(entries: Iterable[tarfile.TarInfo], *, over: dict[PurePosixPath, tarfile.TarInfo]) -> None:
    """Put a layer on those below it (OCI image-spec, layer.md: whiteouts).

    A whiteout hides files of lower layers, never of its own: whiteouts are applied first.
    """
    arriving = {PurePosixPath("/", entry.name): entry for entry in entries}
    for path in arriving:
        if path.name == _OPAQUE:
            _remove(path.parent, over, itself=False)
        elif path.name.startswith(_WHITEOUT):
            _remove(path.with_name(path.name.removeprefix(_WHITEOUT)), over, itself=True)
    for path, entry in arriving.items():
        if path.name.startswith(_WHITEOUT):
            continue
        below = over.get(path)
        if below and below.isdir() and not entry.isdir():
            _remove(path, over, itself=True)
        over[path] = entry


def _remove(
    path: PurePosixPath, files: dict[PurePosixPath, tarfile.TarInfo], *, itself: bool
) -> None:
    for other in list(files):
        if path in other.parents or (itself and other == path):
            del files[other]


def _runs(entry: tarfile.TarInfo) -> bool:
    return bool(entry.mode & 0o111)


def _named(names: frozenset[str], programs: Iterable[PurePosixPath]) -> tuple[str, ...]:
    return tuple(sorted({path.name for path in programs} & names))


def _entries(layer: bytes) -> list[tarfile.TarInfo]:
    with tarfile.open(fileobj=io.BytesIO(layer)) as tar:
        return tar.getmembers()


def _plain(blob: bytes) -> bytes:
    """Undo the compression some engines save layers with (RFC 1952, 2.3.1: the magic number)."""
    return gzip.decompress(blob) if blob.startswith(b"\x1f\x8b") else blob


def _member(archive: tarfile.TarFile, name: str) -> bytes:
    member = archive.extractfile(name)
    if member is None:
        raise ValueError(f"{name} is not a file of the saved image")
    with member:
        return member.read()
