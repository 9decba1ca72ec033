"""Package indexes that a project's settings for other tools name, and that onebin does not use.

A project is read before it is trusted, so it decides neither which hosts are contacted nor which
get a password: those are the caller's settings. A warning names the ones that are left out.

Sources: settings of uv (``tool.uv.index``, its ``pip`` table), poetry and PDM (``source``).
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from onebin.requirement import shown

from .values import as_table

TABLES: Final = (("uv", "index"), ("poetry", "source"), ("pdm", "source"))
"""Arrays of tables of ``[tool]`` with an index each."""

VALUES: Final = ("index-url", "extra-index-url", "find-links")
"""Settings of uv that are addresses."""


def unused(table: Mapping[str, Any], where: str = "pyproject.toml") -> str:
    """Return a line about the indexes that the settings in *where* name; empty if none."""
    found = list(_named(table.get("tool")))
    if not found:
        return ""
    return (
        f"{where}: {', '.join(found)}: contacted only if your own settings name it: "
        "UV_INDEX, PIP_EXTRA_INDEX_URL, pip.conf"
    )


def _named(tool: Any) -> Iterator[str]:  # noqa: ANN401  (TOML)
    declared = set()
    for name, key in TABLES:
        entries = as_table(as_table(tool).get(name)).get(key)
        for entry in entries if isinstance(entries, list) else ():
            called = as_table(entry).get("name")
            declared.add(str(called))
            if as_table(entry).get("url"):
                yield f"tool.{name}.{key} {shown(called)}" if called else f"tool.{name}.{key}"
    for name, value in as_table(as_table(as_table(tool).get("uv")).get("sources")).items():
        for source in value if isinstance(value, list) else [value]:
            called = as_table(source).get("index")
            if called and str(called) not in declared:
                yield f"tool.uv.sources {shown(name)}, index {shown(called)}"
    for key in VALUES:
        if as_table(as_table(tool).get("uv")).get(key):
            yield f"tool.uv.{key}"
