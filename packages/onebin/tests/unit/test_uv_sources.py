"""A dependency that uv takes from elsewhere is never chosen from an index."""

from pathlib import Path

import pytest

from onebin import inputs
from onebin.errors import ObstaclesError, ProjectError
from onebin.inputs import Given, directory
from onebin.locks import uv_sources

from .fakes import context

PROJECT = """
[project]
name = "app"
scripts = { app = "app:main" }
dependencies = ["Acme_Core>=1", "starlette"]
"""


def check(root: Path, text: str, top: str = "", *, lock: str = "") -> None:
    """Check a project with *text*, in a folder below a workspace with *top*."""
    (root / "packages/app").mkdir(parents=True)
    (root / "pyproject.toml").write_text(top)
    (root / "packages/app/app.py").touch()
    settings = f'[tool.onebin]\nlock = "{lock}"\n' if lock else ""
    (root / "packages/app/pyproject.toml").write_text(f"{PROJECT}{settings}{text}")
    uv_sources.require_none(directory.read(root / "packages/app"))


TOP = '[tool.uv.workspace]\nmembers = ["packages/*"]\n'


@pytest.mark.claim("no stranger's package")
@pytest.mark.parametrize(
    ("source", "kind"),
    [
        ("{ workspace = true }", "workspace"),
        ('{ path = "../core", editable = true }', "path"),
        ('{ git = "https://forge.example/core", tag = "v1" }', "git"),
        ('{ url = "https://forge.example/core.tar.gz" }', "url"),
        ("""[{ index = "own", marker = "python_version<'3'" }, { path = "../core" }]""", "path"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("name", ["acme-core", "Acme.Core"])
@pytest.mark.parametrize("is_of_top", [True, False])
def test_source_elsewhere(
    source: str, kind: str, name: str, tmp_path: Path, *, is_of_top: bool
) -> None:
    table = f'[tool.uv.sources]\n"{name}" = {source}\n'
    with pytest.raises(ProjectError, match=f"acme-core: its {kind} in tool.uv.sources"):
        check(tmp_path, "" if is_of_top else table, TOP + table if is_of_top else "")


@pytest.mark.parametrize(
    ("text", "top"),
    [
        ("", ""),
        ('[tool.uv.sources]\nother = { path = "../core" }\n', ""),
        ('[tool.uv.sources]\nacme-core = { index = "own" }\n', ""),
        ("[tool.uv.sources]\nacme-core = { workspace = false }\n", ""),
        ("[tool.uv]\nsources = 3\n", ""),
        ("[tool]\nuv = []\n", ""),
        # Above is another project, no workspace.
        ("", '[tool.uv.sources]\nacme-core = { path = "core" }\n'),
        ("", "not TOML"),
        # A member's own source wins.
        ('[tool.uv.sources]\nacme-core = { index = "own" }\n',
         f"{TOP}[tool.uv.sources]\nacme-core = {{ workspace = true }}\n"),
    ],
)  # fmt: skip
def test_source_is_an_index(text: str, top: str, tmp_path: Path) -> None:
    check(tmp_path, text, top)


SCRIPT = """# /// script
# dependencies = ["Acme_Core>=1", "starlette"]
# [tool.uv.sources]
# {}
# ///
"""


@pytest.mark.claim("no stranger's package")
@pytest.mark.parametrize(
    ("source", "kind"),
    [
        ('acme-core = { path = "../core" }', "path"),
        ('"Acme.Core" = { git = "https://forge.example/core" }', "git"),
        ('Acme_Core = [{ index = "own" }, { url = "https://forge.example/c.whl" }]', "url"),
        ('acme-core = { index = "own" }', ""),
        ('other = { path = "../core" }', ""),
        ("", ""),
    ],
)
@pytest.mark.parametrize("lock", ["", "task.py.onebin.lock", "other.txt"])
def test_script(source: str, kind: str, lock: str, tmp_path: Path) -> None:
    """Its own table counts, whatever its lock is called; uv reads no project beside it for it."""
    (tmp_path / "pyproject.toml").write_text("[tool.uv.sources]\nstarlette = { path = 'x' }\n")
    (tmp_path / "task.py").write_text(SCRIPT.format(source))
    given = Given(lock=tmp_path / lock if lock else None)
    read = inputs.find(tmp_path / "task.py", given, context(tmp_path / "cache")).project()

    if not kind:
        uv_sources.require_none(read)
        return
    with pytest.raises(ProjectError, match=f"acme-core: its {kind} in tool.uv.sources") as caught:
        uv_sources.require_none(read)
    assert "uv lock --script" in caught.value.hint


def test_several(tmp_path: Path) -> None:
    table = '[tool.uv.sources]\nacme-core = { workspace = true }\nstarlette = { path = "x" }\n'
    with pytest.raises(ObstaclesError) as caught:
        check(tmp_path, table)
    assert ["acme-core", "starlette"] == [
        str(error).partition(":")[0] for error in caught.value.faults
    ]
