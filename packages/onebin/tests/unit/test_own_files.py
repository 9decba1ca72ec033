"""Which files of a project count for its kept selection, and which never go in."""

import os
import tempfile
import traceback
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from onebin import outputs, project_files
from onebin.errors import ProjectError
from onebin.inputs import directory
from onebin.model import ModuleOrigin
from onebin.selection import contents, own_files, whole
from onebin.selection.own_files import READ_BYTES, digest, digest_of

FILES = (
    "app.py", "pkg/deep/data.bin", ".well-known/security.txt", "pkg/__pycache__/app.pyc",
    ".git/index", ".venv/lib/site.py",
)  # fmt: skip
TABLE = {"project": {"name": "app", "scripts": {"app": "app:main"}}}


def write(root: Path, *names: str) -> None:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(name)


def _change(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-1] + b"!")


def _change_later(file: Path) -> None:
    """Change it and set its mtime back, as tar and cp -p do, however coarse the clock is."""
    before = file.stat()
    while file.stat().st_ctime_ns == before.st_ctime_ns:
        _change(file)
        os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))


def _touch(file: Path) -> None:
    os.utime(file, ns=(1, 1))


@pytest.mark.parametrize(
    ("name", "change", "is_other"),
    [
        ("app.py", _change, True),
        ("pkg/deep/data.bin", _change, True),
        ("big.bin", _change_later, True),
        (".well-known/security.txt", _change, True),
        ("app.py", _touch, False),
        ("app.py", Path.unlink, True),
        ("app.py", lambda file: file.rename(file.with_name("other.py")), True),
        ("pkg/__pycache__/app.pyc", _change, False),
        (".git/index", _change, False),
        (".venv/lib/site.py", _change, False),
        ("new.py", Path.touch, True),
        ("empty", Path.mkdir, False),
    ],
)
def test_change_of_a_file(
    name: str, change: Callable[[Path], object], tmp_path: Path, *, is_other: bool
) -> None:
    write(tmp_path, *FILES)
    (tmp_path / "big.bin").write_bytes(bytes(READ_BYTES + 1))
    before = digest_of(tmp_path)

    change(tmp_path / name)

    assert is_other is (before != digest_of(tmp_path))


@pytest.mark.parametrize("place", ["common", "pkg/common", "pkg/deep/common"])
@pytest.mark.parametrize("change", ["file", "link", "new"])
def test_change_behind_a_link(place: str, change: str, tmp_path: Path) -> None:
    """Code that several projects share is often a link to its folder."""
    root, shared = tmp_path / "root", tmp_path / "shared"
    write(root, *FILES)
    write(shared, "__init__.py")
    (root / place).symlink_to(shared)
    before = digest_of(root)

    if change == "file":
        _change(shared / "__init__.py")
    elif change == "new":
        write(shared, "more/new.py")
    else:
        (root / place).unlink()

    assert before != digest_of(root)


def test_what_cannot_be_read(tmp_path: Path) -> None:
    """A circle of links, a link to nowhere, a pipe: such things may stay."""
    write(tmp_path, *FILES)
    (tmp_path / "pkg/circle").symlink_to("../pkg")
    (tmp_path / "itself").symlink_to("itself")
    (tmp_path / "gone").symlink_to("nowhere")
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "long").symlink_to("x" * 250 + "/" + "y" * 250)
    before = digest_of(tmp_path)
    assert before == digest_of(tmp_path)

    write(tmp_path, "nowhere")
    assert before != digest_of(tmp_path)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files to another user")
