"""Lines of a requirements file: a version of an index, or a direct reference, each with hashes.

Source: pip's requirements file format.
"""

import configparser
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import msgspec
from packaging.utils import (
    InvalidSdistFilename,
    InvalidWheelFilename,
    parse_sdist_filename,
    parse_wheel_filename,
)

from onebin.effects import files
from onebin.errors import ProjectError
from onebin.model import Origin
from onebin.requirement import shown

from . import origins

EXTRAS: Final = r"(?:\[[^\[\]]*\])?"
"""After a path or an address. A lock has a line for each distribution of an extra."""

EDITABLE: Final = re.compile(
    rf"(?:-e|--editable)[ =]\s*(?P<address>\S+?){EXTRAS}(?P<rest>(?:\s.*)?)"
)

NAMED: Final = re.compile(
    r"(?P<name>[A-Za-z0-9][A-Za-z0-9._-]*)\s*(?:\[[^\]]*\])?\s*@\s*(?P<address>\S+)(?P<rest>.*)"
)
"""``name @ address`` (PEP 508)."""

BARE: Final = re.compile(
    r"(?P<address>(?:[./]|[A-Za-z][\w.+-]*://|[^\s;=<>!~@]*/)\S*?|\S+\.(?:whl|zip|tar\.\w+|tgz))"
    rf"{EXTRAS}(?P<rest>(?:\s.*)?)"
)
"""A path or an address alone."""

URL: Final = re.compile(r"[A-Za-z][\w.+-]*://")

COMMENT: Final = re.compile(r"(^|\s+)#.*$")

HASHED: Final = re.compile(r"""\s--hash(?:=|\s)\s*["']?(?P<hash>[A-Za-z0-9]+:[0-9A-Za-z]*)["']?""")
"""An option of one requirement, as pip reads it."""

EGG: Final = re.compile(r"[#&]egg=([A-Za-z0-9][A-Za-z0-9._-]*)")


class Line(msgspec.Struct, frozen=True):
    """One requirement."""

    text: str
    """Of an index's distribution: as PEP 508 has it; of another: its marker alone."""
    hashes: tuple[str, ...]
    """Sorted, as written."""
    name: str = ""
    """Of a distribution with an origin; empty if nothing states it."""
    version: str = ""
    origin: Origin | None = None


def lines(text: str, base: Path, *, where: str) -> Iterator[Line]:
    """Yield the requirements of the file *text* in the folder *base*.

    Raises:
        ProjectError: a line is an option; *where* names the file.
    """
    for line in _requirement_lines(text, where=where):
        stated = (item.partition(":") for item in HASHED.findall(line))
        hashes = tuple(sorted({f"{kind}:{digest.lower()}" for kind, _, digest in stated}))
        head = HASHED.sub("", line).strip()
        place, marker = _split(head)
        found = EDITABLE.fullmatch(place) or NAMED.fullmatch(place) or BARE.fullmatch(place)
        if found is None:
            yield Line(head, hashes)
        else:
            yield _elsewhere(found, marker, hashes, base, where)


def _split(head: str) -> tuple[str, str]:
    """Return a requirement and its marker, split where pip does: an address may have a ``;``.

    Of an editable one pip reads no marker; tools write it after a blank.
    """
    if EDITABLE.match(head):
        return head, ""
    place, _, marker = head.partition("; " if URL.match(head) else ";")
    return place.strip(), marker.strip()


def _elsewhere(
    found: re.Match[str], marker: str, hashes: tuple[str, ...], base: Path, where: str
) -> Line:
    address = found["address"]
    origin, more = origins.reference(address, where=where)
    egg = EGG.search(address)
    name, version = found.groupdict().get("name") or (egg[1] if egg else ""), ""
    if origin.kind in {"file", "url"}:
        stated = _of_file(origin.address.rpartition("/")[2])
        name, version = name or stated[0], stated[1]
    elif origin.kind == "directory":
        stated = _of_folder(base / origin.address / origin.folder)
        name, version = name or stated[0], stated[1]
    marker = marker or found["rest"].strip().removeprefix(";").strip()
    return Line(marker, tuple(sorted({*hashes, *more})), name, version, origin)


def _of_file(name: str) -> tuple[str, str]:
    """Return the name and the version that a file's *name* states; empty if it states none."""
    try:
        if name.endswith(".whl"):
            found: tuple[object, ...] = parse_wheel_filename(name)
        else:  # whichever compression, the stem is that of a source distribution
            found = parse_sdist_filename(re.sub(r"\.(tar\.\w+|tgz)$", ".tar.gz", name))
        return str(found[0]), str(found[1])
    except (InvalidWheelFilename, InvalidSdistFilename):
        return "", ""


def _of_folder(folder: Path) -> tuple[str, str]:
    """Return the name and the version that a project's *folder* states without being built."""
    tables: list[Any] = []
    try:
        document = tomllib.loads(files.read_text(folder / "pyproject.toml"))
        tool = document.get("tool", {})
        tables += [document.get("project"), tool.get("poetry") if isinstance(tool, dict) else None]
    except (OSError, ValueError, RecursionError):
        pass
    try:
        parser = configparser.RawConfigParser()
        parser.read_string(files.read_text(folder / "setup.cfg"))
        tables.append(dict(parser.items("metadata")))
    except (OSError, ValueError, configparser.Error):
        pass
    for table in tables:
        if isinstance(table, dict) and isinstance(name := table.get("name"), str):
            version = table.get("version", "")
            is_literal = isinstance(version, str) and version[:1].isdigit()
            return name, version if is_literal else ""
    return "", ""


def logical_lines(text: str) -> Iterator[str]:
    """Yield the lines of a requirements file, joined where one ends with a backslash.

    As pip has it, a comment has no next line, and no backslash before it joins another to it.
    """
    parts: list[str] = []
    for line in text.splitlines():
        is_comment = COMMENT.match(line) is not None
        if line.endswith("\\") and not is_comment:
            parts.append(line.rstrip("\\"))
            continue
        joined, parts = "".join([*parts, f" {line}" if is_comment else line]), []
        if bare := " ".join(COMMENT.sub("", joined).split()):
            yield bare
    if bare := " ".join(COMMENT.sub("", "".join(parts)).split()):
        yield bare


def _requirement_lines(text: str, *, where: str) -> Iterator[str]:
    for bare in logical_lines(text):
        if bare.startswith("-") and not EDITABLE.fullmatch(HASHED.sub("", bare).strip()):
            raise ProjectError(
                f"{where}: {shown(bare)} is an option; expected name==version --hash=sha256:…",
                hint="pip's own settings decide where distributions come from; "
                "pip-compile leaves its options out with --no-emit-options --no-emit-index-url, "
                "uv export with --no-emit-index-url",
            )
        yield bare
