"""What ``pyproject.toml`` may say, and what is said back where it is wrong."""

from pathlib import Path
from typing import Any

import pytest

from onebin.errors import ProjectError
from onebin.model import Entry
from onebin.stages import project

PROJECTS = Path(__file__).parent.parent / "projects"


def table(**onebin: Any) -> dict[str, Any]:
    return {
        "project": {"name": "typo", "version": "1", "scripts": {"typo": "app:main"}},
        "tool": {"onebin": onebin},
    }


def test_only_script_is_the_entry_point() -> None:
    """With one script there is nothing to choose."""
    assert Entry("facts", "main") == project.read(PROJECTS / "facts").entry


def test_code_is_found_where_the_setting_says() -> None:
    """``source`` names the directory modules are imported from."""
    found = project.read(PROJECTS / "namespace")

    assert found.code == PROJECTS / "namespace" / "lib"


@pytest.mark.parametrize(
    ("name", "message", "hint"),
    [
        ("typo", "tool.onebin.exlude: no such setting", "did you mean exclude?"),
        ("two-scripts", "which program to build?", "tool.onebin.entry-point"),
        ("not-there", "no pyproject.toml there", "onebin build packages/service"),
    ],
)
def test_faults_are_named_with_the_way_out(name: str, message: str, hint: str) -> None:
    """Each faulty project gets one message that names the fault and one way out."""
    with pytest.raises(ProjectError, match=message) as caught:
        project.read(PROJECTS / name)

    assert hint in caught.value.hint


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"entry-point": "other"}, r"entry-point: other is not in \[project.scripts\]"),
        ({"entry-point": "app:1"}, "is not module:function"),
        ({"entry-point": "app"}, r"not in \[project.scripts\]"),
        ({"include": "all"}, r"tool.onebin.include"),
        ({"image": {"ports": ["http"]}}, r"tool.onebin.image.ports"),
        ({"image": {"user": "root"}}, r"tool.onebin.image.user: no such setting"),
        ({"optimize": "fast"}, "tool.onebin.optimize"),
        ({"source": "elsewhere"}, "the entry point's package is not in"),
    ],
)
def test_settings_are_checked_by_their_full_name(settings: dict[str, Any], message: str) -> None:
    """A wrong setting is an error that carries its path in the file."""
    with pytest.raises(ProjectError, match=message):
        project.parse(PROJECTS / "typo", table(**settings))


@pytest.mark.parametrize(
    ("metadata", "message"),
    [
        ({}, "no .project. table"),
        ({"name": "x", "scripts": {}}, "which program"),
        ({"name": "x", "scripts": {"x": "app"}}, "names no function"),
        ({"name": "x", "scripts": {"x": ":main"}}, "is not module:function"),
    ],
)
def test_metadata_must_name_a_program(metadata: dict[str, Any], message: str) -> None:
    """Without a name and a program there is nothing to build."""
    with pytest.raises(ProjectError, match=message):
        project.parse(PROJECTS / "typo", {"project": metadata})
