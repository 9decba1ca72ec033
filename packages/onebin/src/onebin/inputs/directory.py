"""A directory with a ``pyproject.toml`` -> Project, checked before anything else.

Its texts become file names, lines for pip, paths and code. Each is parsed here by its own
grammar, before a program is started or a file opened by it.
"""

import difflib
import keyword
import re
import tomllib
import unicodedata
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import msgspec

from onebin import requirement
from onebin.effects import files
from onebin.errors import ProjectError
from onebin.model import EntryPoint, Options, Project
from onebin.requirement import shown

from . import core_metadata
from .requirements import requirements_of

SCRIPT_TABLE: Final = "[project.scripts]"

SCRIPT: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}", re.ASCII)
"""The recommended form of a script's name (entry points specification), which is a file's."""

PATTERN: Final = re.compile(r"[\w.*?\[\]!-]{1,255}")
"""Module names with the signs of fnmatch."""

VARIABLE: Final = re.compile(r"[^\x00=]{1,255}")

MAX_TEXT: Final = 10_000
"""Characters of a description, a license, a label: an index cuts a description at 512."""


class Directory(msgspec.Struct, frozen=True):
    """Input: a project's directory."""

    root: Path

    @staticmethod
    def reads(_: Path) -> bool:
        """Whether a path is read so: any is."""
        return True

    def project(self, *, with_code: bool = True) -> Project:
        """Read it (an ``Input``)."""
        return read(self.root, with_code=with_code)


def read(root: Path, *, with_code: bool = True) -> Project:
    """Read the project in *root*; without its code if only its dependencies matter.

    Files it names may also be in the current directory, if that contains the project: the
    caller has chosen that directory.

    Raises:
        ProjectError: there is no project, or its settings do not fit together.
    """
    file = root / "pyproject.toml"
    try:
        table = tomllib.loads(files.read_text(file))
    except FileNotFoundError as exc:
        raise ProjectError(
            f"{root}: no pyproject.toml there",
            hint="name the directory of a Python project, as in: onebin build packages/service",
        ) from exc
    except OSError as exc:
        raise ProjectError(f"{file}: cannot be read: {exc.strerror}") from exc
    # Brackets nested a thousand times end in the second.
    except (ValueError, RecursionError) as exc:
        raise ProjectError(f"{file}: not TOML: {shown(str(exc))}") from exc
    here = Path.cwd().resolve()
    resolved = root.resolve()
    workspace = here if resolved.is_relative_to(here) else None
    return parse(resolved, table, with_code=with_code, workspace=workspace)


def parse(
    root: Path,
    table: Mapping[str, Any],
    *,
    with_code: bool = True,
    workspace: Path | None = None,
) -> Project:
    """Make a ``Project`` of a ``pyproject.toml``'s contents; code is searched in *root*.

    Args:
        root: The project's directory, resolved.
        table: The contents.
        with_code: Whether its code must be there.
        workspace: Another directory that files it names may be in.

    Raises:
        ProjectError: a value in it is malformed.
    """
    metadata = table.get("project")
    if not isinstance(metadata, dict) or "name" not in metadata:
        raise ProjectError(
            f"{root}/pyproject.toml: no [project] table with a name",
            hint="onebin reads the standard metadata (PEP 621); poetry's own table is not enough",
        )
    name = requirement.name(metadata["name"], where="project.name")
    options = _options(root, _table(table, "tool").get("onebin", {}), workspace)
    entry = _entry(root, name, options, _scripts(metadata))
    version = requirement.version(metadata.get("version", "0"), where="project.version")
    return Project(
        root=root,
        name=name,
        version=version,
        entry=entry,
        code=_code(root, options, entry, workspace) if with_code else root,
        dependencies=requirements_of(table, metadata, options),
        options=options,
        description=_text(metadata.get("description", ""), "project.description"),
        license=_license(metadata.get("license", "")),
        source_url=_source_url(_table(metadata, "urls", "project.")),
        metadata=core_metadata.metadata(metadata, version),
        entry_points=core_metadata.entry_points(metadata),
    )


def _table(table: Mapping[str, Any], key: str, above: str = "") -> Mapping[str, Any]:
    found = table.get(key, {})
    if not isinstance(found, dict):
        raise ProjectError(f"{above}{key}: {shown(found)} is not a table")
    return found


def _text(value: object, where: str) -> str:
    if not isinstance(value, str) or len(value) > MAX_TEXT or "\0" in value:
        raise ProjectError(f"{where}: {shown(value)} is not a text of up to {MAX_TEXT} characters")
    return value


def _scripts(metadata: Mapping[str, Any]) -> Mapping[str, str]:
    scripts = _table(metadata, "scripts", "project.")
    for name, target in scripts.items():
        if not SCRIPT.fullmatch(name) or not isinstance(target, str):
            raise ProjectError(
                f"project.scripts: {shown(name)} = {shown(target)} is not a script; expected "
                "a file's name and module:function"
            )
    return scripts


