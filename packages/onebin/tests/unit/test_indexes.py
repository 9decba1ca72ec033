"""Indexes that a project names for other tools: said, never contacted by its word."""

import io
from pathlib import Path

import pytest

from onebin.inputs import find
from onebin.inputs.given import Given

from .fakes import context


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ("", ""),
        ('[[tool.uv.index]]\nname = "corp"\nurl = "https://u:secret@h.invalid/"\n', "uv.index"),
        ('[[tool.poetry.source]]\nname = "corp"\nurl = "https://h.invalid"\n', "poetry.source"),
        ('[[tool.pdm.source]]\nname = "corp"\nurl = "https://h.invalid"\n', "pdm.source"),
        ('[tool.uv]\nextra-index-url = ["https://h.invalid"]\n', "uv.extra-index-url"),
        ("[tool.uv]\nindex = 1\n[tool]\npoetry = 1\n".replace("[tool]\n", ""), ""),
        ('[[tool.poetry.source]]\nname = "corp"\npriority = "primary"\n', ""),
        ('[tool.uv.sources]\nx = { index = "corp" }\n', "uv.sources 'x', index 'corp'"),
        ('[tool.uv.sources]\nx = [1, { index = "corp" }]\ny = 2\n', "uv.sources 'x'"),
        ("[tool.uv]\nsources = 1\n", ""),
    ],
)
@pytest.mark.parametrize("of_script", [True, False])
def test_line(tmp_path: Path, settings: str, named: str, *, of_script: bool) -> None:
    """One line names the setting and where the caller names an index; no password is in it."""
    (tmp_path / "app.py").write_text("def main(): ...\n")
    (tmp_path / "pyproject.toml").write_text(
        f'[project]\nname = "app"\n[tool.onebin]\nentry-point = "app:main"\n{settings}'
    )
    log = io.StringIO()

    where = tmp_path
    if of_script:
        where = tmp_path / "script.py"
        block = "".join(f"# {line}\n" for line in settings.splitlines())
        where.write_text(f"# /// script\n{block}# ///\n" if block else "")

    find(where, Given(), context(tmp_path / "cache", stream=log)).project()

    assert (f"{where.name}: " in log.getvalue()) is bool(named and of_script)
    assert (f"tool.{named}" in log.getvalue()) is bool(named)
    assert ("PIP_EXTRA_INDEX_URL" in log.getvalue()) is bool(named)
    assert "secret" not in log.getvalue()
