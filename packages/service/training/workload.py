"""What the executable is trained with: every resource, asked by every kind of client we know of.

    onebin train packages/service -- python3 packages/service/training/workload.py

Broader than any benchmark on purpose: all routes, eight clients' heads, every way to ask, and
what is refused, so that no two resources are made fast at the cost of the others.
"""

import contextlib
import itertools
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Final

LIGHT: Final = 1000
"""Requests of each client for a resource with a short answer; such are asked for all the time."""

HEAVY: Final = 8
"""The same for a long answer: a page, a scrape, a report, once in a while."""

LONG_BYTES: Final = 4096
CONNECTIONS: Final = 8
PIPELINED: Final = 8
REFUSED: Final = 40
"""Of each kind that is refused: rare, except under attack."""

PATIENCE_SECONDS: Final = 20

CHROME: Final = (
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/140.0.0.0\r\n"
    'sec-ch-ua: "Chromium";v="140"\r\nsec-ch-ua-mobile: ?0\r\nsec-ch-ua-platform: "Linux"\r\n'
    "Accept: {accept}\r\nAccept-Encoding: gzip, deflate, br, zstd\r\n"
    "Accept-Language: en-GB,en;q=0.9\r\nSec-Fetch-Site: none\r\nSec-Fetch-Mode: navigate\r\n"
    "Sec-Fetch-Dest: document\r\nUpgrade-Insecure-Requests: 1\r\nCookie: session={id}\r\n"
)

CLIENTS: Final = {
    "bare": "",
    "curl": "User-Agent: curl/8.14.1\r\nAccept: */*\r\n",
    "kubelet": "User-Agent: kube-probe/1.34\r\nAccept: */*\r\nAccept-Encoding: gzip\r\n",
    "prometheus": "User-Agent: Prometheus/3.5.0\r\nAccept-Encoding: gzip\r\n"
    "Accept: text/plain;version=0.0.4;q=0.5,*/*;q=0.1\r\n"
    "X-Prometheus-Scrape-Timeout-Seconds: 10\r\n",
    "go": "User-Agent: Go-http-client/1.1\r\nAccept-Encoding: gzip\r\n",
    "python": "User-Agent: python-requests/2.32.5\r\nAccept-Encoding: gzip, deflate\r\n"
    "Accept: */*\r\nConnection: keep-alive\r\n",
    "mesh": "user-agent: Go-http-client/1.1\r\naccept: application/json\r\n"
    "x-forwarded-for: 10.42.0.{number}\r\nx-forwarded-proto: https\r\nx-request-id: {id}\r\n"
    "traceparent: 00-{id}{id}-00f067aa0ba902b7-01\r\nx-envoy-attempt-count: 1\r\n",
    "browser": CHROME,
}
"""The fields of each after Host; the identifiers are others in each request, as they are."""

ODD: Final = (
    b"HEAD / HTTP/1.1\r\nHost: a\r\n\r\n",
    b"GET /nothing?here=1 HTTP/1.1\r\nHost: a\r\n\r\n",
    b"DELETE /health HTTP/1.1\r\nHost: a\r\n\r\n",
    b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 11\r\n\r\nhello world",
    b"PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n",
    b"GET http://a/health HTTP/1.1\r\nHost: a\r\n\r\n",
    b"OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n",
    b"GET /health HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
)
"""Answered, and the connection goes on."""

LAST: Final = (
    b"GET /health HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
    b"GET / HTTP/1.0\r\n\r\n",
    b"GET / HTTP/1.1\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: +5\r\n\r\n",
    b"GET /" + b"a" * 9000 + b" HTTP/1.1\r\nHost: a\r\n\r\n",
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
)
"""Answered, and the connection ends."""

CONFIGURATIONS: Final[tuple[dict[str, str], ...]] = (
    {},
    {"ACCESS_LOG": "true"},
    {"TRUSTED_PROXIES": "127.0.0.0/8"},
)

_LENGTH: Final = re.compile(rb"Content-Length: (\d+)")


