"""Applications as people write them, each used as people use it, in an image FROM scratch.

Each function takes the means to run its application's container and asserts what a user sees. The
projects are in ``packages/onebin/tests/projects/applications``.
"""

import base64
import contextlib
import http.server
import json
import os
import re
import socket
import ssl
import subprocess
import threading
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Final, Protocol

from tests.lib.running_service import free_port
from tests.lib.waiting import until

PROJECTS: Final = (
    Path(__file__).resolve().parents[2] / "packages/onebin/tests/projects/applications"
)
LOOPBACK: Final = "127.0.0.1"


class Container(Protocol):
    """The means to run an application."""

    scratch: Path
    """A directory of the machine, writable inside as ``/data``."""

    def run(self, *arguments: str, stdin: str = "", env: Mapping[str, str] = {}) -> str:
        """Run it to its end and return its stdout; it reaches servers on the loopback."""
        ...

    def serving(
        self, *arguments: str, port: int = 8080, env: Mapping[str, str] = {}
    ) -> AbstractContextManager[str]:
        """Run it while the block runs; give the base URL of its *port*, once that accepts.

        Without a port it shares the loopback, as ``run`` does.
        """
        ...


class Session:
    """A browser's part: cookies and forms."""

    def __init__(self, base: str) -> None:
        self.base = base
        self._opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor())

    def get(self, path: str, data: Mapping[str, str] | None = None) -> str:
        """Request *path*, with the form *data*; follow redirects, return the text of any status."""
        body = urllib.parse.urlencode(data).encode() if data is not None else None
        request = urllib.request.Request(f"{self.base}{path}", body, {"Referer": self.base})
        try:
            with self._opener.open(request, timeout=60) as response:
                text: str = response.read().decode()
        except urllib.error.HTTPError as error:
            return f"{error.code} {error.read().decode()}"
        return text


def use_flask_waitress(container: Container) -> None:
    """A form, a template with inheritance, a flashed message, a static file, an error page."""
    with container.serving() as base:
        session = Session(base)
        assert "<li>Ann &lt;b&gt;</li>" in session.get("/", {"name": "Ann <b>"})
        assert {"version": "1.4.0", "entries": ["Ann <b>"]} == json.loads(session.get("/api"))
        assert "color: green" in session.get("/static/style.css")
        assert session.get("/broken").startswith("500 ")


def use_flask_gunicorn(container: Container) -> None:
    """Several workers of one parent share the requests."""
    command = ["-w", "3", "-b", "0.0.0.0:8080", "--worker-tmp-dir", "/dev/shm", "shop.app:app"]
    with container.serving(*command) as base:
        session = Session(base)
        found: list[dict[str, int]] = []

        def two_workers() -> bool:
            found.append(json.loads(session.get("/")))
            return len({item["pid"] for item in found}) > 1

        until(two_workers)
        assert {1} == {item["parent"] for item in found}


def use_django_site(container: Container) -> None:
    """Migrations, a command of the site, static files, the admin's login, a view."""
    env = {"DATA_DIR": "/data"}
    assert "polls.0001_initial... OK" in container.run("migrate", env=env)
    assert "question 1" in container.run("add", "Why?", env=env)
    assert "static files copied" in container.run("collectstatic", "--noinput", env=env)
    admin = {**env, "DJANGO_SUPERUSER_PASSWORD": "pw"}
    container.run(
        "createsuperuser", "--noinput", "--username", "ann", "--email", "ann@example.org", env=admin
    )
    assert "[ ] " not in container.run("showmigrations", env=env)
    with container.serving("runserver", "0.0.0.0:8080", env={**env, "DEBUG": "1"}) as base:
        session = Session(base)
        assert re.search(r"<li>Why\? \(CES?T\)</li>", session.get("/polls/"))
        assert "<svg" in session.get("/static/polls/dot.svg")
        login = session.get("/admin/login/?next=/admin/")
        token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', login)
        assert token
        form = {"csrfmiddlewaretoken": token[1], "username": "ann", "password": "pw"}
        assert "/admin/polls/question/" in session.get("/admin/login/?next=/admin/", form)


