"""The trace beside a project: written, read again, and refused where it is malformed."""

import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onebin import project_files
from onebin.errors import ProjectError
from onebin.inputs import directory
from onebin.inputs.script import Script
from onebin.model import Project, Trace

from .fakes import context

TEXT = st.text(st.characters(codec="utf-8"), max_size=20)


def project_in(root: Path, text: str | None = None) -> Project:
    if text is not None:
        (root / "onebin-trace.toml").write_text(text)
    table = {"project": {"name": "app", "version": "1", "scripts": {"app": "app:main"}}}
    (root / "app.py").write_text("def main(): ...")
    return directory.parse(root, table)


@given(st.lists(TEXT).map(tuple), st.lists(TEXT).map(tuple))
def test_any_trace_is_read_as_it_was_written(
    modules: tuple[str, ...], files: tuple[str, ...]
) -> None:
    """Names of files may have any characters; TOML is the standard library's."""
    trace = Trace(modules=modules, files=files)

    found = tomllib.loads(project_files.trace_text(trace))

    assert {"modules": [*modules], "files": [*files]} == found


def test_without_a_file_nothing_was_learned(tmp_path: Path) -> None:
    assert Trace() == project_files.trace_of(project_in(tmp_path))


def test_it_is_read(tmp_path: Path) -> None:
    trace = Trace(modules=("a.b",), files=("site-packages/x/",))

    assert trace == project_files.trace_of(project_in(tmp_path, project_files.trace_text(trace)))


@pytest.mark.parametrize(
    "text",
    ["modules = 1", "modules = [1]", "module = []", "modules = [", "files = ['a'", "\x00"],
)
def test_a_malformed_one_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(ProjectError, match=r"onebin-trace\.toml") as caught:
        project_files.trace_of(project_in(tmp_path, text))
    assert "onebin build --trace" in caught.value.hint


def test_a_script_has_its_own(tmp_path: Path) -> None:
    """Beside its locks, with its name before it."""
    (tmp_path / "backup.py").write_text("# /// script\n# dependencies = []\n# ///\n")

    project = Script(tmp_path / "backup.py", ctx=context(tmp_path / "cache")).project()

    assert "backup.py.onebin-trace.toml" == project_files.trace_name(project)
