"""Distributions that no index has: a folder, a file, an address, a repository; all of them real."""

import base64
import bz2
import gzip
import hashlib
import http.server
import lzma
import os
import shutil
import subprocess
import tarfile
import threading
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from onebin.distributions import located, offers
from onebin.distributions.pure import PureWheel
from onebin.effects import source_tree
from onebin.effects.process import run
from onebin.errors import ProjectError, ToolError
from onebin.inputs import find
from onebin.model import Obstacle, Offer, Origin, Pin, Plan
from onebin.planning import plan as plan_of

from .fakes import context

NEAR = '[build-system]\nrequires = []\nbuild-backend = "own"\n[project]\nname = "near"\n'
WHEEL = {
    "METADATA": "Metadata-Version: 2.1\nName: near\nVersion: 1\n",
    "WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    "RECORD": "near.py,,\n",
}
HOME = {"HOME": os.devnull, "GIT_CONFIG_NOSYSTEM": "1", "PATH": os.environ["PATH"]}

Serve = Callable[[str], str]


def sha256(file: Path) -> str:
    """Return the hash of *file* as locks have it."""
    return f"sha256:{hashlib.sha256(file.read_bytes()).hexdigest()}"


def git(folder: Path, *arguments: str) -> str:
    """Run git in *folder*, without the caller's settings."""
    call = ["git", "-c", "user.name=a", "-c", "user.email=a@b.invalid", *arguments]
    done = subprocess.run(call, cwd=folder, env=HOME, capture_output=True, text=True, check=True)
    return done.stdout.strip()


@pytest.fixture
def near(tmp_path: Path) -> Path:
    """A project's folder, with what tools leave in one."""
    folder = tmp_path / "near"
    folder.mkdir()
    (folder / "pyproject.toml").write_text(NEAR)
    (folder / "near.py").write_text("X = 1\n")
    (folder / ".venv").mkdir()
    (folder / ".venv" / "large").write_text("tool")
    return folder


@pytest.fixture
def repository(near: Path) -> Callable[[], tuple[str, str]]:
    """Commit *near*, tagged, on a branch that is then rewritten; return address and commit."""

    if shutil.which("git") is None:
        pytest.skip("no git: apt-get install git")

    def commit() -> tuple[str, str]:
        git(near, "init", "--quiet")
        git(near, "add", "near.py", "pyproject.toml")
        git(near, "commit", "--quiet", "-m", "one")
        git(near, "tag", "v1.5")
        (near / "near.py").write_text("X = 2\n")
        git(near, "commit", "--quiet", "-am", "two")
        made = git(near, "rev-parse", "HEAD")
        git(near, "checkout", "--quiet", "v1.5")
        return f"file://{near}", made

    return commit


def planned(root: Path, lock: str, name: str = "requirements.txt") -> Plan:
    """Plan a project in *root* with a lock."""
    root.mkdir(exist_ok=True)
    (root / "app.py").write_text("def main(): ...\n")
    (root / "pyproject.toml").write_text(
        '[project]\nname = "app"\nscripts = { app = "app:main" }\ndependencies = ["near"]\n'
    )
    return plan_of(find(root).project(), machine="x86_64", lock=lock, lock_name=name)


def offer_of(plan: Plan, tmp_path: Path) -> Offer | Obstacle:
    """Return the one offer of *plan*."""
    (found,) = offers(plan, "3.13", context(tmp_path / "cache", run))
    return found


def test_folder_is_named_by_its_contents(near: Path, tmp_path: Path) -> None:
    """Any change of a file of the project is another pin; one of a tool's is none."""
    plan = planned(tmp_path / "app", "-e ../near\n")

    def digest() -> str:
        found = offer_of(plan, tmp_path)
        assert isinstance(found, Offer)
        assert found.pin.origin is not None
        return found.pin.origin.digest

    seen = [digest()]
    (near / ".venv" / "large").write_text("another")
    (near / "near.egg-info").mkdir()
    assert seen == [digest()]
    for change in (
        lambda: (near / "near.py").write_text("X = 2\n"),
        lambda: (near / "near.py").chmod(0o755),
        lambda: (near / "link").symlink_to("near.py"),
        lambda: (near / "near.py").rename(near / "renamed.py"),
        lambda: (near / "near-deep.py").write_text(""),
    ):
        change()
        seen.append(digest())
    assert len(seen) == len(set(seen))


