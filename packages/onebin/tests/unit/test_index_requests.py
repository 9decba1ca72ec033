"""An index that is slow, silent, endless or denies: one error, soon, that names it."""

import http.server
import json
import os
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from onebin import cli
from onebin.effects import index, versions
from onebin.effects.process import run, run_offline
from onebin.errors import OnebinError
from onebin.model import Pin
from onebin.target import index_requests

SECONDS = 0.2
PAGE = "https://h.invalid/simple/thing/"


class EndedError(Exception):
    """As an error of pip."""


def made(status: int = 200, stream: Callable[..., Iterator[bytes]] | None = None) -> Any:
    """Return a response of requests."""
    return SimpleNamespace(
        status_code=status, reason="So", raw=SimpleNamespace(stream=stream or (lambda: iter(())))
    )


def fail(*_: object, **__: object) -> None:
    """Give the cause as an argument, as urllib3 and requests do, not as a context."""
    raise ConnectionError(OSError("pool", OSError("Name or service\nnot known")))


def exhaust(*_: object, **__: object) -> None:
    """Do as a page without an end does."""
    raise MemoryError


PAGES: dict[str, tuple[Callable[..., Any], str]] = {
    "good": (lambda *_, **__: made(), ""),
    "absent": (lambda *_, **__: made(404), ""),
    "gone": (lambda *_, **__: made(410), ""),
    "denied": (lambda *_, **__: made(401), "status 401 So"),
    "broken": (lambda *_, **__: made(503), "status 503 So"),
    "silent": (lambda *_, **__: time.sleep(60), "no response within 0.2 s"),
    "unknown host": (fail, "Name or service not known"),
    "endless": (exhaust, "its page does not fit into memory"),
}


@pytest.mark.parametrize("case", PAGES)
def test_page(case: str) -> None:
    """A failure is noted, with the address; the page of another index makes up for it."""
    usual, expected = PAGES[case]
    requests = index_requests.Requests(EndedError, SECONDS)
    session = SimpleNamespace(timeout=None)
    before = time.monotonic()

    try:
        requests.limited(usual)(session, "GET", PAGE)
    except (EndedError, ConnectionError):
        assert case in {"silent", "unknown host", "endless"}

    assert [f"{PAGE}: {expected}"][: bool(expected)] == requests.failures()
    assert time.monotonic() - before < 10
    other = requests.limited(lambda *_, **__: made())
    other(session, "GET", "https://other.invalid/thing/?x=1")
    assert [] == requests.failures()


def test_own_timeout_counts_if_longer() -> None:
    """Such a setting is for an index that is known to be slow."""
    requests = index_requests.Requests(EndedError, 0.01)

    def usual(*_: object, **__: object) -> object:
        time.sleep(0.1)
        return made()

    slow = requests.limited(usual)

    assert slow(SimpleNamespace(timeout=5), "GET", PAGE).status_code == 200
    with pytest.raises(EndedError, match=r"no response within 0\.01 s"):
        slow(SimpleNamespace(timeout=None), "GET", PAGE)


@pytest.mark.parametrize(("pause", "pieces"), [(0.0, 3), (0.1, 3), (60.0, 1)])
def test_file(pause: float, pieces: int) -> None:
    """Each piece of a file has the limit, not all of it together."""

    def stream(*_: object, **__: object) -> Iterator[bytes]:
        for _number in range(3):
            yield b"x"
            time.sleep(pause)

    requests = index_requests.Requests(EndedError, SECONDS)
    limited = requests.limited(lambda *_, **__: made(stream=stream))
    response = limited(SimpleNamespace(), "GET", "https://h.invalid/thing-1.whl", stream=True)
    got = []
    try:
        got += response.raw.stream(1, decode_content=False)
    except EndedError:
        got = [b"x"]

    assert [b"x"] * pieces == got
    assert bool(requests.failures()) == (pieces == 1)


STATUSES: dict[int, tuple[type[Exception], str, str]] = {
    401: (index.UnreachableError, "simple/thing/: status 401", "the user and the"),
    403: (index.UnreachableError, "simple/thing/: status 403", "is the name spelled"),
    404: (versions.UnresolvedError, "thing: no version of it is for Python 3.13", "spelled right"),
    500: (index.UnreachableError, "simple/thing/: ", "is it up"),
    302: (index.UnreachableError, "simple/thing/: Exceeded 30 redirects", "is it up"),
    0: (index.UnreachableError, "simple/thing/: Remote end closed connection", "is it up"),
}
"""A status, 0 for none: the error, its beginning, its hint."""


@pytest.mark.parametrize("status", STATUSES)
def test_index_is_named(status: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A refusal is never reported as a missing package; its address has no password."""

    class Refuses(http.server.BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None: ...

        def do_GET(self) -> None:
            if status:
                self.send_response(status)
                self.send_header("Location", f"/simple/{time.monotonic_ns()}/")
                self.send_header("Content-Length", "0")
                self.end_headers()

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Refuses) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        address = f"http://me:pa55word@127.0.0.1:{server.server_port}/simple"
        monkeypatch.setenv("PIP_INDEX_URL", address)
        monkeypatch.setenv("PIP_RETRIES", "0")
        monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
        monkeypatch.delenv("PIP_FIND_LINKS", raising=False)
        kind, text, hint = STATUSES[status]
        with pytest.raises(kind) as caught:
            versions.resolve(["thing"], tmp_path, python="3.13", machine="x86_64", run=run)
        if kind is index.UnreachableError:
            with pytest.raises(kind):
                index.download_source(Pin("thing", "1", ()), tmp_path, run=run)
        server.shutdown()
        thread.join()

    error = caught.value
    assert isinstance(error, OnebinError)
    assert text in str(error)
    assert hint in error.hint
    assert "pa55word" not in f"{error} {error.hint} {error.__cause__}"


@pytest.mark.parametrize("lock", ["", "thing==1 --hash=sha256:" + "0" * 64])
@pytest.mark.parametrize("arguments", [[], ["--json"]])
def test_plan_without_an_index_is_no_success(
    lock: str,
    arguments: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """All that is known is printed; the rest is unknown, neither an obstacle nor free of them."""
    for name, value in {
        "ONEBIN_CACHE": str(tmp_path / "cache"), "PIP_CONFIG_FILE": os.devnull,
        "PIP_INDEX_URL": "http://me:pa55word@127.0.0.1:9/simple", "PIP_RETRIES": "0",
    }.items():  # fmt: skip
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("PIP_FIND_LINKS", raising=False)
    root = tmp_path / "project"
    root.mkdir()
    (root / "pyproject.toml").write_text(
        "[project]\nname = 'app'\ndependencies = ['thing']\nscripts = { app = 'app:main' }\n"
    )
    (root / "app.py").write_text("def main(): ...\n")
    if lock:
        (root / "onebin.lock").write_text(lock)

    status = cli.main(["plan", str(root), *arguments])

    out, err = capfd.readouterr()
    address = "http://****@127.0.0.1:9/simple/thing/: "
    assert status == 1
    assert f"error: {address}" in err
    assert ("thing 1" in out) == bool(lock and not arguments)
    if arguments:
        assert json.loads(out)["unknown"].startswith(address)
    else:
        assert f"failed: {address}" in out
    assert "pa55word" not in out + err


def test_no_index_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Offline nothing is the fault of an index."""
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.delenv("PIP_FIND_LINKS", raising=False)

    with pytest.raises(versions.UnresolvedError, match="no version of it") as caught:
        versions.resolve(["thing"], tmp_path, python="3.13", machine="x86_64", run=run_offline)

    assert "--offline" in caught.value.hint
