"""Choose versions for requirements, and for all that they need: pip's work, for the target."""

import re
import urllib.parse
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Final, NamedTuple

import msgspec
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from onebin import requirement
from onebin.errors import ProjectError
from onebin.model import Machine, Pin, target_environment

from .index import ConflictError, NoMatchError, pip
from .pip_options import choosable
from .process import RunCommand
from .reasons import OFFLINE, is_offline

FROM: Final = re.compile(r"\(from ([^)]+)\)")
"""In pip's words: what needs the requirement before it."""

WORDS: Final = re.compile(r"[\w.-]+")
"""Names are among them."""


class UnresolvedError(ProjectError):
    """No versions fit together for one Python; for another there may be.

    ``names`` are those of the dependencies at fault: without a version, or with a
    need that has none; those that exclude each other. Empty if that is not known.
    """

    def __init__(self, message: str, *, hint: str, names: Iterable[str] = ()) -> None:
        super().__init__(message, hint=hint)
        self.names = frozenset(map(canonicalize_name, names))


class Choice(NamedTuple):
    """A version that pip chose, by the metadata of a file: another may be used."""

    pin: Pin
    file: str
    """The file's name."""
    needs: frozenset[str] = frozenset()
    """What that file requires, by normalized names."""


def resolve(
    dependencies: Iterable[str], folder: Path, *, python: str, machine: Machine, run: RunCommand
) -> tuple[Choice, ...]:
    """Choose versions for *dependencies* and all they need, for the target and not for this Python.

    The metadata of any wheel will do for the choice, whichever libc it was built for, and those
    that a source states where there is no wheel. The file that is used is known once it is
    fetched, so the caller collects hashes then. *folder* is for temporary files.

    Raises:
        UnresolvedError: one of them has no version that fits.
        ProjectError: one of them is not a requirement of an index.
    """
    environment = target_environment(machine, python)
    wanted = requirement.wanted(dependencies, environment, where="project.dependencies")
    try:
        return choose(
            wanted, (), folder, fits=choosable(python, machine), environment=environment, run=run
        )
    except ConflictError as exc:
        raise UnresolvedError(
            f"project.dependencies: {exc}: what these need excludes each other",
            hint="loosen one of them, or name versions that fit together",
            names=[item.name for item in wanted if item.name in WORDS.findall(str(exc))],
        ) from exc
    except NoMatchError as exc:
        fault = f"{exc}: no version of it is for Python {python} on {machine}"
        hint = "is it spelled right, and does the index have it?"
        told = [*FROM.findall(str(exc)), str(exc)]
        names = [item.name for text in told for item in wanted if _is_of(text, item.name)]
        raise UnresolvedError(
            fault, hint=OFFLINE if is_offline(exc.detail) else hint, names=names[:1]
        ) from exc


def _is_of(text: str, name: str) -> bool:
    """Whether *text*, a requirement or more, begins with *name*."""
    return WORDS.findall(text)[:1] == [name]


def choose(
    wanted: Sequence[Requirement],
    pins: Iterable[Pin],
    folder: Path,
    *,
    fits: Sequence[str],
    environment: Mapping[str, str],
    run: RunCommand,
) -> tuple[Choice, ...]:
    """Let pip choose versions for *wanted* and all they need; those of *pins* are given.

    Raises:
        NoMatchError: there is no version of one of them that *fits*, or that all others allow
            (``ConflictError``).
        ProjectError: the index's metadata has a malformed name or version.
    """
    if not wanted:
        return ()
    requested, given = folder / "requested.txt", folder / "given.txt"
    requested.write_text("".join(f"{requirement.line(item)}\n" for item in wanted), "ascii")
    given.write_text("".join(f"{pin.name}=={pin.version}\n" for pin in pins), "ascii")
    call: list[str | Path] = [
        "install", "--quiet", "--dry-run", "--ignore-installed", "--report", "-",
        "--target", folder / "unused", *fits, "--constraint", given, "--requirement", requested,
    ]  # fmt: skip
    try:
        report = pip(run, call, environment=environment)
    except ConflictError as exc:
        # pip names a line of its input where a requirement is a name alone.
        lines = re.compile(rf"-r {re.escape(str(requested))} \(line (\d+)\)")
        told = lines.sub(lambda found: wanted[int(found[1]) - 1].name, str(exc))
        raise ConflictError(told, detail=exc.detail) from exc
    where = "the index's metadata"
    found = []
    for entry in msgspec.json.decode(report)["install"]:
        name = requirement.name(entry["metadata"]["name"], where=where)
        version = requirement.version(entry["metadata"]["version"], where=where)
        address = urllib.parse.urlsplit(entry.get("download_info", {}).get("url", ""))
        file = urllib.parse.unquote(address.path.rpartition("/")[2])
        stated = entry["metadata"].get("requires_dist", ())
        needs = requirement.names_wanted(stated, environment)
        found.append(Choice(Pin(canonicalize_name(name), version, ()), file, needs))
    return tuple(sorted(found))