def test_names_of_tools_within_a_package(near: Path, tmp_path: Path) -> None:
    """A package may be named venv, and have built files in dist; a tool's folders are left."""
    kept = ("venv/__init__.py", "near/static/dist/app.js", "near/env/page.html")
    left = ("dist/near.whl", "env/pyvenv.cfg", "env/bin/python", "sub/setup.py", "sub/dist/x")
    for name in (*kept, *left):
        (near / name).parent.mkdir(parents=True, exist_ok=True)
        (near / name).write_text(name)

    source_tree.copy(near, tmp_path / "copy")

    found = {str(path.relative_to(tmp_path / "copy")) for path in (tmp_path / "copy").rglob("*")}
    assert {*kept, "sub/setup.py"} == found & {*kept, *left}
    before = source_tree.digest(near)
    assert before == source_tree.digest(tmp_path / "copy")
    (near / "dist/near.whl").write_text("another")
    assert before == source_tree.digest(near)
    (near / "near/static/dist/app.js").write_text("another")
    assert before != source_tree.digest(near)


def test_source_of_a_folder_is_a_copy(near: Path, tmp_path: Path) -> None:
    """A back end may write there; what changed since the plan is refused."""
    pin = Pin("near", "", (), Origin("directory", str(near)))
    ctx = context(tmp_path / "cache", run)
    decided = located.with_contents(pin)
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()

    copied = located.source(decided, tmp_path / "a", "3.13", ctx)

    assert ["near.py", "pyproject.toml"] == sorted(path.name for path in copied.iterdir())
    (copied / "written").touch()
    assert not (near / "written").exists()
    (near / "near.py").write_text("changed")
    with pytest.raises(ProjectError, match="changed while it was read"):
        located.source(decided, tmp_path / "b", "3.13", ctx)


@pytest.mark.parametrize("command", ["tree", "history", "submodule"])
def test_repository_at_its_commit(
    repository: Callable[[], tuple[str, str]], near: Path, tmp_path: Path, command: str
) -> None:
    """The files of a commit that no branch has, with tags and without the address."""
    address, commit = repository()
    pin = Pin("near", "", (), Origin("git", address, commit=commit))
    ctx = context(tmp_path / "cache", run)
    places = [tmp_path / "a", tmp_path / "b"]
    for place in places:
        place.mkdir()

    copied = located.source(pin, places[0], "3.13", ctx)

    if command == "tree":
        assert "X = 2\n" == (copied / "near.py").read_text()
        assert address not in (copied / ".git" / "config").read_text()
    elif command == "history":
        assert git(copied, "describe", "--tags").startswith("v1.5-1-g")
    else:
        shutil.rmtree(near)  # fetched once
        assert (located.source(pin, places[1], "3.13", ctx) / "near.py").is_file()


@pytest.mark.parametrize(
    ("address", "commit", "kind", "message"),
    [
        ("{}", "0" * 40, ProjectError, "has no commit 0000"),
        ("{}/gone", "0" * 40, ToolError, "cannot be fetched with git"),
        ("ftp://h.invalid/x", "0" * 40, ToolError, "cannot be fetched with git"),
    ],
)
def test_repository_that_cannot_be_fetched(
    repository: Callable[[], tuple[str, str]], tmp_path: Path,
    address: str, commit: str, kind: type[Exception], message: str,
) -> None:  # fmt: skip
    """One error, and nothing of it in the cache."""
    real, _ = repository()
    pin = Pin("near", "", (), Origin("git", address.format(real), commit=commit))
    ctx = context(tmp_path / "cache", run)

    with pytest.raises(kind, match=message):
        located.source(pin, tmp_path, "3.13", ctx)

    assert not list((tmp_path / "cache" / "located").glob("*"))


def archive(near: Path, kind: str) -> Path:
    """Pack *near*."""
    file = near.parent / f"near-1{kind}"
    names = ("near.py", "pyproject.toml")
    if kind.endswith((".zip", ".whl")):
        is_wheel = kind.endswith(".whl")
        with zipfile.ZipFile(file, "w") as made:
            for name in names:
                made.write(near / name, name if is_wheel else f"near-1/{name}")
            for name, text in WHEEL.items() if is_wheel else ():
                made.writestr(f"near-1.dist-info/{name}", text)
    else:
        packing = {".tar.gz": gzip, ".tar.bz2": bz2, ".tar.xz": lzma}[kind]
        with packing.open(file, "wb") as stream, tarfile.open(fileobj=stream, mode="w") as tar:
            for name in names:
                tar.add(near / name, f"near-1/{name}")
    return file