def use_starlette_uvicorn(container: Container) -> None:
    """A template and a file beside the module, two workers, a WebSocket."""
    with container.serving(env={"WORKERS": "2"}) as base:
        session = Session(base)
        assert "<title>Chat</title>" in session.get("/")
        assert "WebSocket" in session.get("/static/chat.js")
        assert json.loads(session.get("/stats"))["started"]
        assert "dlrow" == _echo(base, "/ws", "world")


def use_aiohttp_service(container: Container) -> None:
    """A request to itself, a WebSocket, the port as an option."""
    with container.serving() as base:
        session = Session(base)
        assert "itself" == json.loads(session.get("/twice"))["inner"]["name"]
        assert "WORLD" == _echo(base, "/ws", "world")


def use_click_rich_tool(container: Container) -> None:
    """Package data, a table, the version, an error's status, completion."""
    assert "Süßwassermöwe" in container.run("list")
    assert "3.2.1" in container.run("--version")
    assert "print('Wren')" in container.run("show", "Wren")
    completion = {"_BIRD_WATCH_COMPLETE": "zsh_source"}
    assert "compdef" in container.run(env=completion)
    words = {
        "_BIRD_WATCH_COMPLETE": "bash_complete",
        "COMP_WORDS": "bird-watch show W",
        "COMP_CWORD": "2",
    }
    assert "plain,Wren" == container.run(env=words).strip()


def use_tls_clients(container: Container) -> None:
    """Each client trusts a private CA that it is given, and only then."""
    with _tls_server(container.scratch) as port:
        url = f"https://localhost:{port}/"
        clients = ("requests", "httpx", "async httpx", "urllib3", "urllib")
        # urllib reads SSL_CERT_FILE, as OpenSSL does.
        env = {"CA": "/data/ca.pem", "SSL_CERT_FILE": "/data/ca.pem"}
        assert {f"{name}: hello" for name in clients} == {*container.run(url, env=env).splitlines()}
        assert "hello" not in container.run(url)


def use_boto3_client(container: Container) -> None:
    """Object storage: signed requests, a paginator, the data files of the services."""
    with _serve(_Bucket) as port:
        printed = container.run(f"http://{LOOPBACK}:{port}").splitlines()
    assert ["a/b.txt 8", "contents"] == printed[:2]


def use_alembic_notes(container: Container) -> None:
    """Migrations inside the executable, a database outside; the second run finds the first's."""
    assert "1 notes" in container.run("/data/notes.db")
    assert "1 notes" in container.run("/data/notes.db")
    assert "0001 -> 0002 (head)" in container.run("/data/notes.db")


def use_celery_worker(container: Container) -> None:
    """A worker with two processes and a sender, over a real Redis."""
    port = free_port()
    redis = subprocess.Popen(
        ["redis-server", "--port", str(port), "--bind", LOOPBACK, "--save", ""],
        stdout=subprocess.DEVNULL,
    )
    worker = ("worker", "--concurrency", "2", "--loglevel", "info")
    try:
        env = {"REDIS": f"redis://{LOOPBACK}:{port}/0"}
        with container.serving(*worker, port=0, env=env):
            printed = container.run("send", env=env)
            assert [str([2 * n for n in range(10)]), "True"] == printed.splitlines()
    finally:
        redis.terminate()
        redis.wait()


def use_process_pools(container: Container) -> None:
    """Each start method, by executor and by pool, and joblib's processes."""
    cubes = str([n**3 for n in range(5)])
    lines = container.run().splitlines()
    assert {cubes} == {line[line.index("[") :] for line in lines}
    assert {"fork", "spawn", "forkserver", "loky"} <= {line.split()[0] for line in lines}


def use_namespace_plugins(container: Container) -> None:
    """Entry points of a namespace package: by metadata, by stevedore, by pkgutil."""
    names = "['acme.plugins.round', 'acme.plugins.square']"
    assert [
        "5.0",
        "[('round', 13), ('square', 4)]",
        "[('round', 28), ('square', 9)]",
        f"{names} {names}",
    ] == container.run().splitlines()


