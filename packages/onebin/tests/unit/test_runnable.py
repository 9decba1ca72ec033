"""Starts that a hint names: what runs in a folder, and the command of a dependency."""

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from onebin.errors import ProjectError
from onebin.inputs import directory, runnable
from onebin.planning import require_start

GUARD = "import sys\nif __name__ == '__main__':\n    sys.exit()\n"


def write(root: Path, files: Mapping[str, str]) -> None:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)


@pytest.mark.parametrize(
    ("files", "found"),
    [
        ({}, []),
        ({"app.py": "x = 1\n"}, []),
        ({"app.py": GUARD}, ["app"]),
        ({"app.py": 'if (__name__ == "__main__"): ...\n'}, ["app"]),
        ({"app.py": "def f():\n    if __name__ == '__main__': ...\n"}, []),
        ({"app.py": "if __name__ == '__main__\": ...\n"}, []),
        ({"tool/__main__.py": "", "a.py": GUARD}, ["tool", "a"]),
        ({"tool/cli.py": GUARD, "tool/__init__.py": "", "z.py": GUARD}, ["z", "tool.cli"]),
        ({"tool/cli.py": GUARD}, ['cli with tool.onebin.source = "tool"']),
        ({"deep/er/cli.py": GUARD}, []),
        # About the project, and no part of it.
        ({"setup.py": GUARD, "tests/x.py": GUARD, "conftest.py": GUARD, "venv/a.py": GUARD}, []),
        ({".venv/a.py": GUARD, "a-b.py": GUARD, "test_app.py": GUARD}, []),
        ({"__main__.py": ""}, []),
    ],
)
def test_what_runs(tmp_path: Path, files: Mapping[str, str], found: list[str]) -> None:
    """By its line for ``__main__``, or as a package with that module, which comes first."""
    write(tmp_path, files)

    assert [f"-m {start}" for start in found] == runnable.starts(tmp_path)


@pytest.mark.parametrize(
    ("dependencies", "found"),
    [
        (["flask"], ["flask.cli:main"]),
        (["Flask[async]>=3 ; python_version > '3'", "rich"], ["flask.cli:main"]),
        (["gunicorn==23", "flask"], ["flask.cli:main", "gunicorn.app.wsgiapp:run"]),
        (["flask-login", "# uvicorn", "", "-r gunicorn"], []),
    ],
)
def test_commands_of_dependencies(dependencies: list[str], found: list[str]) -> None:
    """Servers, whose command runs the application of another."""
    assert found == runnable.commands(dependencies)


WRITES = "uv init --bare && uv add -r requirements.txt writes [project]"


@pytest.mark.parametrize(
    ("files", "named", "not_named"),
    [
        ({}, ["as in: onebin build packages/service"], []),
        ({"a.py": ""}, ["a.py alone is built by: onebin build"], ["this code has"]),
        ({"a.py": "", "b.py": GUARD}, ["this code has -m b"], ["alone"]),
        ({"a.py": "", "requirements.txt": "Flask\n"}, [WRITES, "flask.cli:main"], ["alone"]),
        ({"a/__main__.py": "", "requirements.txt": "\udcff"}, [WRITES, "-m a"], []),
        (
            {"a.py": GUARD, "Pipfile.lock": json.dumps({"default": {"gunicorn": {}}})},
            ["pipenv requirements > requirements.txt", WRITES, "-m a", "gunicorn.app"],
            [],
        ),
        ({"a.py": "", "Pipfile.lock": "[[["}, ["pipenv requirements"], []),
        ({"a.py": "", "Pipfile.lock": "[1]"}, ["pipenv requirements"], []),
        ({"web/app.py": GUARD, "web/requirements.txt": ""}, ["onebin build ", "/web"], ["-m"]),
        ({"web/app.py": GUARD}, ['-m app with tool.onebin.source = "web"'], []),
        ({"web/app.py": GUARD, "web/__init__.py": ""}, ["-m web.app"], []),
    ],
)
def test_folder_without_settings(
    tmp_path: Path, files: Mapping[str, str], named: list[str], not_named: list[str]
) -> None:
    """What to write is as much as the folder shows."""
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(text.encode("utf-8", "surrogateescape"))

    with pytest.raises(ProjectError, match=r"no pyproject\.toml there") as caught:
        directory.read(tmp_path)

    assert all(text in caught.value.hint for text in named), caught.value.hint
    assert not any(text in caught.value.hint for text in not_named), caught.value.hint


@pytest.mark.parametrize(
    ("table", "start"),
    [
        ('scripts = { app = "a:one" }', "a:one"),
        ('gui-scripts = { app = "a:one" }', "a:one"),
        ('entry-points.console_scripts = { app = "a:one" }', "a:one"),
        ('entry-points.gui_scripts = { app = "a:one" }', "a:one"),
        ('scripts = { app = "a:one" }\nentry-points.console_scripts = { x = "a:two" }', "a:one"),
        ('scripts = { app = "a:one" }\ngui-scripts = { app = "a:two" }', "a:one"),
    ],
)
def test_every_table_of_scripts(tmp_path: Path, table: str, start: str) -> None:
    """Each that an installer makes a script of."""
    write(tmp_path, {"a.py": "", "pyproject.toml": f'[project]\nname = "app"\n{table}\n'})

    assert start == str(require_start(directory.read(tmp_path)).entry)


@pytest.mark.parametrize(
    ("files", "named"),
    [
        ({"app.py": GUARD}, "; this code has -m app"),
        ({"src/app.py": GUARD, "src/tool/__main__.py": ""}, "; this code has -m tool, -m app"),
        ({"app.py": ""}, "or to -m module; its dependencies have uvicorn.main:main"),
    ],
)
def test_missing_start_is_a_fault_beside_the_project(
    tmp_path: Path, files: Mapping[str, str], named: str
) -> None:
    """The rest is read: its dependencies, and what could be the start."""
    text = '[project]\nname = "app"\ndependencies = ["uvicorn"]\n'
    write(tmp_path, {**files, "pyproject.toml": text})

    found = directory.read(tmp_path)

    assert found.start_fault is not None
    assert "no entry point" in found.start_fault.reason
    assert named in found.start_fault.hint
    assert ("uvicorn",) == found.dependencies
