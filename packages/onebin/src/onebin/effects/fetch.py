"""Get pinned C source: from a folder, from its authors, or from the distribution, signed."""

import hashlib
import http.client
import re
import shutil
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import IO, Final

from onebin.errors import ProjectError, ToolError
from onebin.model import Source

from .process import RunCommand

APT_SUITE: Final = "trixie"
"""Debian 13 carries the pinned releases for as long as it is supported."""
APT_HELPER: Final = "/usr/lib/apt/apt-helper"
"""apt's own downloader, part of apt: it obeys the same proxies and checks a hash."""
ORIGINAL: Final = re.compile(r"^'(\S+)' (\S+\.orig\.tar\.[gx]z) \d+ (\w+:[0-9a-f]+)$", re.MULTILINE)
"""A line of ``apt-get source --print-uris``: address, file, size in bytes, hash."""
TIMEOUT_SECONDS: Final = 30
"""Of silence, not of the whole download: a slow line may take minutes for 23 MB."""
TOTAL_SECONDS: Final = 3600
"""Of a download: 24 MB in an hour are 7 kB a second."""
MAX_BYTES: Final = 1 << 30
"""Of a download: CPython's tarball has 23 MB, the largest of any C library some hundred."""
CHUNK: Final = 1 << 20


def tarball(
    source: Source, folder: Path, *, run: RunCommand, report: Callable[[str], None]
) -> Path:
    """Put the tarball of *source* into *folder* and check it.

    Raises:
        ProjectError: it was not pinned.
        ToolError: it cannot be fetched, or is not the pinned one.
    """
    if not source.sha256:
        raise ProjectError(
            f"tool.onebin.python-source: {source.origin} is not a directory, and has no checksum",
            hint=f"of a tarball, write {source.origin}#sha256=<64 hex digits>",
        )
    if source.origin == "auto":
        return _from_any_origin(source, folder, run=run, report=report)
    if source.origin == "apt":
        return _from_apt(source, folder, run=run, report=report)
    target = folder / source.origin.rpartition("/")[2]
    if "://" in source.origin:
        _download(source.origin, target, report=report)
    else:
        local = Path(source.origin)
        if not local.is_file():
            raise ProjectError(f"tool.onebin.python-source: {local} is not a file or directory")
        shutil.copyfile(local, target)
    return _checked(target, source)


def digest(files: Iterable[Path]) -> str:
    """Return what ``sha256sum FILE … | sha256sum`` prints of *files* in their directory, sorted."""
    lines = [f"{_sha256(file)}  {file.name}\n" for file in sorted(files)]
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def _from_any_origin(
    source: Source, folder: Path, *, run: RunCommand, report: Callable[[str], None]
) -> Path:
    if found := _find_local(Path(source.folder), source) if source.folder else None:
        return found
    target = folder / source.url.rpartition("/")[2]
    try:
        _download(source.url, target, report=report)
        return _checked(target, source)
    except ToolError as no_web:
        try:
            return _from_apt(source, folder, run=run, report=report)
        except ToolError as no_apt:
            raise ToolError(
                f"{source.name} {source.version}: its source cannot be fetched: {no_web}; {no_apt}",
                hint="set tool.onebin.python-source to a tarball, PATH#sha256=…; "
                "zlib's is searched in the same folder",
                detail=no_apt.detail,
            ) from no_apt


def _find_local(folder: Path, source: Source) -> Path | None:
    """Return the tarball of *source* in *folder*, whatever its name there."""
    files = sorted(file for file in folder.glob("*.tar.*") if file.is_file())
    return next((file for file in files if _sha256(file) in _known(source)), None)


def _download(url: str, target: Path, *, report: Callable[[str], None]) -> None:
    report(f"downloading {url}")
    try:
        request = urllib.request.Request(url, headers={"User-Agent": "onebin"})  # noqa: S310
        with (
            urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS) as response,  # noqa: S310
            target.open("wb") as out,
        ):
            _copy(response, out)
    except (urllib.error.URLError, http.client.HTTPException, OSError, ValueError) as exc:
        reason = getattr(exc, "reason", None) or exc
        raise ToolError(f"{url}: {reason}") from exc


