"""``/tools`` of a real process, by the standard library's client."""

import contextlib
import hashlib
import http.client
import json
import signal
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.lib.http_client import request
from tests.lib.running_service import RunningService, Start, run_program

pytestmark = pytest.mark.claim("tools are bounded")


@pytest.fixture(params=["1", "2"])
def service(start: Start, request: pytest.FixtureRequest) -> RunningService:
    """A service with tools."""
    return start("--tools", "--workers", request.param)


Connect = Callable[[], http.client.HTTPConnection]


@pytest.fixture
def connect(service: RunningService) -> Iterator[Connect]:
    """Make connections that end with the test."""
    with contextlib.ExitStack() as stack:

        def connect_one() -> http.client.HTTPConnection:
            connection = http.client.HTTPConnection("127.0.0.1", service.port, timeout=60)
            return stack.enter_context(contextlib.closing(connection))

        yield connect_one


def test_streams(connect: Connect) -> None:
    """Events and bytes arrive whole, one after the other on one connection."""
    connection = connect()
    for _ in range(2):
        connection.request("GET", "/tools/events?count=3&interval=0.1")
        response = connection.getresponse()
        events = response.read().decode().split("\n\n")
        assert [event.partition("\n")[0] for event in events] == ["id: 1", "id: 2", "id: 3", ""]
        connection.request("GET", "/tools/bytes/3000000")
        assert len(connection.getresponse().read()) == 3_000_000


def test_upload(connect: Connect) -> None:
    """A body of some MB, with a length and in chunks."""
    data = bytes(range(256)) * 12_000
    connection = connect()
    for body in (data, (data[at : at + 70_000] for at in range(0, len(data), 70_000))):
        connection.request("POST", "/tools/upload", body=body)
        found = json.loads(connection.getresponse().read())
        assert found == {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}


def test_delays_block_no_worker(service: RunningService, connect: Connect) -> None:
    """Fifty delays take the time of one, and probes are served meanwhile."""

    def delayed(_: int) -> int:
        connection = connect()
        connection.request("GET", "/tools/delay/1")
        return connection.getresponse().status

    with ThreadPoolExecutor(50) as pool:
        began = time.monotonic()
        found = pool.map(delayed, range(50))
        assert service.get("/health").status == 200
        assert set(found) == {200}
        assert time.monotonic() - began < 25


def test_faults_of_all_workers(service: RunningService, connect: Connect) -> None:
    """Injected by one worker, in every one."""
    connection = connect()
    connection.request("PUT", "/tools/faults", body='{"error_rate": 1, "ready": false}')
    assert connection.getresponse().status == 200
    assert {service.get("/").status for _ in range(20)} == {500}
    assert {service.get("/readyz").status for _ in range(20)} == {503}
    assert service.get("/tools/faults", method="DELETE").status == 200
    assert {service.get("/").status for _ in range(20)} == {200}


def test_burn(service: RunningService, connect: Connect) -> None:
    """CPU time and memory are used, and the service goes on."""
    connection = connect()
    connection.request(
        "POST", "/tools/burn", body='{"cpus": 1, "memory_bytes": 30000000, "seconds": 2}'
    )
    response = connection.getresponse()
    assert (response.status, response.read()) == (
        202,
        b'{"cpus":1.0,"memory_bytes":30000000,"seconds":2.0}',
    )
    for _ in range(100):
        assert service.get("/health").status == 200


def test_exit(start: Start) -> None:
    """The process ends with the status, without a response."""
    service = start("--tools")
    with service.connect() as connection:
        connection.send(request("/tools/exit/7", method="POST"))
        connection.expect_end()
    assert service.wait() == 7


def test_end_of_streams(service: RunningService, connect: Connect) -> None:
    """A stream of events ends well with the service, before the time to drain is over."""
    connection = connect()
    connection.request("GET", "/tools/events?count=3600&interval=0.2")
    response = connection.getresponse()
    response.read1()
    service.signal(signal.SIGTERM)
    response.read()  # It raises if the last chunk is missing.
    assert service.rest()[-1]["aborted"] == 0
    assert service.wait() == 0


def test_controls_on_the_management_port(start: Start) -> None:
    """Clients of the service's port cannot inject, burn or end."""
    service = start("--tools", "--management-port", "0")
    for path, method in (
        ("/tools/faults", "PUT"),
        ("/tools/burn", "POST"),
        ("/tools/exit/1", "POST"),
    ):
        assert service.get(path, method=method).status == 404
    assert service.get("/tools/headers").status == 200


@pytest.mark.sample(every=3)
@pytest.mark.parametrize("flags", [(), ("--no-keepalive",), ("--rate", "200")])
def test_load(service: RunningService, flags: tuple[str, ...]) -> None:
    """``load`` counts what the service has served."""
    url = f"http://127.0.0.1:{service.port}/health"
    ended = run_program("load", url, "--requests", "200", "--connections", "4", "--json", *flags)
    assert ended.returncode == 0, ended.stderr
    found = json.loads(ended.stdout)
    assert (found["requests"], found["failures"], found["retried"]) == (200, {}, 0)
    assert found["connections"] == (200 if "--no-keepalive" in flags else 4)
    assert 0 < found["p50"] <= found["p90"] <= found["p99"] <= found["max"]


@pytest.mark.sample(every=3)
@pytest.mark.parametrize(
    ("path", "failure"),
    [
        ("/tools/status/503", "status 503"),
        ("/tools/exit/0", "status 405"),
        ("/tools/delay/30", "no response within 0.5 s"),
    ],
)
def test_load_failures(service: RunningService, path: str, failure: str) -> None:
    """Failures are counted by kind, and end with status 1."""
    url = f"http://127.0.0.1:{service.port}{path}"
    ended = run_program("load", url, "--requests", "5", "--json", "--timeout", "0.5")
    assert ended.returncode == 1
    assert json.loads(ended.stdout)["failures"] == {failure: 5}


@pytest.mark.parametrize("path", ["/tools/bytes/300000", "/tools/events?count=2&interval=0.1"])
def test_load_of_streams(service: RunningService, path: str) -> None:
    """Bodies with a length and in chunks are read to their end."""
    url = f"http://127.0.0.1:{service.port}{path}"
    ended = run_program("load", url, "--requests", "20", "--json")
    assert ended.returncode == 0
    assert json.loads(ended.stdout)["body_bytes"] >= 20 * 60


@pytest.mark.parametrize("words", [("--requests", "0"), ("--rate", "x"), ("--connections", "1e9")])
def test_load_flags(words: tuple[str, ...]) -> None:
    """A value that is not allowed is one line, with the allowed ones, and status 2."""
    ended = run_program("load", "http://127.0.0.1:1/", *words)
    assert ended.returncode == 2
    assert "expected" in ended.stderr
    assert len(ended.stderr.splitlines()) == 1


def test_load_with_nothing_there() -> None:
    """A refused connection is a failure."""
    ended = run_program("load", "http://127.0.0.1:1/", "--requests", "3")
    assert ended.returncode == 1
    assert "3 Connection refused" in ended.stdout
