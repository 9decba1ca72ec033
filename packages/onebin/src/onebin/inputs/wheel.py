"""A wheel -> Project: its own metadata, scripts and code, nothing read from anywhere else.

Sources: binary distribution format, core metadata and entry points specifications.
"""

import configparser
import email.parser
import hashlib
import re
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import msgspec
from packaging.utils import InvalidWheelFilename, canonicalize_name, parse_wheel_filename

from onebin import requirement
from onebin.effects import files, unpack
from onebin.effects.context import Context
from onebin.errors import ProjectError
from onebin.model import EntryPoint, Options, Project
from onebin.requirement import shown

from . import script_files
from .entry import NONE, SCRIPT, entry_point
from .entry import fault as start_fault
from .given import Given
from .values import requires_python

CACHE_VERSION: Final = 3
"""Raised when this module makes something else of the same wheel: part of the key."""

DESCRIPTION: Final = 10_000
"""Characters of a summary that are kept."""


class Wheel(msgspec.Struct, frozen=True):
    """Input: a wheel."""

    where: Path
    given: Given = Given()
    ctx: Context | None = None

    @staticmethod
    def reads(where: Path) -> bool:
        """Whether *where* is a wheel."""
        return where.suffix == ".whl"

    def project(self, *, with_code: bool = True) -> Project:  # noqa: ARG002  (its code is in it)
        """Read it (an ``Input``)."""
        if self.ctx is None:
            raise ProjectError(f"{self.where}: is read only with a cache to unpack it into")
        return of_file(self.where, self.given, self.ctx)


class Unpacked(msgspec.Struct, frozen=True):
    """Step: the contents of a wheel."""

    file: Path
    sha256: str
    metadata_only: bool = False
    """Whether that is its ``.dist-info`` alone."""
    kind = "project"

    def key(self) -> tuple[object, ...]:
        """Return the hash of the wheel."""
        return CACHE_VERSION, "wheel", self.sha256, self.metadata_only

    def make(self, folder: Path, _: Context) -> None:
        """Unpack it."""
        code = folder / "code"
        unpack.wheel(self.file, code, programs=folder / "programs", data=folder / "data")
        for path in list(code.iterdir()) if self.metadata_only else ():
            if path.is_dir() and path.suffix != ".dist-info":
                shutil.rmtree(path)
            elif not path.is_dir():
                path.unlink()

    def load(self, folder: Path) -> Path:
        """Return where its code is."""
        return folder / "code"


PROGRAM: Final = re.compile(r"^[^/,]+\.data/scripts/([^/,]+),", re.MULTILINE)
"""A line of RECORD about a program."""

SHOWN: Final = 4
"""Names of programs in a message."""


def of_file(
    file: Path,
    given: Given,
    ctx: Context,
    options: Options | None = None,
    *,
    metadata_only: bool = False,
) -> Project:
    """Return the project that the wheel *file* is; its code may be left out.

    Raises:
        ProjectError: it cannot be read, or has compiled code.
    """
    try:
        parse_wheel_filename(file.name)
        sha256 = hashlib.sha256(file.read_bytes()).hexdigest()
    except OSError as exc:
        hint = "is it spelled right?"
        raise ProjectError(f"{file}: cannot be read: {exc.strerror}", hint=hint) from exc
    except InvalidWheelFilename as exc:
        hint = "as its index names it: NAME-VERSION-py3-none-any.whl"
        raise ProjectError(f"{file}: not a wheel: {exc}", hint=hint) from exc
    code = ctx.build(Unpacked(file, sha256, metadata_only))
    # The lock of a program has the program itself in it.
    root = ctx.store.shared("inputs") / f"{sha256[:24]}{'-program' if metadata_only else ''}"
    root.mkdir(exist_ok=True)
    settings, programs = given.over(options or Options()), code.parent / "programs"
    found = of_folder(code, root, settings, of=file.name, programs=programs)
    return msgspec.structs.replace(found, data=code.parent / "data")


