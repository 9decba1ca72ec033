"""The package index, replaced by a folder: pip resolves for the executable's Python."""

import hashlib
import http.server
import json
import os
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from onebin.effects import index, versions
from onebin.effects.process import run
from onebin.errors import ProjectError
from onebin.model import Pin

Put = Callable[..., Pin]


def names(choices: tuple[versions.Choice, ...]) -> list[str]:
    return [item.pin.name for item in choices]


def test_markers_are_those_of_the_executable(put_wheel: Put, tmp_path: Path) -> None:
    """Requirements of 3.13 on aarch64 are chosen on any machine, and no others."""
    put_wheel(
        "app",
        'new; python_version >= "3.13"',
        'exact; python_full_version == "3.13.15" and platform_machine == "aarch64"',
        'old; python_version < "3.13"',
        'elsewhere; sys_platform == "win32"',
        'wanted; extra == "more"',
    )
    for name in ("new", "exact", "wanted"):
        put_wheel(name)

    pins = versions.resolve(["app[more]"], tmp_path, python="3.13", machine="aarch64", run=run)

    assert ["app", "exact", "new", "wanted"] == names(pins)


def test_direct_requirement_with_a_marker(put_wheel: Put, tmp_path: Path) -> None:
    """Markers of the project's own requirements follow the same rule."""
    put_wheel("new")
    asked = ['new; python_version >= "3.13"', 'old; python_version < "3.13"']

    assert ["new"] == names(
        versions.resolve(asked, tmp_path, python="3.13", machine="x86_64", run=run)
    )


@pytest.mark.claim("plan and lock run nothing")
@pytest.mark.parametrize("with_metadata", [True, False], ids=["PKG-INFO", "none"])
def test_source_distribution_is_fetched_and_none_of_it_runs(
    put_source: Put, shelf: Path, tmp_path: Path, *, with_metadata: bool
) -> None:
    """Neither its back end nor what that requires is fetched, with or without PKG-INFO."""
    mark = tmp_path / "ran"
    files = {
        "setup.py": f"open({str(mark)!r}, 'w')\nraise SystemExit('a back end ran here')",
        "pyproject.toml": '[build-system]\nrequires = ["nowhere"]\nbuild-backend = "nowhere"\n',
    }
    if with_metadata:
        files["PKG-INFO"] = "Metadata-Version: 2.1\nName: odd\nVersion: 1\nRequires-Python: >=9\n"
    pin = put_source("odd", **files)

    found = index.download_source(pin, tmp_path, run=run)

    assert found is not None
    assert (shelf / "odd-1.tar.gz").read_bytes() == found.read_bytes()
    assert not mark.exists()


def test_source_distribution_that_is_a_bomb_is_not_unpacked(
    put_source: Put, shelf: Path, tmp_path: Path
) -> None:
    """A fetch has the cost of a download: the file stays packed, whatever its content."""
    put_source("odd", **{"a/../../../b": "climbs"})
    with (shelf / "odd-1.tar.gz").open("ab") as file:
        file.write(b"and damage")
    sha256 = hashlib.sha256((shelf / "odd-1.tar.gz").read_bytes()).hexdigest()

    found = index.download_source(Pin("odd", "1", (f"sha256:{sha256}",)), tmp_path, run=run)

    assert found is not None


def test_absent_file_is_none(put_wheel: Put, tmp_path: Path) -> None:
    """No wheel and no source is a result, not an error."""
    pin = put_wheel("compiled", tag="cp313-cp313-manylinux_2_28_x86_64")

    assert index.download_wheel(pin, tmp_path, python="3.13", run=run) is None
    assert index.download_source(pin, tmp_path, run=run) is None


def test_unknown_dependency_is_named(shelf: Path, tmp_path: Path) -> None:
    """An unavailable requirement is one line that names it."""
    with pytest.raises(ProjectError, match="nowhere>3: no version of it"):
        versions.resolve(["nowhere>3"], tmp_path, python="3.13", machine="x86_64", run=run)


def test_file_the_lock_does_not_know_is_rejected(put_wheel: Put, tmp_path: Path) -> None:
    """Other bytes under the same name and version are refused."""
    put_wheel("thing")
    pin = Pin("thing", "1", ("sha256:" + "0" * 64,))

    with pytest.raises(ProjectError, match="not one the lock knows"):
        index.download_wheel(pin, tmp_path, python="3.13", run=run)


