"""Values of a ``pyproject.toml``: texts, tables and dotted names, each by its own grammar."""

import keyword
import unicodedata
from collections.abc import Mapping
from typing import Any, Final

from packaging.specifiers import InvalidSpecifier, SpecifierSet

from onebin.errors import ProjectError
from onebin.requirement import shown

MAX_TEXT: Final = 10_000
"""Characters of a description, a license, a label: an index cuts a description at 512."""


def as_table(value: object) -> dict[str, Any]:
    """Return *value* if it is a table, else an empty one: of settings that are not onebin's."""
    return value if isinstance(value, dict) else {}


def table_of(table: Mapping[str, Any], key: str, above: str = "") -> Mapping[str, Any]:
    """Return the table *key*; *above* is its place, with a dot.

    Raises:
        ProjectError: it is another value.
    """
    found = table.get(key, {})
    if not isinstance(found, dict):
        raise ProjectError(f"{above}{key}: {shown(found)} is not a table")
    return found


def dynamic(metadata: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the fields of ``[project]`` that its back end states.

    Raises:
        ProjectError: it is not a list of names.
    """
    fields = metadata.get("dynamic", [])
    if not isinstance(fields, list) or not all(isinstance(field, str) for field in fields):
        raise ProjectError(f"project.dynamic: {shown(fields)} is not a list of fields")
    return tuple(fields)


def text_of(value: object, where: str) -> str:
    """Return *value*, which is a text.

    Raises:
        ProjectError: it is not, or too long.
    """
    if not isinstance(value, str) or len(value) > MAX_TEXT or "\0" in value:
        raise ProjectError(f"{where}: {shown(value)} is not a text of up to {MAX_TEXT} characters")
    return value


def is_dotted(name: str) -> bool:
    """Whether *name* is a dotted name in Python's grammar, of a module or an attribute.

    Python reads look-alikes (``ﬁ`` for ``fi``) as one name and opens another file.
    """
    return len(name) <= 255 and all(  # noqa: PLR2004  (a file name's limit)
        part.isidentifier()
        and not keyword.iskeyword(part)
        and unicodedata.normalize("NFKC", part) == part
        for part in name.split(".")
    )


def requires_python(value: object) -> str:
    """Return ``requires-python``, which is a version specifier (PEP 440).

    Raises:
        ProjectError: it is not.
    """
    text = text_of(value, "project.requires-python")
    try:
        SpecifierSet(text)
    except InvalidSpecifier as exc:
        raise ProjectError(
            f"project.requires-python: {shown(text)} is not a version specifier",
            hint='as in requires-python = ">=3.12"',
        ) from exc
    return text
