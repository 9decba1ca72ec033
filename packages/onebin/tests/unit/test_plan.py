"""A plan is pure: a project and the text of its locks in, decisions out."""

from pathlib import Path

import msgspec
import pytest

from onebin.errors import ProjectError
from onebin.model import Pin, target_environment
from onebin.stages import plan as planning
from onebin.stages import project as projects

PROJECTS = Path(__file__).parent.parent / "projects"
SHA = "sha256:" + "0" * 64

LINUX = target_environment("x86_64")


@pytest.mark.parametrize(
    ("text", "pins"),
    [
        ("", ()),
        ("# a comment\n\n--no-binary :all:\n", ()),
        (f"a==1 --hash={SHA}", (Pin("a", "1", (SHA,)),)),
        (f"A_b.c==1.0 \\\n    --hash={SHA}  # via x\n", (Pin("a-b-c", "1.0", (SHA,)),)),
        (f"b==1 --hash={SHA}\na==2 --hash={SHA}", (Pin("a", "2", (SHA,)), Pin("b", "1", (SHA,)))),
        (f"w==1 ; sys_platform == 'win32' --hash={SHA}", ()),
        (f"t==1 ; python_version < '3.12' --hash={SHA}", ()),
        (f"l==1 ; sys_platform == 'linux' --hash={SHA}", (Pin("l", "1", (SHA,)),)),
    ],
)
def test_lock_lines(text: str, pins: tuple[Pin, ...]) -> None:
    """A lock is pins with hashes, and markers are those of the executable."""
    assert pins == planning.parse_lock(text, LINUX, where="lock")


@pytest.mark.parametrize(
    "text", ["a", "a>=1", f"a>=1 --hash={SHA}", "a==1", "a==1 --hash=", "!!", "a==1,==2"]
)
def test_lock_that_pins_nothing_is_refused(text: str) -> None:
    """A line without one version and a hash could be anything tomorrow."""
    with pytest.raises(ProjectError):
        planning.parse_lock(text, LINUX, where="lock")


def test_lock_must_have_what_the_project_asks_for() -> None:
    """A dependency the lock lacks, or has at another version, is named."""
    project = projects.read(PROJECTS / "no-lock-entry")

    with pytest.raises(ProjectError, match="markupsafe not at all"):
        planning.plan(project, machine="x86_64", lock="")
    with pytest.raises(ProjectError, match=r"markupsafe 2\.1"):
        planning.plan(project, machine="x86_64", lock=f"markupsafe==2.1 --hash={SHA}")

    made = planning.plan(project, machine="x86_64", lock=f"MarkupSafe==3.0 --hash={SHA}")
    assert tuple(pin.name for pin in made.distributions) == ("markupsafe",)


@pytest.mark.parametrize(
    ("text", "origin"),
    [
        ("", "auto"),
        ("apt", "apt"),
        ("../cpython", "../cpython"),
        (f"/src/Python-3.13.5.tar.xz#sha256={'a' * 64}", "/src/Python-3.13.5.tar.xz"),
        (f"https://h.example/P.tgz#sha256={'a' * 64}", "https://h.example/P.tgz"),
    ],
)
def test_python_source(text: str, origin: str) -> None:
    """The source is a parameter: the default, apt, a directory or a checked tarball."""
    assert origin == planning.python_source(text).origin


@pytest.mark.parametrize(
    "text", ["/src/P.tar.xz", "/src/P.tar.xz#sha256=abc", "https://h.example/git", "P.tgz#md5=1"]
)
def test_python_source_without_a_checksum_is_refused(text: str) -> None:
    """Nothing is downloaded or unpacked that was not pinned."""
    with pytest.raises(ProjectError, match="python-source"):
        planning.python_source(text)


def test_pinned_source_keeps_its_version_wherever_it_comes_from() -> None:
    """The default release from a file of one's own is still that release."""
    pinned = planning.PYTHON

    found = planning.python_source(f"/src/p.tar.xz#sha256={pinned.sha256}")

    assert pinned.version == found.version


@pytest.mark.parametrize(
    ("source", "origin", "folder"),
    [
        ("", "auto", ""),
        ("apt", "apt", ""),
        ("../cpython", "auto", ""),
        (f"/src/Python-3.13.5.tar.xz#sha256={'a' * 64}", "auto", "/src"),
        (f"Python-3.13.5.tar.xz#sha256={'a' * 64}", "auto", "."),
        (f"https://h.example/P.tgz#sha256={'a' * 64}", "auto", ""),
    ],
)
def test_zlib_comes_from_where_cpython_does(source: str, origin: str, folder: str) -> None:
    """Beside CPython's tarball first, or by apt alone; it is pinned in any case."""
    project = projects.read(PROJECTS / "facts")

    zlib = planning.plan(project, machine="x86_64", lock="", source=source).zlib

    assert (origin, folder) == (zlib.origin, zlib.folder)
    assert (planning.ZLIB.sha256, planning.ZLIB.contents) == (zlib.sha256, zlib.contents)


def test_plan_is_data() -> None:
    """A plan can be printed for machines, whole."""
    made = planning.plan(projects.read(PROJECTS / "facts"), machine="x86_64", lock="")

    assert "3.13.5" in msgspec.json.encode(made, enc_hook=str).decode()


@pytest.mark.parametrize(
    ("python", "full"),
    [("3.13.9", "3.13.9"), ("3.13", planning.PYTHON.version), ("3.14", "3.14.0")],
)
def test_markers_of_another_python(python: str, full: str) -> None:
    """A line alone stands for the pinned release of it, or for its first."""
    found = target_environment("aarch64", python)

    assert (full, full.rpartition(".")[0]) == (
        found["python_full_version"],
        found["python_version"],
    )
    assert "aarch64" == found["platform_machine"]