class Connection:
    """A client's end: writes, and reads as many answers."""

    def __init__(self, port: int) -> None:
        self._sock = socket.create_connection(("127.0.0.1", port), PATIENCE_SECONDS)
        self._sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._data = b""

    def ask(self, requests: bytes) -> None:
        """Send *requests*."""
        self._sock.sendall(requests)

    def answer(self, *, is_head: bool = False) -> bytes:
        """Return the next answer's body."""
        while b"\r\n\r\n" not in self._data:
            self._receive()
        head, _, rest = self._data.partition(b"\r\n\r\n")
        found = _LENGTH.search(head)
        size = int(found[1]) if found and not is_head else 0
        while len(rest) < size:
            self._receive()
            rest = self._data.partition(b"\r\n\r\n")[2]
        self._data = rest[size:]
        return rest[:size]

    def end(self) -> None:
        """Read to the end and close."""
        with self._sock, contextlib.suppress(ConnectionError):
            while self._sock.recv(1 << 16):
                pass

    def close(self) -> None:
        """Close."""
        self._sock.close()

    def _receive(self) -> None:
        data = self._sock.recv(1 << 16)
        if not data:
            raise ConnectionError("the service has closed the connection")
        self._data += data


def main() -> None:
    """Run the executable in every configuration, and each of its commands."""
    program = os.environ["ONEBIN_PROGRAM"]
    for settings in CONFIGURATIONS:
        with _serving(program, settings) as port:
            _work(port)
            for words in (["check"], ["report"], ["report", "--json"], ["--version"], ["--help"]):
                env = {**os.environ, **settings, "PORT": str(port)}
                subprocess.run([program, *words], env=env, check=True, stdout=subprocess.DEVNULL)
        print(f"trained with {settings or 'no settings'}", flush=True)


@contextlib.contextmanager
def _serving(program: str, settings: dict[str, str]) -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    env = {**os.environ, **settings, "HOST": "127.0.0.1", "PORT": str(port)}
    env["DRAIN_DELAY_SECONDS"] = "0"
    process = subprocess.Popen([program], env=env, stdout=subprocess.DEVNULL)
    try:
        _await(port, process)
        yield port
        # By itself, or it leaves no counters.
        process.send_signal(signal.SIGTERM)
        if process.wait(PATIENCE_SECONDS):
            sys.exit(f"workload: {program} ended with status {process.returncode}")
    finally:
        process.kill()


def _await(port: int, process: subprocess.Popen[bytes]) -> None:
    for _ in range(PATIENCE_SECONDS * 100):
        with contextlib.suppress(ConnectionError):
            Connection(port).close()
            return
        if process.poll() is not None:
            sys.exit(f"workload: the service ended with status {process.returncode}")
        time.sleep(0.01)
    sys.exit("workload: the service does not answer")


def _work(port: int) -> None:
    paths = _paths(port)
    for client, path in itertools.product(CLIENTS, paths):
        connections = [Connection(port) for _ in range(CONNECTIONS)]
        times = LIGHT if paths[path] < LONG_BYTES else HEAVY
        # All ask before the first answer is read: the service has several at once.
        for number in range(0, times, CONNECTIONS):
            for connection in connections:
                connection.ask(_request(client, path, number))
            for connection in connections:
                connection.answer()
        for connection in connections:
            connection.close()
    connection = Connection(port)
    for number in range(LIGHT):
        connection.ask(_request("bare", "/health", number) * PIPELINED)
        for _ in range(PIPELINED):
            connection.answer()
    for request in ODD * REFUSED:
        connection.ask(request)
        connection.answer(is_head=request.startswith(b"HEAD"))
    connection.close()
    for request in LAST * REFUSED:
        connection = Connection(port)
        connection.ask(request)
        connection.end()


def _paths(port: int) -> dict[str, int]:
    """Return what is published, and how long its answer is."""
    connection = Connection(port)
    connection.ask(_request("bare", "/", 0))
    published = [one["path"] for one in json.loads(connection.answer())["endpoints"]]
    sizes = {}
    for path in published:
        connection.ask(_request("bare", path, 0))
        sizes[path] = len(connection.answer())
    connection.close()
    return sizes


def _request(client: str, path: str, number: int) -> bytes:
    # A browser navigates to the page, and fetches the rest.
    accept = "text/html,*/*;q=0.8" if path == "/" and not number % 100 else "*/*"
    fields = CLIENTS[client].format(id=f"{number:016x}", number=number % 250, accept=accept)
    return f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:8080\r\n{fields}\r\n".encode()


if __name__ == "__main__":
    main()
