"""Entries of locks that come from no index: a folder, a file, an address, a repository of git.

Each is used if the lock names its contents: a file by its sha256, a repository by a commit. A
folder is used as it is, and named by its contents once it is read.

Sources: direct references (PEP 440, PEP 508), VCS requirements of pip, PEP 751.
"""

import os
import re
import urllib.parse
from pathlib import Path
from typing import Final

import msgspec

from onebin.errors import ProjectError
from onebin.model import Obstacle, Origin, Pin
from onebin.requirement import shown
from onebin.secret import hidden

COMMIT: Final = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
"""The whole name of a commit: SHA-1 or SHA-256."""

SCHEMES: Final = {"git": ("https", "http", "ssh", "git", "file"), "url": ("https", "http")}
"""Of addresses, by kind of origin."""

SCP: Final = re.compile(r"[\w.-]+@[\w.-]+:(?!//).+")
"""An address of ssh, as git writes it."""

HELPER: Final = re.compile(r"-|[\w+.-]+::")
"""An option, or a program that git would run: ``ext::sh``."""

SHA256: Final = re.compile(r"(?:^|&)sha256[=:]([0-9a-f]{64})(?:&|$)")

MAX_LENGTH: Final = 2000
"""Characters of an address, which an argument of git or a line for pip holds."""

REQUEST: Final = (
    "build its wheel into a folder (pip wheel --no-deps -w DIR …), name that in PIP_FIND_LINKS, "
    "request {name} by version, and lock again"
)
"""The remedy for a package that no index has."""


def git(address: str, commit: str, folder: str = "") -> Origin:
    """Return the origin of a repository at *commit*; its project is in *folder*."""
    return Origin("git", address.removeprefix("git+"), commit=commit.lower(), folder=folder)


def split(address: str, *, where: str) -> urllib.parse.SplitResult:
    """Return the parts of *address*.

    Raises:
        ProjectError: it is none; *where* names the lock.
    """
    try:
        return urllib.parse.urlsplit(address)
    except ValueError as exc:
        raise ProjectError(
            f"{where}: {shown(hidden(address))} is not an address: {shown(str(exc))}",
            hint="correct it where the dependency is stated, and write the lock again",
        ) from exc


def reference(address: str, *, where: str) -> tuple[Origin, tuple[str, ...]]:
    """Return the origin that the direct reference *address* names, and the hashes in it.

    ``git+https://host/x@COMMIT#subdirectory=y``, ``https://host/x.whl#sha256=…``, ``file:///x``.

    Raises:
        ProjectError: it is malformed; *where* names the lock.
    """
    rest, _, fragment = address.partition("#")
    folder = dict(urllib.parse.parse_qsl(fragment)).get("subdirectory", "")
    hashes = tuple(f"sha256:{found}" for found in SHA256.findall(fragment))
    if rest.startswith("git+"):
        head, at, commit = rest.rpartition("@")
        is_commit = bool(at) and "/" not in commit.removeprefix("refs/")
        return git(head if is_commit else rest, commit if is_commit else "", folder), hashes
    scheme = split(rest, where=where).scheme
    if scheme == "file" or not scheme:
        path = split(rest, where=where).path if scheme else rest
        return of_path(urllib.parse.unquote(path) if scheme else path, folder), hashes
    return Origin("url", rest, folder=folder), hashes


def of_path(path: str, folder: str = "") -> Origin:
    """Return the origin of a file or a folder, by its name."""
    is_file = path.endswith((".whl", ".zip", ".gz", ".tgz", ".bz2", ".xz"))
    return Origin("file" if is_file else "directory", path, folder=folder)


def pinned(found: Pin, origin: Origin, base: Path, *, where: str, rewrite: str) -> Pin | Obstacle:
    """Return *found* with its *origin*, or why that names no contents.

    Args:
        found: The entry, with the hashes the lock has.
        origin: A path in it is relative to *base*.
        base: The folder of the lock.
        where: The lock, for messages.
        rewrite: How it is written again.
    """
    if origin.kind in {"git", "url"}:
        split(origin.address, where=where)
    source = f"{where}: {found} comes from {origin.kind} {shown(hidden(origin.address))}"
    if not _is_allowed(origin):
        schemes = SCHEMES.get(origin.kind, ())
        expected = f"an address of {' or '.join(schemes)}" if schemes else "a path"
        return Obstacle(
            found, f"{source}; expected {expected}", hint=REQUEST.format(name=found.name)
        )
    if origin.kind == "git" and not COMMIT.fullmatch(origin.commit):
        return Obstacle(
            found, f"{source} without a commit; expected the 40 hex digits of one",
            hint=f"lock again: {rewrite}; or write the address as …@COMMIT",
        )  # fmt: skip
    if origin.kind in {"file", "url"} and not found.hashes:
        return Obstacle(
            found, f"{source} without a sha256; expected that of the file",
            hint=f"lock again: {rewrite}; or add the hash that sha256sum prints",
        )  # fmt: skip
    is_path = origin.kind in {"directory", "file"} or (
        origin.kind == "git" and "://" not in origin.address and not SCP.fullmatch(origin.address)
    )
    if is_path:
        place = os.path.normpath(base / origin.address)
        origin = msgspec.structs.replace(origin, address=place)
    return msgspec.structs.replace(found, origin=origin)


def _is_allowed(origin: Origin) -> bool:
    texts = (origin.address, origin.folder)
    if not origin.address or not all(text.isprintable() for text in texts):
        return False
    is_inside = not origin.folder.startswith("/") and ".." not in origin.folder.split("/")
    if not is_inside or len(origin.address) > MAX_LENGTH or HELPER.match(origin.address):
        return False
    if any(sign in origin.address for sign in " $\\"):  # an option or a variable, for pip
        return origin.kind in {"directory", "file"}
    scheme, mark, _ = origin.address.partition("://")
    if origin.kind == "url" or (mark and origin.kind == "git"):
        return scheme.lower() in SCHEMES[origin.kind]
    return not mark
