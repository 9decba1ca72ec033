"""An index with a password: pip receives it, and no output of onebin shows it."""

import base64
import hashlib
import http.server
import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from onebin import cli, freezing
from onebin.effects import index
from onebin.effects.process import run
from onebin.freezing import Frozen, Selected
from onebin.model import Distribution, Origin, Pin
from onebin.selection.selector import Selection

pytestmark = pytest.mark.claim("passwords stay")

Put = Callable[..., Pin]

PASSWORD = "pa55%2Fword"  # percent-encoded, as in an address
PLAIN = "pa55/word"


@pytest.fixture
def private(shelf: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Serve the shelf to clients with the password only, and make it pip's index."""
    expected = "Basic " + base64.b64encode(f"me:{PLAIN}".encode()).decode()

    class Private(http.server.BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None: ...

        def do_GET(self) -> None:
            if self.headers["Authorization"] != expected:
                self.send_response(401)
                self.send_header("WWW-Authenticate", 'Basic realm="index"')
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            name = self.path.strip("/").rpartition("/")[2]
            if name.endswith(".whl"):
                data = (shelf / name).read_bytes()
            else:
                files = sorted(file.name for file in shelf.glob(f"{name}-*"))
                data = "".join(f"<a href='/{file}'>{file}</a>" for file in files).encode()
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Private) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        host = f"127.0.0.1:{server.server_port}"
        monkeypatch.delenv("PIP_NO_INDEX")
        monkeypatch.delenv("PIP_FIND_LINKS")
        monkeypatch.setenv("PIP_INDEX_URL", f"http://me:{PASSWORD}@{host}")
        yield host
        server.shutdown()
        thread.join()


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    root = tmp_path / "project"
    root.mkdir()
    (root / "app.py").write_text("def main(): ...")
    (root / "pyproject.toml").write_text(
        '[project]\nname = "app"\ndependencies = ["thing"]\nscripts = { app = "app:main" }\n'
    )
    monkeypatch.setenv("ONEBIN_CACHE", str(tmp_path / "cache"))
    return root


def test_fetching_step_has_the_password(put_wheel: Put, private: str, tmp_path: Path) -> None:
    """The index serves its files only with the password."""
    pin = put_wheel("thing")

    found = index.download_wheel(pin, tmp_path, python="3.13", run=run)

    assert found is not None
    assert pin.hashes == (f"sha256:{hashlib.sha256(found.read_bytes()).hexdigest()}",)


@pytest.mark.sample(every=5)
@pytest.mark.parametrize(
    "address",
    [
        "http://me:{password}@{host}",
        "http://me:wrong-{password}@{host}",
        "http://me:{password}@127.0.0.1:9/simple",
        "http://me:{password}@{host}/none http://u:{password}@127.0.0.1:9/",
        "http://tok-{password}@127.0.0.1:9/simple",
        "nonsense://me:{password}@{host}",
    ],
    ids=["right", "wrong", "unreachable", "two", "a token", "no address"],
)
@pytest.mark.parametrize("command", ["plan", "lock"])
def test_password_is_neither_printed_nor_stored(
    put_wheel: Put,
    private: str,
    project: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    address: str,
    command: str,
) -> None:
    """Success or failure: progress, errors, pip's last lines, the lock and the cache."""
    pin = put_wheel("thing")
    if command == "plan":  # the plan lists the index's files for each locked distribution
        (project / "onebin.lock").write_text(f"thing==1 --hash={pin.hashes[0]}\n")
    urls = address.format(password=PASSWORD, host=private).split()
    monkeypatch.setenv("PIP_INDEX_URL", urls[0])
    monkeypatch.setenv("PIP_EXTRA_INDEX_URL", " ".join(urls[1:]))
    monkeypatch.setenv("PIP_RETRIES", "0")

    status = cli.main([command, str(project)])

    out, err = capfd.readouterr()
    kept = [*project.rglob("*"), *(tmp_path / "cache").rglob("*")]
    said = out + err + "".join(file.read_text() for file in kept if file.is_file())
    for word in (PASSWORD, PLAIN, "pa55"):
        assert word not in said
    # pip takes a distribution from either of two indexes.
    right = address.startswith("http://me:{password}@{host}")
    # Where no index responds a plan lacks its part, and ends with status 1.
    assert (status == 0) is right
    assert (project / "onebin.lock").is_file() is (right or command == "plan")
    if command == "plan":
        assert ("thing-1-py3-none-any.whl, as it is" in out) is right


def test_program_that_prints_its_environment_shows_no_password(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A failing step with access to the password is reported without it."""
    monkeypatch.setenv("PIP_INDEX_URL", f"http://me:{PASSWORD}@h.invalid")

    with pytest.raises(Exception, match="env ended with status") as caught:
        run(["env", "--no-such-option"], fetching=True)
    with pytest.raises(Exception, match="sh ended with status 3") as shown:
        run(["sh", "-c", "env; exit 3"], fetching=True)

    assert "PIP_INDEX_URL=http://****@h.invalid" in getattr(shown.value, "detail", "")
    assert PASSWORD not in f"{caught.value} {shown.value}"
    assert os.environ["PIP_INDEX_URL"] not in getattr(shown.value, "detail", "")


def test_lock_with_an_index_and_its_password_is_refused_without_it(
    project: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """pip-tools writes its index into the file, password included (its issue 1137)."""
    line = f"--index-url https://me:{PASSWORD}@h.invalid/simple"
    (project / "onebin.lock").write_text(f"{line}\nthing==1 --hash=sha256:{'0' * 64}\n")

    assert 2 == cli.main(["plan", str(project)])
    err = capfd.readouterr().err
    assert "'--index-url https://****@h.invalid/simple' is an option" in err
    assert "pa55" not in err


@pytest.mark.parametrize(
    ("kind", "address", "kept"),
    [
        ("git", "https://me:pa55word@h.invalid/x.git", "https://****@h.invalid/x.git"),
        ("url", "http://token-pa55word@h.invalid/x.whl", "http://****@h.invalid/x.whl"),
        ("directory", "../near", "../near"),
    ],
)
def test_frozen_program_has_no_password(kind: Any, address: str, kept: str) -> None:
    """The cache keeps a distribution with where it is from, without the userinfo of that."""
    pin = Pin("x", "1", (), Origin(kind, address))
    items = (Distribution(pin, Path("/c"), "k"), Distribution(Pin("y", "1", ()), Path("/d"), "l"))
    selection = Selection({}, (), (), ())

    for made in (Frozen(selection, (), items, ()), Selected(selection, (), items)):
        data = freezing.written(made)

        assert b"pa55word" not in data
        assert kept.encode() in data
