"""The requirements of a project: its own, those of its extras and of its dependency groups.

Sources: pyproject.toml specification (dependencies, optional-dependencies), PEP 735 (groups).
"""

import difflib
from collections.abc import Iterator, Mapping
from typing import Any

from packaging.utils import canonicalize_name

from onebin import requirement
from onebin.errors import ProjectError
from onebin.model import Options
from onebin.requirement import shown


def requirements_of(
    table: Mapping[str, Any], metadata: Mapping[str, Any], options: Options
) -> tuple[str, ...]:
    """Return the requirements as written, each of which can be read (PEP 508).

    Those with an address are refused where it is known whether their markers hold.

    Args:
        table: A ``pyproject.toml``.
        metadata: Its ``[project]``.
        options: The extras and groups that are wanted.

    Raises:
        ProjectError: one is malformed; there is no such extra or group.
    """
    own = _list(metadata.get("dependencies", []), "project.dependencies")
    extras = _named(metadata.get("optional-dependencies", {}), "project.optional-dependencies")
    groups = _named(table.get("dependency-groups", {}), "dependency-groups")
    name = canonicalize_name(str(metadata.get("name", "")))
    found = dict.fromkeys(own)
    for extra in options.extras:
        found |= dict.fromkeys(_extra(extra, extras, name, ()))
    for group in options.groups:
        # The members of poetry's own groups are in its lock.
        if canonicalize_name(group) in groups or group not in _poetry_groups(table):
            found |= dict.fromkeys(_group(group, groups, ()))
    return tuple(found)


def _poetry_groups(table: Mapping[str, Any]) -> Mapping[str, object]:
    found: object = table
    for key in ("tool", "poetry", "group"):
        found = found.get(key) if isinstance(found, dict) else None
    return found if isinstance(found, dict) else {}


def _extra(
    extra: str, extras: Mapping[str, object], name: str, above: tuple[str, ...]
) -> Iterator[str]:
    """Yield the requirements of *extra*; one may name others: ``app[a,b]``."""
    where = "project.optional-dependencies"
    for text in _list(_known(extra, extras, where, "extras"), f"{where}.{extra}"):
        item = requirement.parse(text, where=where)
        if canonicalize_name(item.name) != name or not item.extras:
            yield text
            continue
        for inner in item.extras:
            if inner not in above:
                yield from _extra(inner, extras, name, (*above, extra))


def _group(group: str, groups: Mapping[str, object], above: tuple[str, ...]) -> Iterator[str]:
    """Yield the requirements of *group* and of those it includes (PEP 735)."""
    value = _known(group, groups, "dependency-groups", "groups")
    where = f"dependency-groups.{group}"
    if canonicalize_name(group) in above:
        raise ProjectError(f"{where}: includes itself: {' -> '.join((*above, group))}")
    if not isinstance(value, list):
        raise ProjectError(f"{where}: {shown(value)} is not a list")
    for item in value:
        if isinstance(item, dict) and set(item) == {"include-group"}:
            inner = item["include-group"]
            if not isinstance(inner, str):
                raise ProjectError(f"{where}: {shown(item)} names no group")
            yield from _group(inner, groups, (*above, canonicalize_name(group)))
        else:
            yield from _list([item], where)


def _known(name: str, table: Mapping[str, object], where: str, key: str) -> object:
    normal = canonicalize_name(name)
    if normal not in table:
        near = difflib.get_close_matches(normal, table, n=1)
        known = f"known are {', '.join(sorted(table))}" if table else "it has none"
        raise ProjectError(
            f"tool.onebin.{key}: {shown(name)} is not in {where}",
            hint=f"did you mean {near[0]}?" if near else known,
        )
    return table[normal]


def _named(value: object, where: str) -> dict[str, object]:
    if not isinstance(value, dict):
        raise ProjectError(f"{where}: {shown(value)} is not a table")
    return {canonicalize_name(key): item for key, item in value.items()}


def _list(value: object, where: str) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise ProjectError(f"{where}: {shown(value)} is not a list")
    for text in value:
        requirement.parse(text, where=where)
    return tuple(value)
