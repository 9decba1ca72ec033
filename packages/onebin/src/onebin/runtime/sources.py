"""Which source of CPython and zlib is built: the setting ``python-source``, read and pinned."""

import re
import urllib.parse
from typing import Final

import msgspec
from packaging.specifiers import SpecifierSet

from onebin.errors import ProjectError
from onebin.model import RELEASE, RELEASES, Release, Source
from onebin.requirement import shown


def pinned(release: Release) -> Source:
    """Return the source of *release*; Debian's package of it has the same bytes."""
    version = release.version
    folder = version.partition("rc")[0]
    debian = version.replace("rc", "~rc")
    return Source(
        name="CPython",
        version=version,
        sha256=release.sha256,
        url=f"https://www.python.org/ftp/python/{folder}/Python-{version}.tar.xz",
        debian_file=f"python{release.series}_{debian}.orig.tar.xz",
    )


PYTHON: Final = pinned(next(item for item in RELEASES if item.version == RELEASE))
"""The default."""

ZLIB: Final = Source(
    name="zlib",
    version="1.3.1",
    sha256="9a93b2b7dfdac77ceba5a558a580e74667dd6fede4585b91eefb60f03b72df23",
    url="https://zlib.net/fossils/zlib-1.3.1.tar.gz",
    debian_file="zlib_1.3.dfsg+really1.3.1.orig.tar.gz",
    debian_sha256="60dd315c07f616887caa029408308a018ace66e3d142726a97db164b3b8f69fb",
    files_sha256="72b4b64d801d08aa3508d4fa5f7f85b0d37e0b7ba23884d3468fe86188ac18a9",
)
"""Debian repacks it without contributed programs; the C files are the same."""

CHECKSUM: Final = re.compile("sha256=([0-9a-f]{64})")

SCHEMES: Final = ("https", "http")
"""Of an address a source is fetched from; its checksum proves that it is the right one."""


def releases(python: str, requires_python: str) -> tuple[Release, ...]:
    """Return the pinned releases a project may have, the one to prefer first.

    Without the setting *python*: the newest series that *requires_python* allows, then older
    ones; of each its newest release, and no release candidate.

    Raises:
        ProjectError: no pinned release fits.
    """
    known = ", ".join(item.version for item in RELEASES)
    allowed = SpecifierSet(requires_python)
    named = [item for item in reversed(RELEASES) if python in {item.version, item.series}]
    if python and not named:
        raise ProjectError(
            f"tool.onebin.python: {shown(python)} is not pinned", hint=f"known are {known}"
        )
    newest = {item.series: item for item in RELEASES if item.is_final}
    wanted = named or [*reversed(newest.values())]
    fits = tuple(item for item in wanted if allowed.contains(item.version, prereleases=True))
    if not fits:
        raise ProjectError(
            f"project.requires-python: {shown(requires_python)} allows none of "
            f"{', '.join(item.version for item in wanted)}",
            hint=f"known are {known}; a release candidate is chosen by tool.onebin.python",
        )
    return fits[:1] if named else fits


def python_source(text: str, release: Release | None = None) -> Source:
    """Read the setting ``python-source``: nothing, ``apt``, a directory, or a tarball.

    A tarball is a path or URL followed by ``#sha256=…``. Only a directory needs no checksum,
    whatever the names end in. *release* is the one of no setting; without it the default's.

    Raises:
        ProjectError: it has no checksum, or is an address of another kind.
    """
    default = pinned(release) if release else PYTHON
    if not text:
        return default
    origin, mark, fragment = text.partition("#")
    if origin == "apt" and not mark:
        return msgspec.structs.replace(default, origin=origin)
    found = CHECKSUM.fullmatch(fragment)
    if "://" in origin:
        _check_address(origin)
    if found is None and ("://" in origin or mark):
        raise ProjectError(
            f"python-source: {shown(origin)} has no checksum; expected #sha256=…",
            hint="write it behind the address or the path: #sha256=<64 hex digits>",
        )
    # Without a checksum it must be a directory; planning checks that it is one.
    sha256 = found[1] if found else ""
    # The version of another tarball is known once it is unpacked.
    version = next((item.version for item in RELEASES if item.sha256 == sha256), "")
    return msgspec.structs.replace(default, version=version, sha256=sha256, origin=origin)


def _check_address(origin: str) -> None:
    try:
        parts = urllib.parse.urlsplit(origin)
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port, parts = None, None, urllib.parse.urlsplit("")
    plain = origin.isascii() and origin.isprintable() and " " not in origin and port != 0
    if parts.scheme not in SCHEMES or not host or not plain:
        raise ProjectError(f"python-source: {shown(origin)} is not an address of http or https")
    if parts.username is not None:
        raise ProjectError(
            "python-source: the address has a user in it, and would be in plans and caches",
            hint="fetch it yourself, and name the file with its #sha256=",
        )


def zlib_beside(python: Source) -> Source:
    """Return zlib's source from where CPython's is: beside its file, or by apt alone."""
    if python.origin == "apt":
        return msgspec.structs.replace(ZLIB, origin="apt")
    is_file = python.sha256 and python.origin != "auto" and "://" not in python.origin
    if is_file:
        return msgspec.structs.replace(ZLIB, folder=python.origin.rpartition("/")[0] or ".")
    return ZLIB
