"""A lock that is a TOML document: read, checked by its form, its entries turned into pins."""

import tomllib
from collections.abc import Iterable
from typing import TypeVar

import msgspec
from packaging.utils import canonicalize_name

from onebin import requirement
from onebin.errors import ProjectError
from onebin.model import Obstacle, Pin
from onebin.requirement import shown

from .requirements import HASH

T = TypeVar("T")


def convert(text: str, kind: type[T], *, where: str, rewrite: str) -> T:
    """Return the TOML document *text* as a *kind*; *rewrite* is how it is written again.

    Raises:
        ProjectError: it is not TOML, or not of that form.
    """
    try:
        return msgspec.convert(tomllib.loads(text), kind)
    except msgspec.ValidationError as exc:
        fault = f"{where}: not the form of such a lock: {shown(str(exc))}"
        raise ProjectError(fault, hint=f"write it again: {rewrite}") from exc
    # Brackets nested a thousand times end in the second.
    except (ValueError, RecursionError) as exc:
        fault = f"{where}: not TOML: {shown(str(exc))}"
        raise ProjectError(fault, hint=f"write it again: {rewrite}") from exc


def pin(name: str, version: str, hashes: Iterable[str], *, where: str) -> Pin:
    """Return the pin of an entry; *hashes* may be of any algorithm, sha256 is kept.

    Raises:
        ProjectError: its name or its version is none.
    """
    name = canonicalize_name(requirement.name(name, where=where))
    version = requirement.version(version, where=f"{where}: {name}") if version else ""
    return Pin(name, version, tuple(sorted({item for item in hashes if HASH.fullmatch(item)})))


def without_hash(found: Pin, *, where: str, rewrite: str) -> Obstacle:
    """Return the obstacle of an entry that names no file by its sha256."""
    return Obstacle(
        found,
        f"{where}: {found} has no sha256 of any file; expected one for each",
        hint=f"an index without hashes? write the lock again: {rewrite}; or: onebin lock",
    )


def distinct(entries: Iterable[Pin | Obstacle], *, where: str) -> tuple[Pin | Obstacle, ...]:
    """Return *entries* sorted by name, each once.

    Raises:
        ProjectError: two of them pin one name to different files.
    """
    found: dict[str, Pin | Obstacle] = {}
    for entry in entries:
        name = entry.name if isinstance(entry, Pin) else entry.pin.name
        if found.setdefault(name, entry) != entry:
            raise ProjectError(
                f"{where}: {name} is pinned twice, to different files, for this target",
                hint="choose extras and groups that do not conflict, or lock again",
            )
    return tuple(found[name] for name in sorted(found))
