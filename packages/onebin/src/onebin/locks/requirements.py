"""Locks that are requirements files: ``name==version --hash=sha256:…`` lines."""

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Final

import msgspec
from packaging.utils import canonicalize_name

from onebin import requirement
from onebin.errors import ProjectError
from onebin.model import Obstacle, Pin
from onebin.requirement import shown
from onebin.secret import hidden

from . import origins
from .lines import Line, lines
from .wanted import Wanted

WRITTEN: Final = "onebin.lock"
"""The lock onebin writes by itself at the first build."""

WRITTEN_BUILD: Final = "onebin-build.lock"
"""The lock of build requirements that onebin writes and extends by itself."""

HASH: Final = re.compile("sha256:[0-9a-f]{64}")


class Requirements(msgspec.Struct, frozen=True):
    """A requirements file in which every line is pinned, as pip-compile and uv export write it."""

    where: str
    """Its name, for messages."""
    text: str
    rewrite = "onebin lock, or with the tool that wrote it"

    base: Path = Path()
    """Its folder: paths in it are relative to that."""

    @staticmethod
    def reads(_: str) -> bool:
        """Whether a file of that name is read so: any is."""
        return True

    def pins(
        self,
        markers: Mapping[str, str],
        wanted: Wanted = Wanted(),  # noqa: B008
    ) -> tuple[Pin | Obstacle, ...]:
        """Return the pins whose markers hold (a ``Lock``)."""
        return parse(
            self.text, markers, where=self.where, base=self.base, project=wanted.project,
            rewrite=self.rewrite,
        )  # fmt: skip

    def names(self) -> frozenset[str]:
        """Return all names (a ``Lock``)."""
        return frozenset(
            canonicalize_name(
                line.name if line.origin else requirement.parse(line.text, where=self.where).name
            )
            for line in lines(self.text, self.base, where=self.where)
        )


class OnebinLock(Requirements, frozen=True):
    """``onebin.lock``: requirements too, written by onebin if it is missing."""

    rewrite = "onebin lock"

    @staticmethod
    def reads(name: str) -> bool:
        """Whether a file of that name is one."""
        return name == WRITTEN


def write(pins: Iterable[Pin]) -> str:
    """Return the text of an ``onebin.lock``."""
    return _text("# Written by onebin lock: what the executable is built from.", pins)


def write_build(pins: Iterable[Pin]) -> str:
    """Return the text of an ``onebin-build.lock``."""
    return _text("# Written by onebin: what builds the project and its distributions.", pins)


def _text(head: str, pins: Iterable[Pin]) -> str:
    return "\n".join([head, *map(line, pins), ""])


def line(pin: Pin) -> str:
    """Return *pin* as a line of a lock."""
    return f"{pin.name}=={pin.version}" + "".join(f" --hash={item}" for item in pin.hashes)


def parse(
    text: str,
    environment: Mapping[str, str],
    *,
    where: str,
    base: Path = Path(),
    project: str = "",
    rewrite: str = "",
) -> tuple[Pin | Obstacle, ...]:
    """Read a requirements file in which every line is pinned and hashed.

    Args:
        text: Its text.
        environment: The variables of markers.
        where: Its name, for messages.
        base: Its folder.
        project: The name of the project, whose own folder may be a line.
        rewrite: How the file is written again.

    Raises:
        ProjectError: a line is not ``name==version`` with at least one sha256: an option, a second
            version of one name.
    """
    found: dict[str, Pin | Obstacle] = {}
    for line in lines(text, base, where=where):
        entries: Iterable[Pin | Obstacle] = _of_index(line, environment, where=where)
        if line.origin:
            entries = _of_origin(
                line, environment, where=where, base=base, project=project, rewrite=rewrite
            )
        for entry in entries:
            name = entry.name if isinstance(entry, Pin) else entry.pin.name
            if found.setdefault(name, entry) != entry:
                raise _twice(name, where)
    return tuple(found[name] for name in sorted(found))


def parse_build(text: str, environment: Mapping[str, str], *, where: str) -> tuple[Pin, ...]:
    """Read a lock of build requirements: several versions of one name, all of an index.

    Raises:
        ProjectError: a line is not ``name==version`` with at least one sha256, or one version is
            pinned to different files.
    """
    pins: dict[tuple[str, str], Pin] = {}
    for line in lines(text, Path(), where=where):
        if line.origin:
            raise ProjectError(
                f"{where}: {shown(hidden(line.origin.address))} is not a version of an index; "
                "expected name==version --hash=sha256:…"
            )
        for pin in _of_index(line, environment, where=where):
            if pins.setdefault((pin.name, pin.version), pin) != pin:
                raise _twice(pin.name, where)
    return tuple(sorted(pins.values()))


def _twice(name: str, where: str) -> ProjectError:
    return ProjectError(
        f"{where}: {name} is pinned twice, to different files",
        hint="keep one of the lines, or give them markers that exclude each other",
    )


def _of_index(line: Line, environment: Mapping[str, str], *, where: str) -> Iterator[Pin]:
    if line.origin:
        return
    for wanted in requirement.wanted([line.text], environment, where=where):
        specifiers = list(wanted.specifier)
        one_version = len(specifiers) == 1 and specifiers[0].operator == "=="
        hashes = tuple(item for item in line.hashes if HASH.fullmatch(item))
        if not one_version or not hashes:
            raise ProjectError(
                f"{where}: {wanted.name} is not pinned to one version with a sha256",
                hint="write the file with: pip-compile --generate-hashes, "
                "or delete it, and write it with: onebin lock",
            )
        name = canonicalize_name(wanted.name)
        version = requirement.version(specifiers[0].version, where=f"{where}: {name}")
        yield Pin(name, version, hashes)


def _of_origin(
    line: Line,
    environment: Mapping[str, str],
    *,
    where: str,
    base: Path,
    project: str,
    rewrite: str,
) -> Iterator[Pin | Obstacle]:
    """Yield the entry of a direct reference, if its marker holds and it is not the project."""
    assert line.origin is not None  # noqa: S101  (the caller's condition)
    if line.text and not requirement.wanted([f"x ; {line.text}"], environment, where=where):
        return
    is_here = line.origin.kind == "directory" and not line.origin.address.strip("./")
    if not line.name and is_here:
        return  # the project, whose name its back end alone knows
    if not line.name:
        address = shown(hidden(line.origin.address))
        raise ProjectError(
            f"{where}: {address}: states no name; expected NAME @ {address.strip(chr(39))}",
            hint="write the name before it, or into the pyproject.toml of a folder",
        )
    name = canonicalize_name(requirement.name(line.name, where=where))
    if name == project and line.origin.kind == "directory":
        return
    version = line.version
    if version:
        version = requirement.version(version, where=f"{where}: {name}")
    pin = Pin(name, version, tuple(item for item in line.hashes if HASH.fullmatch(item)))
    yield origins.pinned(pin, line.origin, base, where=where, rewrite=rewrite)