def _copy(response: IO[bytes], out: IO[bytes]) -> None:
    ends = time.monotonic() + TOTAL_SECONDS
    size = 0
    while piece := response.read(CHUNK):
        size += len(piece)
        if size > MAX_BYTES or time.monotonic() > ends:
            raise OSError(f"more than {MAX_BYTES} bytes or {TOTAL_SECONDS} s")
        out.write(piece)


def _from_apt(
    source: Source, folder: Path, *, run: RunCommand, report: Callable[[str], None]
) -> Path:
    """Let apt fetch and verify the authors' tarball of a source package, and no more of it.

    apt gets a private state directory: no root is needed, and the machine's sources and package
    lists stay as they are. The other files of the package change with every update of Debian's: a
    mirror in the middle of one lacks those, never this one.
    """
    mirror = _debian_mirror(Path("/etc/apt"))
    state = folder / "apt"
    options = [
        "-q",
        "-o", f"Dir::Etc::SourceList={state}/sources.list",
        "-o", f"Dir::Etc::SourceParts={state}/parts",
        "-o", f"Dir::State::Lists={state}/lists",
        "-o", f"Dir::Cache={state}/cache",
        # Running as root, apt would drop to a user that may not write here.
        "-o", "APT::Sandbox::User=",
    ]  # fmt: skip
    report(f"downloading Debian's source package {source.package} with apt")
    try:
        # A second source of the same build finds the lists of the first.
        if not state.is_dir():
            _lay_out(state, mirror)
            run(["apt-get", *options, "update"], cwd=folder, fetching=True)
        query = ["apt-get", *options, "source", "--print-uris", source.package]
        output = run(query, cwd=folder, fetching=True)
        uri, name, checksum = _original(output.decode("utf-8", "replace"))
        target = folder / Path(name).name
        call: list[str | Path] = [APT_HELPER, *options, "download-file", uri, target, checksum]
        run(call, cwd=folder, fetching=True)
    except ToolError as exc:
        reason = exc.detail.rpartition("\n")[2] or exc
        raise ToolError(
            f"apt cannot fetch the source package {source.package}: {reason}", detail=exc.detail
        ) from exc
    return _checked(target, source)


def _original(output: str) -> tuple[str, str, str]:
    """Return address, file name and hash of the authors' tarball that apt printed."""
    found = ORIGINAL.search(output)
    if found is None:
        raise ToolError("its index names no original tarball")
    uri, name, checksum = found.groups()
    return uri, name, checksum


def _lay_out(state: Path, mirror: str) -> None:
    for part in ("lists/partial", "cache/archives/partial", "parts"):
        (state / part).mkdir(parents=True)
    keyring = "/usr/share/keyrings/debian-archive-keyring.gpg"
    (state / "sources.list").write_text(
        f"deb-src [signed-by={keyring}] {mirror} {APT_SUITE} main\n", "utf-8"
    )


def _debian_mirror(etc: Path) -> str:
    """Return the mirror this machine already uses for Debian's packages."""
    files = [etc / "sources.list", *sorted((etc / "sources.list.d").glob("*"))]
    for file in files:
        if file.suffix in {".list", ".sources"} and file.is_file():
            for uri in _uris(file.read_text("utf-8", "replace").splitlines()):
                if uri.rstrip("/").endswith("/debian"):
                    return uri
    raise ToolError("this machine has no apt source of Debian's packages")


def _uris(lines: Iterable[str]) -> Iterable[str]:
    for line in lines:
        if not line.lstrip().startswith("#"):
            yield from (word for word in line.split() if "://" in word)


def _checked(file: Path, source: Source) -> Path:
    found = _sha256(file)
    if found not in _known(source):
        raise ToolError(
            f"{file.name}: sha256 is {found}, pinned is {source.sha256}",
            hint="the origin changed the file or was tampered with: do not use it unchecked",
        )
    return file


def _known(source: Source) -> set[str]:
    return {source.sha256, source.debian_sha256} - {""}


def _sha256(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