def of_folder(
    code: Path, root: Path, options: Options, *, of: str, programs: Path | None = None
) -> Project:
    """Return the project of an unpacked wheel.

    Args:
        code: Where it is unpacked.
        root: The project's folder: that of its lock.
        options: Its settings.
        of: Its name, for messages.
        programs: Where its script files are unpacked.

    Raises:
        ProjectError: it is malformed, or has compiled code.
    """
    found = sorted(code.glob("*.dist-info"))
    if len(found) != 1:
        raise ProjectError(f"{of}: has {len(found)} .dist-info folders; expected one")
    text = _read(found[0] / "METADATA", of)
    head = email.parser.HeaderParser().parsestr(text)
    name = requirement.name(head.get("Name"), where=f"{of}: Name")
    points = _read(found[0] / "entry_points.txt", of)
    if compiled := files.shared_objects(code):
        raise ProjectError(
            f"{of}: has compiled code: {compiled[0].relative_to(code)}",
            hint="a static executable cannot load it: build the project's folder, or its source by "
            "--from NAME==VERSION, which compiles its C code",
        )
    wanted = frozenset(map(canonicalize_name, options.extras))
    known = frozenset(canonicalize_name(extra) for extra in head.get_all("Provides-Extra", []))
    if missing := sorted(wanted - known):
        raise ProjectError(
            f"{of}: has no extra {shown(missing[0])}",
            hint=f"known are {', '.join(sorted(known))}" if known else "it has none",
        )
    dependencies = [
        requirement.with_extras(line, wanted, where=f"{of}: Requires-Dist")
        for line in map(str, head.get_all("Requires-Dist", []))
    ]
    scripts, program_files = _scripts(points, of), script_files.found(programs)
    entry, fault = NONE, None
    try:
        entry = _start(of, name, options.entry_point, scripts, program_files, found[0])
    except ProjectError as exc:
        fault = start_fault(exc, (code,), dependencies)
    return Project(
        root=root,
        name=name,
        version=requirement.version(head.get("Version"), where=f"{of}: Version"),
        entry=entry,
        start_fault=fault,
        starts=tuple(sorted({*scripts, *program_files.python})),
        not_starts=tuple(f"{one}: {what}" for one, what in program_files.others.items()),
        code=code,
        dependencies=tuple(dependencies),
        requires_python=requires_python(head.get("Requires-Python") or ""),
        options=options,
        description=(head.get("Summary") or "")[:DESCRIPTION],
        license=head.get("License-Expression") or "",
        metadata=text,
        entry_points=points,
    )


def _start(
    of: str,
    name: str,
    chosen: str,
    scripts: Mapping[str, str],
    program_files: script_files.ScriptFiles,
    info: Path,
) -> EntryPoint:
    """Return the start; where a wheel has programs that are files, an error names them."""
    programs = sorted(PROGRAM.findall(_read(info / "RECORD", of)))
    if chosen or scripts or program_files.python or not programs:
        return entry_point(of, name, chosen, scripts, program_files)
    named = (
        f"{shown(one)} ({program_files.others[one]})" if one in program_files.others else shown(one)
        for one in programs[:SHOWN]
    )
    raise ProjectError(
        f"{of}: no entry point; its programs are files: {', '.join(named)}",
        hint="of one in Python, name the function it calls: --entry-point module:function, or "
        "-m module; a compiled one is not Python",
    )


def _read(file: Path, of: str) -> str:
    try:
        return files.read_text(file)
    except FileNotFoundError:
        return ""
    except (OSError, ValueError) as exc:
        raise ProjectError(f"{of}: {file.name} cannot be read: {exc}") from exc


def _scripts(text: str, of: str) -> Mapping[str, str]:
    """Return the scripts of an ``entry_points.txt``, those without the extras they state."""
    parser = configparser.ConfigParser(delimiters=("=",), interpolation=None, strict=False)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    try:
        parser.read_string(text)
    except configparser.Error as exc:
        raise ProjectError(f"{of}: entry_points.txt cannot be read: {shown(str(exc))}") from exc
    return {
        name: target.partition("[")[0].strip()
        for group in ("console_scripts", "gui_scripts")
        if parser.has_section(group)
        for name, target in parser.items(group)
        if SCRIPT.fullmatch(name)
    }