def _options(root: Path, table: object, workspace: Path | None) -> Options:
    if isinstance(table, dict):
        _refuse_unknown(table, Options, "tool.onebin")
        if isinstance(image := table.get("image"), dict):
            _refuse_unknown(image, Options().image.__class__, "tool.onebin.image")
    try:
        options = msgspec.convert(table, Options)
    except msgspec.ValidationError as exc:
        # msgspec ends with "… - at `$.image.ports`": the same place as the file names it.
        reason = str(exc).replace("`$", "`tool.onebin")
        raise ProjectError(f"{root}/pyproject.toml: {reason}") from exc
    return _checked(root, options, workspace)


def _checked(root: Path, options: Options, workspace: Path | None) -> Options:
    for key, path in (("lock", options.lock), ("build-lock", options.build_lock),
                      ("profile", options.profile)):  # fmt: skip
        if path:
            files.inside(root, path, where=f"tool.onebin.{key}", also=workspace)
    if options.source:
        files.inside(root, options.source, where="tool.onebin.source", also=workspace)
    for name in options.from_source:
        requirement.name(name, where="tool.onebin.from-source")
    for pattern in options.include:
        if not _is_dotted(pattern.removesuffix(".*")):
            raise ProjectError(
                f"tool.onebin.include: {shown(pattern)} is not a module; expected pkg.mod or pkg.*"
            )
    for pattern in options.exclude:
        if not PATTERN.fullmatch(pattern):
            raise ProjectError(f"tool.onebin.exclude: {shown(pattern)} is not a pattern of modules")
    _check_image(options)
    origin, mark, checksum = options.python_source.partition("#")
    if origin and origin != "apt" and "://" not in origin:
        place = files.inside(root, origin, where="tool.onebin.python-source", also=workspace)
        return msgspec.structs.replace(options, python_source=f"{place}{mark}{checksum}")
    return options


def _check_image(options: Options) -> None:
    image, where = options.image, "tool.onebin.image"
    for name in image.env:
        if not VARIABLE.fullmatch(name):
            raise ProjectError(f"{where}.env: {shown(name)} is not a variable's name")
    texts = {
        "env": image.env.values(),
        "labels": (*image.labels, *image.labels.values()),
        "healthcheck": image.healthcheck,
    }
    for key, values in texts.items():
        for value in values:
            _text(value, f"{where}.{key}")


def _is_dotted(name: str) -> bool:
    """Whether *name* is a dotted name in Python's grammar, of a module or an attribute.

    Python reads look-alikes (``ﬁ`` for ``fi``) as one name and opens another file.
    """
    return len(name) <= 255 and all(  # noqa: PLR2004  (a file name's limit)
        part.isidentifier()
        and not keyword.iskeyword(part)
        and unicodedata.normalize("NFKC", part) == part
        for part in name.split(".")
    )


def _refuse_unknown(table: Mapping[str, Any], struct: type[msgspec.Struct], where: str) -> None:
    known = [field.encode_name for field in msgspec.structs.fields(struct)]
    for key in table:
        if key not in known:
            near = difflib.get_close_matches(key, known, n=1)
            raise ProjectError(
                f"{where}.{key if key.isprintable() else shown(key)}: no such setting",
                hint=f"did you mean {near[0]}?" if near else f"known are {', '.join(known)}",
            )


def _entry(root: Path, name: str, options: Options, scripts: Mapping[str, str]) -> EntryPoint:
    chosen = options.entry_point
    if not chosen and len(scripts) == 1:
        chosen = next(iter(scripts))
    if not chosen and name in scripts:
        chosen = name
    if not chosen:
        raise ProjectError(
            f"{root}/pyproject.toml: no entry point",
            hint=f"set tool.onebin.entry-point to a name of {SCRIPT_TABLE} or to module:function",
        )
    target = scripts.get(chosen, chosen)
    if target is chosen and ":" not in chosen and scripts:
        raise ProjectError(
            f"tool.onebin.entry-point: {chosen if _is_dotted(chosen) else shown(chosen)} "
            f"is not in {SCRIPT_TABLE}",
            hint=f"known are {', '.join(scripts)}; or write module:function",
        )
    module, _, function = target.partition(":")
    module, function = module.strip(), function.strip()
    if not all(map(_is_dotted, [module, function] if function else [module])):
        raise ProjectError(f"entry point {shown(target)} is not module:function")
    if not function:
        raise ProjectError(
            f"entry point {shown(target)} names no function",
            hint=f"write {target}:main, and let main return the exit status",
        )
    return EntryPoint(module, function)


def _code(root: Path, options: Options, entry: EntryPoint, workspace: Path | None) -> Path:
    top = entry.module.partition(".")[0]
    places = [options.source] if options.source else ["src", "."]
    for place in places:
        folder = files.inside(root, place, where="tool.onebin.source", also=workspace)
        if (folder / top).is_dir() or (folder / f"{top}.py").is_file():
            return folder
    searched = " and ".join(str(root / place) for place in places)
    raise ProjectError(
        f"{top}: the entry point's package is not in {searched}",
        hint="set tool.onebin.source to the directory that holds it",
    )


def _license(value: object) -> str:
    # PEP 639 writes a string; the older table form has a text or a file, not a name.
    return _text(value, "project.license") if isinstance(value, str) else ""


def _source_url(urls: Mapping[str, Any]) -> str:
    by_label = {label.lower(): url for label, url in urls.items()}
    for label in ("source", "repository", "source code", "homepage"):
        if label in by_label:
            return _text(by_label[label], "project.urls")
    return ""
