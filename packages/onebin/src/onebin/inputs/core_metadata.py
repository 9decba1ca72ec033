"""The metadata that an installed project has: METADATA and entry_points.txt, as texts.

Source: core metadata specifications 2.4, entry points specification.
"""

from collections.abc import Mapping
from typing import Any


def metadata(table: Mapping[str, Any], version: str) -> str:
    """Return the ``METADATA`` of a ``[project]`` table, without the fields it lacks."""
    lines = ["Metadata-Version: 2.4", f"Name: {table['name']}", f"Version: {version}"]
    _text(lines, "Summary", table.get("description"))
    _text(lines, "Requires-Python", table.get("requires-python"))
    _text(lines, "License-Expression", table.get("license"))
    keywords = table.get("keywords")
    if isinstance(keywords, list):
        _text(lines, "Keywords", ",".join(map(str, keywords)))
    _people(lines, table)
    for classifier in _list(table, "classifiers"):
        _text(lines, "Classifier", classifier)
    urls = table.get("urls")
    for label, url in urls.items() if isinstance(urls, dict) else ():
        _text(lines, "Project-URL", f"{label}, {url}")
    for requirement in _list(table, "dependencies"):
        _text(lines, "Requires-Dist", requirement)
    extras = table.get("optional-dependencies")
    for extra, requirements in extras.items() if isinstance(extras, dict) else ():
        _text(lines, "Provides-Extra", extra)
        for requirement in requirements if isinstance(requirements, list) else ():
            start, mark, marker = str(requirement).partition(";")
            both = f"({marker.strip()}) and " if mark else ""
            _text(lines, "Requires-Dist", f'{start.strip()}; {both}extra == "{extra}"')
    return "\n".join([*lines, ""])


def entry_points(table: Mapping[str, Any]) -> str:
    """Return the ``entry_points.txt`` of a ``[project]`` table; empty if it has none."""
    groups: dict[str, Any] = {}
    for key, group in (("scripts", "console_scripts"), ("gui-scripts", "gui_scripts")):
        groups[group] = table.get(key)
    named = table.get("entry-points")
    groups |= named if isinstance(named, dict) else {}
    parts = []
    for group, points in groups.items():
        if isinstance(points, dict) and points:
            rows = "".join(f"{name} = {target}\n" for name, target in points.items())
            parts.append(f"[{group}]\n{rows}")
    return "\n".join(parts)


def _people(lines: list[str], table: Mapping[str, Any]) -> None:
    for key, people in (("Author", "authors"), ("Maintainer", "maintainers")):
        for person in _list(table, people):
            name, email = "", ""
            if isinstance(person, dict):
                name, email = person.get("name", ""), person.get("email", "")
            if email:
                _text(lines, f"{key}-email", f"{name} <{email}>" if name else email)
            else:
                _text(lines, key, name)


def _list(table: Mapping[str, Any], key: str) -> list[Any]:
    found = table.get(key)
    return found if isinstance(found, list) else []


def _text(lines: list[str], key: str, value: object) -> None:
    """Add one field; a line break would begin another."""
    if isinstance(value, str) and value:
        lines.append(f"{key}: {' '.join(value.split())}")
