"""Get pinned C source: from a folder, from its authors, or from the distribution, signed."""

import hashlib
import shutil
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import IO, TYPE_CHECKING, Final

from onebin.errors import ProjectError, ToolError
from onebin.model import Source

from .digests import read_sha256
from .process import RunCommand

if TYPE_CHECKING:
    import http.client

APT_SETTINGS: Final = Path("/etc/apt")
"""Names the mirrors of this machine."""
APT_HELPER: Final = "/usr/lib/apt/apt-helper"
"""apt's own downloader, part of apt: it obeys the same proxies and checks a hash."""
TIMEOUT_SECONDS: Final = 30
"""Of silence, not of the whole download: a slow line may take minutes for 23 MB."""
TOTAL_SECONDS: Final = 3600
"""Of a download: 24 MB in an hour are 7 kB a second."""
MAX_BYTES: Final = 1 << 30
"""Of a download: CPython's tarball has 23 MB, the largest of any C library some hundred."""
CHUNK: Final = 1 << 20


def tarball(
    source: Source,
    folder: Path,
    *,
    run: RunCommand,
    report: Callable[[str], None],
    is_offline: bool = False,
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
    is_remote = source.origin in {"auto", "apt"} or "://" in source.origin
    is_near = bool(source.folder) and _find_local(Path(source.folder), source) is not None
    if is_offline and is_remote and not is_near:
        raise ToolError(
            f"{source.name} {source.version}: its source is not in the cache",
            hint="fetch it once, with onebin prepare and without --offline",
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
    lines = [f"{read_sha256(file)}  {file.name}\n" for file in sorted(files)]
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
    return next((file for file in files if read_sha256(file) in _known(source)), None)


def _download(url: str, target: Path, *, report: Callable[[str], None]) -> None:
    # A tenth of a command's start, and nearly all commands have their sources.
    import http.client  # noqa: PLC0415
    import urllib.error  # noqa: PLC0415
    import urllib.request  # noqa: PLC0415

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


def _copy(response: "http.client.HTTPResponse", out: IO[bytes]) -> None:
    ends = time.monotonic() + TOTAL_SECONDS
    size = 0
    # All that has come so far: a whole chunk of a byte a second takes twelve days.
    while piece := response.read1(CHUNK):
        size += len(piece)
        if size > MAX_BYTES or time.monotonic() > ends:
            raise OSError(f"more than {MAX_BYTES} bytes or {TOTAL_SECONDS} s")
        out.write(piece)


def _from_apt(
    source: Source, folder: Path, *, run: RunCommand, report: Callable[[str], None]
) -> Path:
    """Let apt fetch the tarball of a source package from the pool of this machine's mirror.

    By its name, not through an index: a pool keeps a release longer than an index names it, and
    the pinned hash proves the bytes. apt obeys the machine's proxies; no root is needed.
    """
    target = folder / source.debian_file
    report(f"downloading Debian's {source.debian_file} with apt")
    known = source.debian_sha256 or source.sha256
    refused: ToolError | None = None
    for address in _in_pools(source, APT_SETTINGS):
        # Running as root, apt would drop to a user that may not write here.
        options = ["-q", "-o", "APT::Sandbox::User="]
        call = [APT_HELPER, *options, "download-file", address, target, f"SHA256:{known}"]
        try:
            run(call, cwd=folder, fetching=True)
        except ToolError as exc:
            refused = exc
        else:
            return _checked(target, source)
    reason = (refused.detail.rpartition("\n")[2] or refused) if refused else "it has no package"
    raise ToolError(
        f"apt cannot fetch {source.debian_file or source.name}: {reason}",
        detail=refused.detail if refused else "",
    ) from refused


def _in_pools(source: Source, etc: Path) -> list[str | Path]:
    """Return where the package's tarball may be: the archive's pool, that of its security team."""
    if not source.debian_file:
        return []
    package = source.debian_file.partition("_")[0]
    letter = package[:4] if package.startswith("lib") else package[:1]
    mirrors = debian_mirrors(etc)
    if not mirrors:
        raise ToolError("this machine has no apt source of Debian's packages")
    place = f"{letter}/{package}/{source.debian_file}"
    pools = (("debian", "main"), ("debian-security", "updates/main"), ("debian-security", "main"))
    return [f"{mirrors[name]}/pool/{part}/{place}" for name, part in pools if name in mirrors]


def debian_mirrors(etc: Path) -> dict[str, str]:
    """Return the mirrors that this machine already uses: ``debian`` and ``debian-security``."""
    files = [etc / "sources.list", *sorted((etc / "sources.list.d").glob("*"))]
    found: dict[str, str] = {}
    for file in files:
        if file.suffix in {".list", ".sources"} and file.is_file():
            for uri in _uris(file.read_text("utf-8", "replace").splitlines()):
                mirror = uri.rstrip("/")
                archive = mirror.rpartition("/")[2]
                if archive in {"debian", "debian-security"}:
                    found.setdefault(archive, mirror)
    return found


def _uris(lines: Iterable[str]) -> Iterable[str]:
    for line in lines:
        if not line.lstrip().startswith("#"):
            yield from (word for word in line.split() if "://" in word)


def _checked(file: Path, source: Source) -> Path:
    found = read_sha256(file)
    if found not in _known(source):
        raise ToolError(
            f"{file.name}: sha256 is {found}, pinned is {source.sha256}",
            hint="the origin changed the file or was tampered with: do not use it unchecked",
        )
    return file


def _known(source: Source) -> set[str]:
    return {source.sha256, source.debian_sha256} - {""}
