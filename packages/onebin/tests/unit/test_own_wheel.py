"""A project whose back end decides: its own wheel, made again when a file changes."""

import json
from pathlib import Path

import pytest

from onebin import inputs, requirement
from onebin.effects.process import run
from onebin.errors import OnebinError, ProjectError, ToolError
from onebin.inputs import Given, own_wheel
from onebin.model import target_environment

from .fakes import context

LINUX = target_environment("x86_64")

BACK_END = """
import json, os, sys, zipfile

def build_wheel(out, settings=None, metadata=None):
    with open("seen.json", "w") as file:
        json.dump(dict(os.environ), file)
    name = "made-7-py3-none-any.whl"
    with zipfile.ZipFile(os.path.join(out, name), "w") as archive:
        archive.writestr("made/__init__.py", "def main(): return 0")
        archive.writestr("made/cli.py", "def main(): return 0")
        archive.writestr("made/seen.json", open("seen.json").read())
        archive.writestr("made-7.dist-info/METADATA", METADATA)
        archive.writestr("made-7.dist-info/entry_points.txt", POINTS)
        archive.writestr("made-7.dist-info/WHEEL", "Wheel-Version: 1.0\\nTag: py3-none-any\\n")
    return name
"""
METADATA = (
    "Metadata-Version: 2.1\nName: made\nVersion: 7\nProvides-Extra: net\n"
    'Requires-Dist: plain>=1\nRequires-Dist: net-only; extra == "net"\n'
    'Requires-Dist: not-net; extra != "net"\n'
)
POINTS = "[console_scripts]\nfirst = made:main\nsecond = made.cli:main [net]\n[other]\nx = y:z\n"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project whose back end is its own, so that nothing is fetched."""
    root = tmp_path / "project"
    root.mkdir()
    (root / "pyproject.toml").write_text(
        '[build-system]\nrequires = []\nbuild-backend = "own"\nbackend-path = ["."]\n'
        '[project]\nname = "made"\ndynamic = ["version"]\n[tool.onebin]\nlock = "a.lock"\n'
    )
    (root / "own.py").write_text(f"METADATA = {METADATA!r}\nPOINTS = {POINTS!r}\n{BACK_END}")
    return root


def test_own_wheel_decides(project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its metadata, scripts and code are the project; the back end sees no password of an index."""
    monkeypatch.setenv("PIP_INDEX_URL", "https://user:secret@index.invalid")
    before = sorted(project.iterdir())

    read = inputs.find(
        project, Given(entry_point="second", extras=("net",)), context(tmp_path / "cache", run)
    ).project()

    assert ("made", "7", "made.cli", "main") == (
        read.name, read.version, read.entry.module, read.entry.function,
    )  # fmt: skip
    assert project == read.root
    assert "a.lock" == read.options.lock
    wanted = requirement.wanted(read.dependencies, LINUX, where="x")
    assert ["plain", "net-only"] == [item.name for item in wanted]
    seen = json.loads((read.code / "made/seen.json").read_text())
    assert "PIP_INDEX_URL" not in seen
    assert before == sorted(project.iterdir())


def test_own_wheel_is_made_again_when_a_file_changes(project: Path, tmp_path: Path) -> None:
    """The wheel is that of the project's files; the same files take it from the cache."""
    calls: list[str] = []

    def counted(argv: list[str], **options: object) -> bytes:
        calls.append(str(argv[4]))
        return run(argv, **options)  # type: ignore[arg-type]

    ctx = context(tmp_path / "cache", counted)  # type: ignore[arg-type]
    chosen = Given(entry_point="first")
    version = ""
    for text in (None, None, METADATA.replace("7", "8")):
        if text:
            own = (project / "own.py").read_text()
            (project / "own.py").write_text(own.replace(repr(METADATA), repr(text)))
        version = inputs.find(project, chosen, ctx).project().version

    assert "8" == version
    assert ["requires", "wheel"] * 2 == calls


def test_project_in_a_repository(project: Path, tmp_path: Path) -> None:
    """A back end that reads above the project finds the repository."""
    (tmp_path / ".git").mkdir()
    (tmp_path / "VERSION").write_text("11")
    own = (project / "own.py").read_text().replace("Version: 7", "Version: {}")
    own += "\nMETADATA = METADATA.format(open('../VERSION').read())\n"
    (project / "own.py").write_text(own)
    with (project / "pyproject.toml").open("a") as file:
        file.write('[tool.own]\nroot = ".."\n')

    read = inputs.find(
        project, Given(entry_point="first"), context(tmp_path / ".venv", run)
    ).project()

    assert ("11", project) == (read.version, read.root)