@pytest.mark.parametrize("is_flat", [True, False])
def test_files_of_another_user(*, is_flat: bool) -> None:
    """A database's folder beside the code may stay; a file that goes in is named."""

    def read(code: Path, root: Path) -> None:
        project = directory.parse(root, TABLE)
        with project_files.readable(project):
            found = [*whole.roots(project, ()), *whole.with_packages({}, project)]
            assert {"app", "pkg", "zoo"} <= {*found}
            assert own_files.digest(project) == own_files.digest(project)
            assert ["pkg", "zoo"] == [folder.name for folder in own_files.packages(code)]
        with (
            pytest.raises(ProjectError, match="pkg/secret: cannot be read: Permission"),
            project_files.readable(project),
        ):
            (code / "pkg/secret").read_bytes()

    # pytest's own folder is closed to others.
    with tempfile.TemporaryDirectory() as name:
        root = Path(name).resolve()
        code = root if is_flat else root / "src"
        write(code, "app.py", "pkg/__init__.py", "zoo/__init__.py", "aaa/secret", "pkg/secret")
        root.chmod(0o755)
        (code / "aaa").chmod(0o700)
        (code / "pkg/secret").chmod(0o600)
        child = os.fork()
        if child == 0:
            try:
                os.setgroups([])
                os.setresgid(12345, 12345, 12345)
                os.setresuid(12345, 12345, 12345)
                read(code, root)
                os._exit(0)
            finally:
                traceback.print_exc()
                os._exit(1)
        assert 0 == os.waitpid(child, 0)[1]


def test_error_that_is_not_of_the_project(tmp_path: Path) -> None:
    """It passes unchanged."""
    write(tmp_path / "project", "app.py")
    project = directory.parse(tmp_path / "project", TABLE)
    with pytest.raises(FileNotFoundError), project_files.readable(project):
        (tmp_path / "elsewhere").read_bytes()
    with pytest.raises(OSError, match="disk"), project_files.readable(project):
        raise OSError(28, "disk full")


@pytest.mark.parametrize(
    ("name", "text", "counts"),
    [
        ("app.py", "", True),
        ("util/tool.py", "", True),
        ("util/data.txt", "", True),
        ("templates/page.html", "", True),
        ("front/index.html", "", False),
        ("front/index.html", 'BASE / "front"', True),
        ("app.log", "", False),
        ("db.sqlite3", 'BASE / "db.sqlite3"', False),
        ("dist/index.html", 'BASE / "dist"', True),
        # A build leaves out the results of the last one.
        ("dist/app", 'BASE / "dist"', False),
        ("dist/app.tar", 'BASE / "dist"', False),
        ("dist/app.oci/index.json", 'BASE / "dist"', False),
        ("dist/other", "", False),
        # An environment, whatever its name.
        ("mine/lib/site.py", 'BASE / "mine"', False),
    ],
)
@pytest.mark.parametrize("is_flat", [True, False])
def test_files_of_a_working_directory(
    name: str, text: str, tmp_path: Path, *, counts: bool, is_flat: bool
) -> None:
    """Those beside the code count if they may go in; below ``src`` every file may."""
    write(tmp_path, "mine/pyvenv.cfg")
    code = tmp_path if is_flat else tmp_path / "src"
    write(code, "app.py", "util/__init__.py", "dist/index.html")
    project = directory.parse(tmp_path, TABLE)
    (project.code / "app.py").write_text(text)
    before = digest(project)

    write(project.code, name)
    (project.code / name).write_text("changed")

    assert (counts or not is_flat) is (before != digest(project))


def test_results_of_the_build(tmp_path: Path) -> None:
    """A program that names the folder of its results does not get the last one inside."""
    write(tmp_path, "out/app", "out/page.html", "out/app.oci/index.json")
    (tmp_path / "app.py").write_text('OUT = HERE / "out"\ndef main(): ...\n')
    project = outputs.beside(
        directory.parse(tmp_path, TABLE), tmp_path / "out/app", tmp_path / "out/app.oci"
    )
    before = digest(project)
    origin = {"app": ModuleOrigin("source", tmp_path / "app.py", "app.py", origin="project")}
    found = contents.files(project, (), origin, "3.14", "")

    assert ["out/page.html"] == [file.path.partition("site-packages/")[2]
                                 for file in found if "out/" in file.path]  # fmt: skip
    for name in ("out/app", "out/app.oci/index.json"):
        _change(tmp_path / name)
    assert before == digest(project)
    _change(tmp_path / "out/page.html")
    assert before != digest(project)


def test_files_of_a_wheel(tmp_path: Path) -> None:
    """Its data are in a second folder."""
    write(tmp_path, "code/app.py", "data/share/page.html")
    project = directory.parse(tmp_path, {**TABLE, "tool": {"onebin": {"source": "code"}}})
    project = msgspec.structs.replace(project, data=tmp_path / "data")
    before = own_files.digest(project)

    _change(tmp_path / "data/share/page.html")

    assert before != own_files.digest(project)