@pytest.fixture
def serve(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Serve]:
    """Serve files of the folder to clients with the password only."""
    expected = "Basic " + base64.b64encode(b"me:pa55/word").decode()

    class Private(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *arguments: object) -> None:
            super().__init__(*arguments, directory=str(tmp_path))  # type: ignore[arg-type]

        def log_message(self, *_: object) -> None: ...

        def do_GET(self) -> None:
            if self.headers["Authorization"] == expected:
                super().do_GET()
            else:
                self.send_response(401)
                self.send_header("WWW-Authenticate", 'Basic realm="files"')
                self.send_header("Content-Length", "0")
                self.end_headers()

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Private) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        netrc = tmp_path / "netrc"
        netrc.write_text("machine 127.0.0.1 login me password pa55/word\n")
        netrc.chmod(0o600)

        def address(name: str, how: str = "me:pa55%2Fword@") -> str:
            if how == "netrc":
                monkeypatch.setenv("NETRC", str(netrc))
            return f"http://{'' if how == 'netrc' else how}127.0.0.1:{server.server_port}/{name}"

        yield address
        server.shutdown()
        thread.join()


@pytest.mark.parametrize("kind", [".tar.gz", ".zip", "-py3-none-any.whl"])
@pytest.mark.parametrize("how", ["me:pa55%2Fword@", "netrc"])
def test_file_at_an_address(
    near: Path, tmp_path: Path, serve: Callable[..., str], kind: str, how: str
) -> None:
    """Fetched with the caller's password, checked by its hash, kept without the password."""
    file = archive(near, kind)
    pin = Pin("near", "1", (sha256(file),), Origin("url", serve(file.name, how)))
    ctx = context(tmp_path / "cache", run)

    if kind.endswith(".whl"):
        made = ctx.build(PureWheel(pin, "3.13"))
        assert (made.code / "near.py").is_file()
    else:
        assert (located.source(pin, tmp_path / "near", "3.13", ctx) / "near.py").is_file()

    for path in (tmp_path / "cache").rglob("*"):
        assert "pa55" not in str(path)
        assert not path.is_file() or b"pa55" not in path.read_bytes()


@pytest.mark.parametrize("how", ["me:pa55%2Fwrong@", "me:pa55%2Fword@"])
def test_file_that_is_not_the_locked_one(
    near: Path, tmp_path: Path, serve: Callable[..., str], how: str
) -> None:
    """Another file, and no file: one error each, without the password."""
    file = archive(near, ".tar.gz")
    pin = Pin("near", "1", (f"sha256:{'0' * 64}",), Origin("url", serve(file.name, how)))

    with pytest.raises((ProjectError, ToolError)) as caught:
        located.source(pin, tmp_path, "3.13", context(tmp_path / "cache", run))

    said = f"{caught.value} {caught.value.hint} {getattr(caught.value, 'detail', '')}"
    assert "near 1" in said
    assert "pa55" not in said
    assert isinstance(caught.value, ToolError) == ("wrong" in how)


@pytest.mark.parametrize("kind", [".tar.gz", ".tar.bz2", ".tar.xz", ".zip", "-py3-none-any.whl"])
def test_file_beside_the_lock(near: Path, tmp_path: Path, kind: str) -> None:
    """Built from source, or unpacked as the wheel that it is; the plan shows which."""
    file = archive(near, kind)
    plan = planned(tmp_path / "app", f"../{file.name} --hash={sha256(file)}\n")

    found = offer_of(plan, tmp_path)

    assert isinstance(found, Offer)
    assert (file.name, "pure" if kind.endswith(".whl") else "captured") == (
        found.file, found.provider,
    )  # fmt: skip


FAULTS = {
    "no file": (f"../gone-1.tar.gz --hash=sha256:{'0' * 64}", "gone-1.tar.gz: not there"),
    "another file": (f"../near-1.tar.gz --hash=sha256:{'0' * 64}", "not the file that was locked"),
    "no project": ("near @ file:{}/empty", "not there; expected a project's folder"),
    "compiled": ("../near-1-cp313-cp313-linux_x86_64.whl --hash={sha}", "not a wheel of pure"),
    "no archive": ("near @ ../near-1.exe --hash={sha}", "not an archive by its name"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_obstacles(near: Path, tmp_path: Path, fault: str) -> None:
    """Each is found by the plan, with a remedy."""
    file = archive(near, ".tar.gz")
    for name in ("near-1-cp313-cp313-linux_x86_64.whl", "near-1.exe"):
        shutil.copyfile(file, tmp_path / name)
    (tmp_path / "empty").mkdir()
    line, message = FAULTS[fault]
    lock = line.replace("{}", str(tmp_path)).replace("{sha}", sha256(file))

    found = offer_of(planned(tmp_path / "app", f"{lock}\n"), tmp_path)

    assert isinstance(found, Obstacle)
    assert message in found.reason
    assert found.hint