@pytest.mark.parametrize(
    ("here", "setting", "version"),
    [
        (".", 'root = "../shared/VERSION"', "12"),
        ("..", 'root = "../shared/VERSION"', "12"),
        ("project", 'root = "../shared/VERSION"', ""),
        ("shared", 'root = "../shared/VERSION"', ""),
        # Not a path, or not there.
        (".", 'root = "see ...", text = "a../shared/VERSION"', ""),
        (".", 'root = "../gone/VERSION"', ""),
    ],
)
def test_named_paths_above_without_a_repository(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    here: str, setting: str, version: str,
) -> None:  # fmt: skip
    """As in an archive, or a container without .git: it comes from the current directory."""
    (tmp_path / "shared").mkdir()
    (tmp_path / "shared" / "VERSION").write_text("12")
    monkeypatch.chdir((tmp_path / here).resolve())
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "key").write_text("of a person")
    own = (project / "own.py").read_text().replace("Version: 7", "Version: {}")
    own += "\nMETADATA = METADATA.format(open('../shared/VERSION').read())\n"
    own += "import os\nassert sorted(os.listdir('..')) == ['project', 'shared'], os.listdir('..')\n"
    (project / "own.py").write_text(own)
    with (project / "pyproject.toml").open("a") as file:
        file.write(f"[tool.own]\n{setting.replace(', ', chr(10))}\n")
    found = inputs.find(project, Given(entry_point="first"), context(tmp_path / ".venv", run))

    if version:
        assert version == found.project().version
        return
    with pytest.raises(ToolError) as caught:
        found.project()
    is_named = setting.startswith('root = "../')
    assert ("its settings name '../" in caught.value.hint) is is_named


