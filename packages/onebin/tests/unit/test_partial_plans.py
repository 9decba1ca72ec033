"""Plans where a dependency has no version: all other faults are reported with it."""

import hashlib
import json
from pathlib import Path

import pytest

from onebin import cli
from onebin.locks import requirements

from .conftest import Put

REPORTED = {
    "gone": "gone: no version of it is for Python",
    "high>=2": "high>=2: no version of it is for Python",
    "apart": "what these need excludes each other",
    "above": "gone (from above): no version of it is for Python",
    "higher": "project.dependencies: higher and near: what these need excludes each other",
    "bound": "bound 1: neither a pure-Python wheel nor a source distribution",
    "tkinter": "app.py:1: imports tkinter",
    "unlisted": "app.py:1: imports unlisted",
}
"""The start of each report."""


@pytest.fixture
def project(put_wheel: Put, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project, and an index where one needs another version, one a missing distribution."""
    put_wheel("near")
    put_wheel("near", version="2")
    put_wheel("high")
    put_wheel("apart", "near>1")
    put_wheel("above", "gone")
    put_wheel("higher", "near>=5")
    put_wheel("bound", tag="cp314-cp314-manylinux_2_17_x86_64")
    put_wheel("onto", "bound ; extra == 'more'", "unheard ; python_version < '3'", "near")
    put_wheel("farther", "onto[more]")
    monkeypatch.setenv("ONEBIN_CACHE", str(tmp_path / "cache"))
    root = tmp_path / "project"
    root.mkdir()
    return root


@pytest.mark.parametrize(
    ("dependencies", "imports", "reported", "comes"),
    [
        (["near"], "near", [], ["near"]),
        (["gone"], "near", ["gone"], []),
        (["gone", "near"], "near", ["gone"], ["near"]),
        (["gone", "near", "high>=2"], "near", ["gone", "high>=2"], ["near"]),
        (["near", "gone"], "tkinter", ["gone", "tkinter"], ["near"]),
        # It may be a module of the missing one.
        (["near", "gone"], "unlisted", ["gone"], ["near"]),
        (["near"], "unlisted", ["unlisted"], ["near"]),
        # Several exclude each other: none of these is decided.
        (["near==1", "apart"], "tkinter", ["apart", "tkinter"], []),
        (["near", "above"], "tkinter", ["above", "tkinter"], ["near"]),
        (["near", "gone", "above"], "near", ["gone", "above"], ["near"]),
        (["near", "higher", "high"], "tkinter", ["higher", "tkinter"], ["high"]),
        (["near==1", "apart", "gone"], "tkinter", ["gone", "apart", "tkinter"], []),
        # Without a file that fits: what needs it comes all the same.
        (["near", "bound"], "near", ["bound"], ["near"]),
        (["farther", "gone"], "tkinter", ["gone", "bound", "tkinter"], ["farther", "near", "onto"]),
        (["gone", "Gone ; python_version > '3'", "near"], "near", ["gone"], ["near"]),
    ],
    ids=lambda item: " ".join(item) if isinstance(item, list) else item,
)
def test_everything_is_reported_at_once(
    project: Path, capsys: pytest.CaptureFixture[str],
    dependencies: list[str], imports: str, reported: list[str], comes: list[str],
) -> None:  # fmt: skip
    """Each fault once, with what the other dependencies come as; the project stays as it is."""
    (project / "app.py").write_text(f"import {imports}\ndef main(): ...\n")
    (project / "pyproject.toml").write_text(
        '[project]\nname = "app"\nversion = "2"\nscripts = { app = "app:main" }\n'
        f"dependencies = {json.dumps(dependencies)}\n"
    )

    status = cli.main(["plan", "--json", str(project)])

    found = json.loads(capsys.readouterr().out)
    reasons = [item["reason"] for item in found["obstacles"]]
    assert len(reported) == len(reasons), reasons
    for reason, name in zip(reasons, reported, strict=True):
        assert REPORTED[name] in reason
    assert comes == [item["name"] for item in found["distributions"]]
    assert (2 if reported else 0) == status
    assert {"app.py", "pyproject.toml"} == {file.name for file in project.iterdir()}


@pytest.mark.parametrize(
    ("start", "reported"),
    [
        ("", ["pyproject.toml: no entry point", "gone: no version"]),
        ('scripts = { a = "app:main", b = "app:main" }', ["no entry point", "gone: no version"]),
        ('scripts = { app = "app:mein" }', ["app:mein: app has no mein", "gone: no version"]),
        ('scripts = { app = "elsewhere:x" }', ["entry point's package", "gone: no version"]),
        ('scripts = { app = "app" }', ["names no function", "gone: no version"]),
    ],
)
def test_faults_of_the_start_are_among_them(
    project: Path, capsys: pytest.CaptureFixture[str], start: str, reported: list[str]
) -> None:
    """The plan is whole all the same; a build refuses before it chooses versions."""
    (project / "app.py").write_text("import near\ndef main(): ...\n")
    (project / "pyproject.toml").write_text(
        f'[project]\nname = "app"\ndependencies = ["gone", "near"]\n{start}\n'
    )

    assert cli.main(["plan", "--json", str(project)]) == 2

    found = json.loads(capsys.readouterr().out)
    reasons = [item["reason"] for item in found["obstacles"]]
    assert len(reasons) == len(reported), reasons
    assert all(text in reason for text, reason in zip(reported, reasons, strict=True)), reasons
    assert ["near"] == [item["name"] for item in found["distributions"]]
    assert cli.main(["build", str(project)]) == 2
    assert {"app.py", "pyproject.toml"} == {file.name for file in project.iterdir()}


def test_lock_names_each_that_has_no_version(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """One after the other they would take a run each; nothing is written."""
    (project / "pyproject.toml").write_text(
        '[project]\nname = "app"\nversion = "2"\nscripts = { app = "app:main" }\n'
        'dependencies = ["gone", "near", "high>=2"]\n'
    )
    (project / "app.py").write_text("def main(): ...\n")

    status = cli.main(["lock", str(project)])

    printed = capsys.readouterr().err
    assert 2 == status
    assert all(REPORTED[name] in printed for name in ("gone", "high>=2"))
    assert not (project / requirements.WRITTEN).exists()


@pytest.mark.parametrize(
    ("dependencies", "named"),
    [
        (["bound"], ""),
        (["onto[more]"], "; onto needs it"),
        (["farther"], "; farther needs it through onto"),
        (["farther", "onto[more]"], "; onto needs it"),
        (["farther", "bound"], ""),
    ],
)
@pytest.mark.parametrize("versions", ["chosen", "locked"])
def test_what_needs_an_obstacle_is_named(
    project: Path, capsys: pytest.CaptureFixture[str], shelf: Path,
    dependencies: list[str], named: str, versions: str,
) -> None:  # fmt: skip
    """The project may never have heard of it: it must change another one."""
    (project / "pyproject.toml").write_text(
        '[project]\nname = "app"\nversion = "2"\nscripts = { app = "app:main" }\n'
        f"dependencies = {json.dumps(dependencies)}\n"
    )
    (project / "app.py").write_text("def main(): ...\n")
    if versions == "locked":
        hashes = {
            file.name.split("-")[0]: hashlib.sha256(file.read_bytes()).hexdigest()
            for file in shelf.glob("*.whl")
        }
        names = ("bound", "farther", "onto")
        lines = [f"{name}==1 --hash=sha256:{hashes[name]}\n" for name in names]
        (project / requirements.WRITTEN).write_text("".join(lines))

    cli.main(["plan", "--json", str(project)])

    found = json.loads(capsys.readouterr().out)
    offered = [item for item in found["offers"] if "reason" in item]
    (obstacle,) = offered or found["obstacles"]
    assert obstacle["reason"].startswith("bound 1: ")
    assert obstacle["hint"].endswith(named)
    assert ("needs it" in obstacle["hint"]) == bool(named)
