"""Rules for versions that onebin does not obey are named, with the tool that does."""

import io
from pathlib import Path

import pytest

from onebin import inputs, pipeline
from onebin.inputs import Directory
from onebin.locks import unused

from .fakes import Programs, context, tools

PROJECT = """
[project]
name = "app"
scripts = { app = "app:main" }
dependencies = ["thing; sys_platform == 'win32'"]
"""


@pytest.mark.parametrize(
    ("table", "expected"),
    [
        ({}, ""),
        ({"tool": 7}, ""),
        ({"tool": {"uv": 7, "pdm": {"resolution": {}}}}, ""),
        ({"tool": {"uv": {"index": [], "dev-dependencies": ["x"]}}}, ""),
        ({"tool": {"uv": {"exclude-newer": "2024-01-01T00:00:00Z"}}}, "tool.uv.exclude-newer: "),
        (
            {"tool": {"uv": {"override-dependencies": ["x"], "constraint-dependencies": ["y"]}}},
            "tool.uv.constraint-dependencies, tool.uv.override-dependencies: ",
        ),
        ({"tool": {"pdm": {"resolution": {"overrides": {}}}}}, "tool.pdm.resolution: "),
    ],
)
def test_rules(table: dict[str, object], expected: str) -> None:
    """Each is named once; a tool without such a rule is not."""
    found = unused.rules(table, "pyproject.toml")

    assert found.startswith(f"pyproject.toml: {expected}") if expected else not found
    assert "pdm lock writes" in found if "pdm" in expected else "pdm" not in found


@pytest.mark.parametrize("is_script", [True, False])
@pytest.mark.parametrize("is_locked", [True, False])
def test_warning_where_versions_are_chosen(
    tmp_path: Path, *, is_script: bool, is_locked: bool
) -> None:
    """A lock obeys, so there is none beside one; requirements beside a script are not its own."""
    rule = "[tool.uv]\nexclude-newer = '2024-01-01T00:00:00Z'\n"
    (tmp_path / "requirements.txt").write_text("thing\n")
    printed = io.StringIO()
    if is_script:
        lines = "".join(f"# {line}\n" for line in rule.splitlines())
        file = tmp_path / "tool.py"
        file.write_text(f"# /// script\n{lines}# ///\n")
        if is_locked:
            (tmp_path / "tool.py.lock").touch()
        inputs.find(file, ctx=context(tmp_path / "cache", stream=printed)).project()
    else:
        (tmp_path / "pyproject.toml").write_text(PROJECT + rule)
        (tmp_path / "app.py").touch()
        if is_locked:
            (tmp_path / "uv.lock").write_text("version = 1\n")
        made = tools(tmp_path / "cache", Programs(), printed)
        pipeline.ensure_lock(Directory(tmp_path).project(), made)

    found = printed.getvalue()
    assert ("tool.uv.exclude-newer" in found) == (not is_locked)
    assert ("requirements.txt: not read" in found) == (not (is_locked or is_script))


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        ("", ""),
        ("requirements.txt", "requirements.txt: not read for versions; pip-compile "),
        ("pdm.lock requirements.txt", "pdm.lock: not read for versions; pdm export "),
        ("requirements.txt=hashed", ""),
        ("Pipfile.lock Pipfile", "Pipfile.lock: not read for versions; pipenv requirements "),
    ],
)
def test_locks_of_other_tools(names: str, expected: str, tmp_path: Path) -> None:
    """A lock that onebin does not know is named, with the command that makes one it knows."""
    for name in names.split():
        (tmp_path / name.partition("=")[0]).write_text(name.partition("=")[2])

    found = unused.versions(tmp_path, lambda name, text: name == "requirements.txt" and bool(text))

    assert found.startswith(expected) if expected else not found
