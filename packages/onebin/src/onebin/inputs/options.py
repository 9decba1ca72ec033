"""``[tool.onebin]``: every key known, every value by the grammar of its key."""

import difflib
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import msgspec
from packaging.utils import canonicalize_name

from onebin import requirement
from onebin.effects import files
from onebin.errors import ProjectError, joined
from onebin.model import Options
from onebin.requirement import shown

from .values import is_dotted, text_of

PATTERN: Final = re.compile(r"[\w.*?\[\]!-]{1,255}")
"""Module names with the signs of fnmatch."""

VARIABLE: Final = re.compile(r"[^\x00=]{1,255}")


def read_options(root: Path, table: object, workspace: Path | None, file: str) -> Options:
    """Return the settings in *table*.

    Args:
        root: The project's directory, resolved: paths are inside it.
        table: The contents of ``[tool.onebin]``.
        workspace: Another directory that files it names may be in.
        file: Where the table is, for messages.

    Raises:
        ProjectError: a key is unknown, a value malformed.
    """
    if isinstance(table, dict):
        faults = _unknown(table, Options, "tool.onebin")
        if isinstance(image := table.get("image"), dict):
            faults += _unknown(image, Options().image.__class__, "tool.onebin.image")
        if faults:
            raise joined(faults)
    try:
        options = msgspec.convert(table, Options)
    except msgspec.ValidationError as exc:
        # msgspec ends with "… - at `$.image.ports`": the same place as the file names it.
        reason = str(exc).replace("`$", "`tool.onebin")
        raise ProjectError(f"{file}: {reason}") from exc
    return _checked(root, options, workspace)


def _checked(root: Path, options: Options, workspace: Path | None) -> Options:
    for key, path in (("lock", options.lock), ("build-lock", options.build_lock),
                      ("profile", options.profile)):  # fmt: skip
        if path:
            files.inside(root, path, where=f"tool.onebin.{key}", also=workspace)
    if options.source:
        files.inside(root, options.source, where="tool.onebin.source", also=workspace)
    _check_names(options)
    for pattern in options.include:
        if not is_dotted(pattern.removesuffix(".*")):
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


def _check_names(options: Options) -> None:
    source, pure = (
        {canonicalize_name(requirement.name(item, where=f"tool.onebin.{key}")) for item in names}
        for key, names in (("from-source", options.from_source), ("pure", options.pure))
    )
    if both := sorted(source & pure):
        raise ProjectError(
            f"tool.onebin.pure: {both[0]} is in from-source too; expected it in one of them"
        )


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
            text_of(value, f"{where}.{key}")


def _unknown(
    table: Mapping[str, Any], struct: type[msgspec.Struct], where: str
) -> list[ProjectError]:
    """Return the fault of each key that *struct* does not have, with the nearest one it has."""
    known = [field.encode_name for field in msgspec.structs.fields(struct)]
    found = []
    for key in table:
        if key not in known:
            near = difflib.get_close_matches(key.replace("_", "-"), known, n=1)
            shown_key = key if key.isprintable() else shown(key)
            found.append(
                ProjectError(
                    f"{where}.{shown_key}: no such setting",
                    hint=f"did you mean {near[0]}?" if near else f"known are {', '.join(known)}",
                )
            )
    return found
