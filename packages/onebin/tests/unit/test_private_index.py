"""Where files come from: each client's settings, credentials and folders, with a real index."""

import base64
import http.server
import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from onebin import cli
from onebin.model import Pin

pytestmark = pytest.mark.claim("passwords stay")

PASSWORD = "pa55/wo@rd"
QUOTED = "pa55%2Fwo%40rd"

SETTINGS = {
    "PIP_INDEX_URL": {"PIP_INDEX_URL": "http://me:{quoted}@{host}/simple"},
    "UV_INDEX_URL": {"UV_INDEX_URL": "http://me:{quoted}@{host}/simple"},
    "UV_DEFAULT_INDEX": {"UV_DEFAULT_INDEX": "corp=http://{host}/simple",
                         "UV_INDEX_CORP_USERNAME": "me", "UV_INDEX_CORP_PASSWORD": "{plain}"},
    "pip.conf": {"PIP_CONFIG_FILE": "{conf}"},
    "netrc": {"PIP_INDEX_URL": "http://{host}/simple", "NETRC": "{netrc}"},
    "extra": {"PIP_INDEX_URL": "http://{host}/none", "UV_INDEX": "http://me:{quoted}@{host}/simple"},
    "UV_FIND_LINKS": {"UV_FIND_LINKS": "{shelf}", "UV_NO_INDEX": "1"},
    "PIP_FIND_LINKS": {"PIP_FIND_LINKS": "{shelf}", "PIP_NO_INDEX": "1"},
    "--offline": {"PIP_FIND_LINKS": "{shelf}", "PIP_INDEX_URL": "http://{host}/refused"},
}  # fmt: skip
"""Environments, each of which leads to the files."""


@pytest.fixture
def index(shelf: Path) -> Iterator[tuple[str, list[str]]]:
    """Serve the shelf to clients with the password only; return host and requests."""
    expected = "Basic " + base64.b64encode(f"me:{PASSWORD}".encode()).decode()
    requests: list[str] = []

    class Private(http.server.BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None: ...

        def do_GET(self) -> None:
            requests.append(self.path)
            name = self.path.strip("/").rpartition("/")[2]
            if self.headers["Authorization"] != expected:
                self.send_response(401)
                self.send_header("WWW-Authenticate", 'Basic realm="index"')
                data = b""
            elif self.path.startswith("/simple/"):
                files = sorted(file.name for file in shelf.glob(f"{name}-*"))
                data = "".join(f"<a href='/files/{file}'>{file}</a>" for file in files).encode()
                self.send_response(200)
            elif (shelf / name).is_file():
                data = (shelf / name).read_bytes()
                self.send_response(200)
            else:
                data = b""
                self.send_response(404)
            self.send_header("Content-Type", "text/html")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Private) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"127.0.0.1:{server.server_port}", requests
        server.shutdown()
        thread.join()


@pytest.mark.sample(every=3)
@pytest.mark.parametrize("settings", SETTINGS)
def test_settings_of_each_client(
    put_wheel: Callable[..., Pin],
    index: tuple[str, list[str]],
    shelf: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    settings: str,
) -> None:
    """A lock is written and planned with them; no password is in a line, a lock or the cache."""
    put_wheel("thing", "other")
    put_wheel("other")
    host, requests = index
    places = {
        "host": host, "quoted": QUOTED, "plain": PASSWORD, "shelf": shelf,
        "conf": tmp_path / "pip.conf", "netrc": tmp_path / "netrc",
    }  # fmt: skip
    (tmp_path / "pip.conf").write_text(
        f"[global]\nindex-url = http://me:{QUOTED}@{host}/simple\nretries = 0\n"
    )
    (tmp_path / "netrc").write_text(f"machine 127.0.0.1 login me password {PASSWORD}\n")
    for name in [name for name in os.environ if name.startswith(("PIP_", "UV_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_RETRIES", "0")
    monkeypatch.setenv("ONEBIN_CACHE", str(tmp_path / "cache"))
    for name, value in SETTINGS[settings].items():
        monkeypatch.setenv(name, value.format(**places))
    root = tmp_path / "project"
    root.mkdir()
    (root / "app.py").write_text("def main(): ...")
    (root / "pyproject.toml").write_text(
        '[project]\nname = "app"\ndependencies = ["thing"]\nscripts = { app = "app:main" }\n'
    )
    offline = ["--offline"] if settings == "--offline" else []

    statuses = [cli.main([command, str(root), *offline]) for command in ("lock", "plan")]

    out, err = capfd.readouterr()
    assert [0, 0] == statuses, err
    assert "thing-1-py3-none-any.whl, as it is" in out
    kept = [file for folder in (root, tmp_path / "cache") for file in folder.rglob("*")]
    texts = "".join(file.read_text("utf-8", "replace") for file in kept if file.is_file())
    for word in ("pa55", PASSWORD, QUOTED):
        assert word not in out + err + texts + "".join(map(str, kept))
    is_local = settings in {"UV_FIND_LINKS", "PIP_FIND_LINKS", "--offline"}
    assert is_local == (not requests)