@pytest.mark.parametrize(
    ("settings", "parts"),
    [
        ("a = '../shared/VERSION'", ["project", "shared/VERSION"]),
        ("a = '../shared'\nb = '../README'", ["project", "README", "shared"]),
        ("a = '../project/x'", []),
        ("a = '../../gone'", []),
        # A person's, if the current directory is a home.
        ("a = '../shared/../.ssh/id'", []),
        ("a = '../.ssh/id'", []),
        ("a = '../../shared'", []),
        # The folder around the project itself.
        ("a = '../shared/..'", []),
    ],
)
def test_parts_of_a_folder_that_settings_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings: str, parts: list[str]
) -> None:
    for name in ("project/x", "shared/VERSION", "README", ".ssh/id"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("x")
    root = tmp_path / "project"
    (root / "pyproject.toml").write_text(settings)
    monkeypatch.chdir(tmp_path)

    top, found = own_wheel.needed(root)

    assert parts == [str(path.relative_to(tmp_path)) for path in found]
    assert (tmp_path if parts else root) == top


@pytest.mark.parametrize("is_repository", [True, False])
def test_link_out_of_the_project(project: Path, tmp_path: Path, *, is_repository: bool) -> None:
    """A back end finds what several projects of a repository share by a link, and no other."""
    (tmp_path / "shared").mkdir()
    (tmp_path / "shared" / "VERSION").write_text("12")
    (project / "common").symlink_to("../shared")
    (project / "nowhere").symlink_to("../gone")
    (project / "itself").symlink_to("itself")
    if is_repository:
        (tmp_path / ".git").mkdir()
    own = (project / "own.py").read_text().replace("Version: 7", "Version: {}")
    own += "\nfile = pathlib.Path('common/VERSION')\n"
    own += "METADATA = METADATA.format(file.read_text() if file.exists() else 'none')\n"
    (project / "own.py").write_text(f"import pathlib\n{own}")

    found = inputs.find(project, Given(entry_point="first"), context(tmp_path / ".venv", run))
    if is_repository:
        assert "12" == found.project().version
    else:
        with pytest.raises(ProjectError, match="version"):
            found.project()


@pytest.mark.parametrize("is_absolute", [True, False])
def test_link_that_the_build_reads(project: Path, tmp_path: Path, *, is_absolute: bool) -> None:
    """By an absolute path it is there, and a change is noticed; else it is named."""
    (tmp_path / "VERSION").write_text("12")
    (project / "common").symlink_to(tmp_path / "VERSION" if is_absolute else "../VERSION")
    own = (project / "own.py").read_text().replace("Version: 7", "Version: {}")
    own += "\nMETADATA = METADATA.format(pathlib.Path('common').read_text())\n"
    (project / "own.py").write_text(f"import pathlib\n{own}")
    found = inputs.find(project, Given(entry_point="first"), context(tmp_path / ".venv", run))

    if not is_absolute:
        with pytest.raises(ToolError) as caught:
            found.project()
        assert caught.value.hint.startswith("common is a link to '../VERSION', which is not in")
        return
    assert "12" == found.project().version
    (tmp_path / "VERSION").write_text("13")
    assert "13" == found.project().version


COMPILES = """
import os, subprocess

def build_wheel(out, settings=None, metadata=None):
    subprocess.run(["cc", "-c", "x.c"], check=CHECK)
    return make_wheel(out)
"""
STATES = """
def prepare_metadata_for_build_wheel(out, settings=None):
    folder = os.path.join(out, "made-7.dist-info")
    os.mkdir(folder)
    for name, text in (("METADATA", METADATA), ("entry_points.txt", POINTS)):
        with open(os.path.join(folder, name), "w") as file:
            file.write(text)
    return "made-7.dist-info"
"""


@pytest.mark.parametrize("check", [True, False])
def test_project_that_starts_a_compiler_is_a_distribution(
    project: Path, tmp_path: Path, *, check: bool
) -> None:
    """None of this machine runs; C code that may be absent is not lost without a word."""
    own = (project / "own.py").read_text().replace("def build_wheel(", "def make_wheel(")
    text = COMPILES.replace("CHECK", str(check))
    chosen, ctx = Given(entry_point="first"), context(tmp_path / "cache", run)
    (project / "own.py").write_text(own + text)

    with pytest.raises(ProjectError, match="has C code, and its back end states no metadata"):
        inputs.find(project, chosen, ctx).project()
    (project / "own.py").write_text(own + text + STATES)
    read = inputs.find(project, chosen, ctx).project()

    assert ("made", "7", "made", True) == (
        read.name, read.version, read.entry.module, read.is_distribution,
    )  # fmt: skip
    assert read.origin is not None
    assert (str(project), "directory") == (read.origin.address, read.origin.kind)


FAILURES = {
    "raise ValueError('why')": (ToolError, "own makes no wheel", "pip wheel"),
    "raise LookupError('setuptools-scm was unable to detect version for /tmp/x.')": (
        ToolError, "own makes no wheel", "fallback_version",
    ),
    "raise ValueError('Cannot find the version from SCM or SCM isn\\'t detected.')": (
        ToolError, "own makes no wheel", "fallback_version",
    ),
    "raise ValueError('No file/folder found for package site-app')": (
        ToolError, "own makes no wheel", 'tool.onebin.source = "."',
    ),
    "raise ValueError('Multiple top-level packages discovered in a flat-layout: [...].')": (
        ToolError, "own makes no wheel", 'tool.onebin.source = "."',
    ),
    "import versioneer_of_old": (
        ToolError, "own makes no wheel", "versioneer_of_old: name the distribution",
    ),
    "raise ValueError('{0} No module named \\'{x}')": (ToolError, "makes no wheel", "pip wheel"),
    "def build_wheel(*_): return '../x.whl'": (ProjectError, "expected a wheel", ""),
    "def build_wheel(*_): return 'x'": (ProjectError, "expected a wheel", ""),
    "def build_wheel(*_): return 'two words-1-py3-none-any.whl'": (
        ProjectError, "'two words-1-py3-none-any.whl', which is not a wheel's name", "letters",
    ),
    "def get_requires_for_build_wheel(_): return ['x @ https://h.invalid/x.whl']": (
        ProjectError, "has an address", "",
    ),
    "def get_requires_for_build_wheel(_): return ['-r /etc/passwd']": (
        ProjectError, "is not a requirement", "no paths, options or files",
    ),
    "def get_requires_for_build_wheel(_): return ['x>=2.*']": (
        ProjectError, "is not a requirement: .* suffix can only be used", "PEP 508",
    ),
}  # fmt: skip


@pytest.mark.parametrize("text", ["3", '"version"', "[[]]"])
def test_dynamic_is_a_list_of_fields(tmp_path: Path, text: str) -> None:
    """Another value is named before a back end runs."""
    (tmp_path / "pyproject.toml").write_text(
        f'[build-system]\nrequires = []\n[project]\nname = "made"\ndynamic = {text}\n'
    )

    with pytest.raises(ProjectError, match=r"project\.dynamic: .* is not a list of fields"):
        inputs.find(tmp_path, ctx=context(tmp_path / "cache", run)).project()


@pytest.mark.parametrize("text", FAILURES)
def test_failing_back_end(project: Path, tmp_path: Path, text: str) -> None:
    """What a back end does wrong is named, with the project."""
    (project / "own.py").write_text(text)
    kind, message, hint = FAILURES[text]

    with pytest.raises(kind, match=message) as caught:
        inputs.find(project, ctx=context(tmp_path / "cache", run)).project()

    assert "project" in str(caught.value)
    assert isinstance(caught.value, OnebinError)
    assert hint in caught.value.hint
