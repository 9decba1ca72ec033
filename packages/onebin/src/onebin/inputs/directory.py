"""A directory with a ``pyproject.toml`` -> Project, checked before anything else.

Its texts become file names, lines for pip, paths and code. Each is parsed here by its own
grammar, before a program is started or a file opened by it.
"""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
from packaging.utils import canonicalize_name

from onebin import requirement
from onebin.effects import files
from onebin.effects.context import Context
from onebin.errors import ProjectError
from onebin.model import EntryPoint, Options, Project

from . import core_metadata, indexes, own_wheel
from .entry import NONE, entry_point, scripts_of
from .entry import fault as start_fault
from .given import Given
from .options import read_options
from .requirements import requirements_of
from .values import dynamic, requires_python, table_of, text_of


class Directory(msgspec.Struct, frozen=True):
    """Input: a project's directory."""

    root: Path
    given: Given = Given()
    ctx: Context | None = None
    """Without it the project's own wheel is not built: its folders are read."""

    @staticmethod
    def reads(_: Path) -> bool:
        """Whether a path is read so: any is."""
        return True

    def project(self, *, with_code: bool = True) -> Project:
        """Read it (an ``Input``)."""
        if self.ctx is not None:
            self._report_indexes(self.ctx)
            if made := own_wheel.project(self.root, self.given, self.ctx):
                return made
        return read(self.root, with_code=with_code, given=self.given)

    def _report_indexes(self, ctx: Context) -> None:
        if (self.root / "pyproject.toml").exists() and (
            line := indexes.unused(own_wheel.document(self.root))
        ):
            ctx.progress.warn(line)


def read(root: Path, *, with_code: bool = True, given: Given = Given()) -> Project:  # noqa: B008
    """Read the project in *root*; without its code if only its dependencies matter.

    Files it names may also be in the current directory, if that contains the project: the
    caller has chosen that directory.

    Raises:
        ProjectError: there is no project, or its settings do not fit together.
    """
    table = own_wheel.document(root)
    here = Path.cwd().resolve()
    resolved = root.resolve()
    workspace = here if resolved.is_relative_to(here) else None
    return parse(resolved, table, with_code=with_code, workspace=workspace, given=given)


def parse(
    root: Path,
    table: Mapping[str, Any],
    *,
    with_code: bool = True,
    workspace: Path | None = None,
    given: Given = Given(),  # noqa: B008
) -> Project:
    """Make a ``Project`` of a ``pyproject.toml``'s contents; code is searched in *root*.

    Args:
        root: The project's directory, resolved.
        table: The contents.
        with_code: Whether its code must be there.
        workspace: Another directory that files it names may be in.
        given: Settings that win over its own.

    Raises:
        ProjectError: a value in it is malformed.
    """
    metadata = table.get("project")
    if not isinstance(metadata, dict) or "name" not in metadata:
        hint = "add [project] with a name, or [build-system] with the back end that knows it"
        below = sorted(file.parent for file in root.glob("*/*/pyproject.toml"))
        below += sorted(file.parent for file in root.glob("*/pyproject.toml"))
        if below:
            hint = f"name the project, as in: onebin build {below[0]}; or {hint}"
        raise ProjectError(f"{root}/pyproject.toml: no [project] table with a name", hint=hint)
    name = requirement.name(metadata["name"], where="project.name")
    tool, file = table_of(table, "tool").get("onebin", {}), f"{root}/pyproject.toml"
    options = given.over(read_options(root, tool, workspace, file))
    _require_stated(metadata, options, file)
    version = requirement.version(metadata.get("version", "0"), where="project.version")
    dependencies = requirements_of(table, metadata, options)
    names = [requirement.parse(text, where="project.dependencies").name for text in dependencies]
    places = _places(root, options, workspace)
    code = next((place for place in places if place.is_dir()), root)
    scripts, entry, fault = scripts_of(metadata), NONE, None
    try:
        entry = entry_point(file, name, options.entry_point, scripts)
        code = _code(root, places, entry, names) if with_code else root
    except ProjectError as exc:
        fault = start_fault(exc, places, dependencies)
    return Project(
        root=root,
        name=name,
        version=version,
        entry=entry,
        start_fault=fault,
        starts=tuple(scripts),
        code=code,
        dependencies=dependencies,
        options=options,
        requires_python=requires_python(metadata.get("requires-python", "")),
        description=text_of(metadata.get("description", ""), "project.description"),
        license=_license(metadata.get("license", "")),
        source_url=_source_url(table_of(metadata, "urls", "project.")),
        metadata=core_metadata.metadata(metadata, version),
        entry_points=core_metadata.entry_points(metadata),
    )


def _require_stated(metadata: Mapping[str, Any], options: Options, file: str) -> None:
    """Refuse a project of which the requirements are known to a back end alone, which does not run.

    Raises:
        ProjectError: it is one.
    """
    needed = ("dependencies", *(("optional-dependencies",) if options.extras else ()))
    if missing := [field for field in needed if field in dynamic(metadata)]:
        raise ProjectError(
            f"{file}: project.dynamic has {missing[0]}, and no back end runs to state them",
            hint=f"state project.{missing[0]}; or name the back end in [build-system], without "
            "tool.onebin.source",
        )


def _places(root: Path, options: Options, workspace: Path | None) -> list[Path]:
    """Return the folders that may have the code, the first choice first."""
    places = [options.source] if options.source else ["src", "."]
    return [
        files.inside(root, place, where="tool.onebin.source", also=workspace) for place in places
    ]


def _code(root: Path, places: Sequence[Path], entry: EntryPoint, names: Iterable[str]) -> Path:
    """Return where the code is; a start may also be in a dependency, one of *names*."""
    top = entry.module.partition(".")[0]
    for folder in places:
        if (folder / top).is_dir() or (folder / f"{top}.py").is_file():
            return folder
    depends = {canonicalize_name(name) for name in names}
    if canonicalize_name(top) in depends:  # as gunicorn's own command
        return next((folder for folder in places if folder.is_dir()), root)
    searched = " and ".join(map(str, places))
    raise ProjectError(
        f"{top}: the entry point's package is not in {searched}",
        hint="set tool.onebin.source to the directory that holds it, or start a dependency: then "
        "the package has its name",
    )


def _license(value: object) -> str:
    # PEP 639 writes a string; the older table form has a text or a file, not a name.
    return text_of(value, "project.license") if isinstance(value, str) else ""


def _source_url(urls: Mapping[str, Any]) -> str:
    by_label = {label.lower(): url for label, url in urls.items()}
    for label in ("source", "repository", "source code", "homepage"):
        if label in by_label:
            return text_of(by_label[label], "project.urls")
    return ""
