"""A directory's ``pyproject.toml`` -> Project: what is to be built, checked first of all."""

import difflib
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import msgspec

from onebin.errors import ProjectError
from onebin.model import Entry, Options, Project

SCRIPT_TABLE: Final = "[project.scripts]"


def read(root: Path, *, with_code: bool = True) -> Project:
    """Read the project in *root*; without its code where only its dependencies matter.

    Raises:
        ProjectError: it is not a project, or its settings do not fit together.
    """
    file = root / "pyproject.toml"
    try:
        table = tomllib.loads(file.read_text("utf-8"))
    except FileNotFoundError as exc:
        raise ProjectError(
            f"{root}: no pyproject.toml there",
            hint="name the directory of a Python project, as in: onebin build packages/service",
        ) from exc
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as exc:
        raise ProjectError(f"{file}: not TOML: {exc}") from exc
    return parse(root.resolve(), table, with_code=with_code)


def parse(root: Path, table: Mapping[str, Any], *, with_code: bool = True) -> Project:
    """Make a ``Project`` of a ``pyproject.toml``'s contents; *root* is looked at for code."""
    metadata = table.get("project")
    if not isinstance(metadata, dict) or "name" not in metadata:
        raise ProjectError(
            f"{root}/pyproject.toml: no [project] table with a name",
            hint="onebin reads the standard metadata (PEP 621); poetry's own table is not enough",
        )
    options = _options(root, table.get("tool", {}).get("onebin", {}))
    name = metadata["name"]
    entry = _entry(root, name, options, metadata.get("scripts", {}))
    return Project(
        root=root,
        name=name,
        version=str(metadata.get("version", "0")),
        entry=entry,
        code=_code(root, options, entry) if with_code else root,
        dependencies=tuple(metadata.get("dependencies", ())),
        options=options,
        description=metadata.get("description", ""),
        licence=_licence(metadata.get("license", "")),
        source_url=_source_url(metadata.get("urls", {})),
    )


def _options(root: Path, table: object) -> Options:
    if isinstance(table, dict):
        _refuse_unknown(table, Options, "tool.onebin")
        if isinstance(image := table.get("image"), dict):
            _refuse_unknown(image, Options().image.__class__, "tool.onebin.image")
    try:
        return msgspec.convert(table, Options)
    except msgspec.ValidationError as exc:
        # msgspec says "… - at `$.image.ports`": the same place in the file's own words.
        reason = str(exc).replace("`$", "`tool.onebin")
        raise ProjectError(f"{root}/pyproject.toml: {reason}") from exc


def _refuse_unknown(table: Mapping[str, Any], struct: type[msgspec.Struct], where: str) -> None:
    known = [field.encode_name for field in msgspec.structs.fields(struct)]
    for key in table:
        if key not in known:
            near = difflib.get_close_matches(key, known, n=1)
            raise ProjectError(
                f"{where}.{key}: no such setting",
                hint=f"did you mean {near[0]}?" if near else f"known are {', '.join(known)}",
            )


def _entry(root: Path, name: str, options: Options, scripts: Mapping[str, str]) -> Entry:
    chosen = options.entry_point
    if not chosen and len(scripts) == 1:
        chosen = next(iter(scripts))
    if not chosen and name in scripts:
        chosen = name
    if not chosen:
        raise ProjectError(
            f"{root}/pyproject.toml: which program to build?",
            hint=f"set tool.onebin.entry-point to a name of {SCRIPT_TABLE} or to module:function",
        )
    target = scripts.get(chosen, chosen)
    if target is chosen and ":" not in chosen and scripts:
        raise ProjectError(
            f"tool.onebin.entry-point: {chosen} is not in {SCRIPT_TABLE}",
            hint=f"known are {', '.join(scripts)}; or write module:function",
        )
    module, _, function = target.partition(":")
    module, function = module.strip(), function.strip()
    parts = [*module.split("."), *(function.split(".") if function else [])]
    if not all(part.isidentifier() for part in parts):
        raise ProjectError(f"entry point {target!r} is not module:function")
    if not function:
        raise ProjectError(
            f"entry point {target!r} names no function",
            hint=f"write {target}:main, and let main return the exit status",
        )
    return Entry(module, function)


def _code(root: Path, options: Options, entry: Entry) -> Path:
    top = entry.module.partition(".")[0]
    places = [options.source] if options.source else ["src", "."]
    for place in places:
        folder = (root / place).resolve()
        if (folder / top).is_dir() or (folder / f"{top}.py").is_file():
            return folder
    looked = " and ".join(str(root / place) for place in places)
    raise ProjectError(
        f"{top}: the entry point's package is not in {looked}",
        hint="set tool.onebin.source to the directory that holds it",
    )


def _licence(value: object) -> str:
    # PEP 639 writes a string; the older table form has the text or a file, which is no name.
    return value if isinstance(value, str) else ""


def _source_url(urls: Mapping[str, str]) -> str:
    by_label = {label.lower(): url for label, url in urls.items()}
    for label in ("source", "repository", "source code", "homepage"):
        if label in by_label:
            return by_label[label]
    return ""
