"""A single script -> Project: its dependencies are in a comment at its top.

Source: PEP 723, inline script metadata.
"""

import ast
import re
import tomllib
from collections.abc import Mapping
from importlib.util import decode_source
from pathlib import Path
from typing import Any, Final

import msgspec

from onebin.effects import files
from onebin.effects.context import Context
from onebin.errors import ProjectError
from onebin.locks import unused, uv_sources
from onebin.model import EntryPoint, Project
from onebin.requirement import shown

from . import indexes
from .given import Given
from .options import read_options
from .requirements import requirements_of
from .values import requires_python

BLOCK: Final = re.compile(
    r"^# /// (?P<type>[a-zA-Z0-9-]+)$\s(?P<content>(^#(| .*)$\s)+)^# ///$", re.MULTILINE
)
"""As PEP 723 gives it."""

FIELDS: Final = ("dependencies", "requires-python", "tool")

OPENED: Final = re.compile(r"^# /// script$", re.MULTILINE)

LOCK: Final = ("{}.lock", "{}.onebin.lock")
"""Locks beside a script: uv's, and the one onebin writes."""

CACHE_VERSION: Final = 1
"""Raised when this module makes something else of the same script: part of the key."""


class Script(msgspec.Struct, frozen=True):
    """Input: a script."""

    where: Path
    given: Given = Given()
    ctx: Context | None = None

    @staticmethod
    def reads(where: Path) -> bool:
        """Whether *where* is a script."""
        return where.suffix == ".py" and not where.is_dir()

    def project(self, *, with_code: bool = True) -> Project:  # noqa: ARG002  (its code is in it)
        """Read it (an ``Input``)."""
        if self.ctx is None:
            raise ProjectError(f"{self.where}: is read only with a cache to copy it into")
        try:
            data = files.read_bytes(self.where)
            ast.parse(data)
            text = decode_source(data)
        except OSError as exc:
            hint = "is it spelled right?"
            raise ProjectError(f"{self.where}: cannot be read: {exc.strerror}", hint=hint) from exc
        except (ValueError, SyntaxError, RecursionError, MemoryError) as exc:
            raise ProjectError(f"{self.where}: cannot be read: {shown(str(exc))}") from exc
        table = metadata(text, where=str(self.where))
        if line := unknown(table, self.where.name):
            self.ctx.progress.warn(line)
        if line := indexes.unused(table, self.where.name):
            self.ctx.progress.warn(line)
        root = self.where.resolve().parent
        options = read_options(root, table.get("tool", {}).get("onebin", {}), None, str(self.where))
        name = self.where.stem
        module = re.sub(r"\W", "_", name, flags=re.ASCII)
        if not options.lock:
            names = [pattern.format(self.where.name) for pattern in LOCK]
            found = next((lock for lock in names if (root / lock).is_file()), names[-1])
            options = msgspec.structs.replace(options, lock=found)
            is_chosen = not (root / found).is_file()
            if is_chosen and (line := unused.rules(table, self.where.name)):
                self.ctx.progress.warn(line)
        options = self.given.over(options)
        if options.entry_point:
            raise ProjectError("tool.onebin.entry-point: a script starts at its first line")
        return Project(
            root=root,
            name=re.sub(r"[^A-Za-z0-9._-]+", "-", name).strip("-._") or "script",
            version="0",
            entry=EntryPoint(module, ""),
            code=self.ctx.build(Copied(module, data)),
            dependencies=requirements_of(table, table, options),
            requires_python=requires_python(table.get("requires-python", "")),
            options=options,
            sources_elsewhere=uv_sources.elsewhere(table),
        )


class Copied(msgspec.Struct, frozen=True):
    """Step: a folder with the script alone."""

    module: str
    data: bytes
    """As it is: its encoding may be stated in it."""
    kind = "project"

    def key(self) -> tuple[object, ...]:
        """Return the script."""
        return CACHE_VERSION, "script", self.module, self.data

    def make(self, folder: Path, _: Context) -> None:
        """Write it."""
        (folder / f"{self.module}.py").write_bytes(self.data)

    def load(self, folder: Path) -> Path:
        """Return the folder."""
        return folder


def unknown(table: Mapping[str, Any], where: str) -> str:
    """Return a line about fields of *table* that a script's metadata does not have."""
    others = [shown(key) for key in table if key not in FIELDS]
    if not others:
        return ""
    return (
        f"{where}: {', '.join(others)}: without effect in a script; known are {', '.join(FIELDS)}"
    )


def metadata(text: str, *, where: str) -> Mapping[str, Any]:
    """Return the metadata in the script *text*; empty if it has none.

    Raises:
        ProjectError: it is malformed, or there are two blocks.
    """
    text = text.replace("\r\n", "\n")
    found = [match for match in BLOCK.finditer(text) if match["type"] == "script"]
    if len(found) > 1:
        raise ProjectError(f"{where}: has {len(found)} blocks of metadata; expected one")
    if not found and (opened := OPENED.search(text)):
        line = text.count("\n", 0, opened.start()) + 1
        raise ProjectError(
            f"{where}:{line}: its metadata has no end; expected a line with # /// alone",
            hint="each line from # /// script to # /// begins with a #; nothing follows the last",
        )
    if not found:
        return {}
    lines = found[0]["content"].splitlines(keepends=True)
    content = "".join(line[2:] if line.startswith("# ") else line[1:] for line in lines)
    try:
        table = tomllib.loads(content)
    except (ValueError, RecursionError) as exc:
        raise ProjectError(f"{where}: its metadata is not TOML: {shown(str(exc))}") from exc
    if not isinstance(table.get("tool", {}), dict):
        raise ProjectError(f"{where}: tool: {shown(table['tool'])} is not a table")
    return table