SETUP = "open({mark!r}, 'w')"


@pytest.mark.parametrize(
    "address",
    [
        "file://{tree}",
        "file://{tree}/../evil-1.tar.gz",
        "git+file://{tree}",
        "git+https://h.invalid/evil.git@main",
        "https://h.invalid/evil-1-py3-none-any.whl",
        "https://user:secret@h.invalid/evil-1.tar.gz",
    ],
)
def test_wheel_with_a_direct_reference_is_rejected(
    put_wheel: Put, shelf: Path, tmp_path: Path, address: str
) -> None:
    """An index's metadata starts no back end, no git and no download from elsewhere."""
    mark, tree = tmp_path / "ran", tmp_path / "tree"
    tree.mkdir()
    (tree / "setup.py").write_text(SETUP.format(mark=str(mark)))
    put_wheel("app", f"evil @ {address.format(tree=tree)}")

    with pytest.raises(ProjectError, match="asks for evil by an address") as caught:
        versions.resolve(["app"], tmp_path, python="3.13", machine="x86_64", run=run)

    assert not mark.exists()
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("version", ["1+--index-url", "1 --pre", "1\t2", "../1"])
def test_index_that_names_no_version_is_rejected(tmp_path: Path, version: str) -> None:
    """Data from the index becomes pip's input: it is validated like a project's."""
    report = {"install": [{"metadata": {"name": "a", "version": version}}]}

    def answers(*_: object, **__: object) -> bytes:
        return json.dumps(report).encode()

    with pytest.raises(ProjectError, match=r"the index's metadata: .* is not a version"):
        versions.resolve(["a"], tmp_path, python="3.13", machine="x86_64", run=answers)


@pytest.mark.parametrize(
    "name", ["../../../owned.whl", "/tmp/onebin-owned.whl", "..%2f..%2fowned.whl", "-x", "a\\b.whl"]
)
def test_server_that_names_the_file_elsewhere(
    put_wheel: Put, shelf: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """Content-Disposition chooses no path (pip's issue 6413): onebin fixes the place."""
    pin = put_wheel("thing")
    data = (shelf / "thing-1-py3-none-any.whl").read_bytes()

    class Names(http.server.BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None: ...

        def do_GET(self) -> None:
            body = b"<a href='/f/thing-1-py3-none-any.whl'>thing-1-py3-none-any.whl</a>"
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            if self.path.startswith("/f/"):
                body = data
                self.send_header("Content-Disposition", f'attachment; filename="{name}"')
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    room = tmp_path / "a" / "b" / "c" / "d"
    room.mkdir(parents=True)
    before = {*tmp_path.rglob("*")}
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Names) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        monkeypatch.delenv("PIP_NO_INDEX")
        monkeypatch.delenv("PIP_FIND_LINKS")
        monkeypatch.setenv("PIP_INDEX_URL", f"http://127.0.0.1:{server.server_port}/simple")
        try:
            found = index.download_wheel(pin, room, python="3.13", run=run)
        finally:
            server.shutdown()
            thread.join()

    assert room / "files" / "thing-1-py3-none-any.whl" == found
    assert not [path for path in {*tmp_path.rglob("*")} - before if not path.is_relative_to(room)]
    assert not Path("/tmp/onebin-owned.whl").exists()


ASK: dict[str, Callable[[Path], object]] = {
    "choose": lambda to: versions.resolve(["x"], to, python="3.13", machine="x86_64", run=run),
    "download": lambda to: index.download_source(Pin("x", "1", ()), to, run=run),
}


@pytest.mark.parametrize("what", ASK)
def test_absent_network_is_not_taken_for_an_absent_file(
    what: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An unreachable index is reported as such, not as one without the file."""
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.delenv("PIP_FIND_LINKS", raising=False)
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")  # the discard port: closed
    monkeypatch.setenv("PIP_RETRIES", "1")

    with pytest.raises(index.UnreachableError, match=r"127\.0\.0\.1:9/simple/x/: .*refused"):
        ASK[what](tmp_path)