def use_pep723_script(container: Container) -> None:
    """A script with its dependencies in a comment reads its stdin."""
    printed = container.run(stdin="[{name: a, count: 1}]")
    assert "Row(name='a', count=1)" in printed
    assert "report.py __main__" in printed


USES: Final[Mapping[str, Callable[[Container], None]]] = {
    name.removeprefix("use_").replace("_", "-"): use
    for name, use in list(globals().items())
    if name.startswith("use_")
}
"""Folder of a project to its use."""


def _echo(base: str, path: str, text: str) -> str:
    """Send *text* over a WebSocket (RFC 6455) and return the reply."""
    host, _, port = base.removeprefix("http://").partition(":")
    with socket.create_connection((host, int(port)), timeout=60) as connection:
        key = base64.b64encode(os.urandom(16)).decode()
        connection.sendall(
            f"GET {path} HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n".encode()
        )
        stream = connection.makefile("rb")
        assert b"101" in stream.readline()
        while stream.readline() not in {b"\r\n", b""}:
            pass
        mask, data = os.urandom(4), text.encode()
        masked = bytes(byte ^ mask[n % 4] for n, byte in enumerate(data))
        connection.sendall(bytes((0x81, 0x80 | len(data))) + mask + masked)
        head = stream.read(2)
        return stream.read(head[1]).decode()


@contextlib.contextmanager
def _serve(
    handler: type[http.server.BaseHTTPRequestHandler], tls: ssl.SSLContext | None = None
) -> Iterator[int]:
    server = http.server.ThreadingHTTPServer((LOOPBACK, 0), handler)
    if tls:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _Hello(http.server.BaseHTTPRequestHandler):
    """Greet each request."""

    def do_GET(self) -> None:
        """Send a greeting."""
        self.send_response(200)
        self.send_header("Content-Length", "5")
        self.end_headers()
        self.wfile.write(b"hello")

    def log_message(self, *_: object) -> None:
        """Print nothing."""


class _Bucket(_Hello):
    """One bucket of Amazon's S3 for one object: what a client's first steps need."""

    stored = b""

    def do_PUT(self) -> None:
        """Keep the object; boto3 sends it in signed chunks (aws-chunked)."""
        assert "Signature=" in (self.headers["Authorization"] or "")
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if "aws-chunked" in (self.headers["Content-Encoding"] or ""):
            size = int(body.partition(b"\r\n")[0].partition(b";")[0], 16)
            body = body.partition(b"\r\n")[2][:size]
        type(self).stored = body
        self._send(b"")

    def do_GET(self) -> None:
        """List the bucket, or send the object."""
        if "list-type" not in self.path:
            self._send(self.stored)
            return
        self._send(
            b"<ListBucketResult><IsTruncated>false</IsTruncated><Contents><Key>a/b.txt</Key>"
            b"<Size>%d</Size></Contents></ListBucketResult>" % len(self.stored)
        )

    def _send(self, body: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@contextlib.contextmanager
def _tls_server(folder: Path) -> Iterator[int]:
    """Serve a greeting for ``localhost`` by a certificate of a private CA, ``ca.pem``."""
    (folder / "extensions").write_text(
        "subjectAltName=DNS:localhost\nauthorityKeyIdentifier=keyid\nbasicConstraints=CA:FALSE\n"
    )
    key = "-newkey rsa:2048 -nodes"
    usage = "keyUsage=critical,keyCertSign,cRLSign"
    commands = (
        f"req -x509 {key} -keyout ca.key -out ca.pem -subj /CN=private -addext {usage}",
        f"req {key} -keyout server.key -out server.csr -subj /CN=localhost",
        "x509 -req -in server.csr -CA ca.pem -CAkey ca.key -out server.pem -extfile extensions",
    )
    for command in commands:
        subprocess.run(["openssl", *command.split()], cwd=folder, check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "server.pem", folder / "server.key")
    (folder / "ca.pem").chmod(0o644)
    with _serve(_Hello, context) as port:
        yield port
