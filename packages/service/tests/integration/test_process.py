"""The process: signals, exit statuses, errors at the start."""

import signal
import socket
import subprocess
import threading

import pytest

from tests.lib.http_client import GET, HALF, REST, TIMEOUT_SECONDS, Response
from tests.lib.running_service import RunningService, Start, free_port, run_program

pytestmark = pytest.mark.claim("shutdown, step by step")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signal(start: Start, number: signal.Signals) -> None:
    """A signal ends it with status 0 and is logged."""
    service = start()

    service.signal(number)

    draining, termination, stopped = service.event(), service.event(), service.event()
    assert (draining["event"], draining["signal"], draining["connections"]) == (
        "draining",
        number.name,
        0,
    )
    assert (termination["event"], termination["signal"]) == ("termination", number.name)
    assert (stopped["event"], stopped["aborted"]) == ("stopped", 0)
    assert service.wait() == 0


def test_request_in_flight(start: Start) -> None:
    """A request begun before the signal gets a response, with ``Connection: close``."""
    service = start()
    with service.connect() as connection:
        connection.send(GET + HALF)
        assert not connection.read().closes
        service.signal(signal.SIGTERM)
        assert service.event()["connections"] == 1
        connection.send(REST)

        response = connection.read()

        assert (response.status, response.closes) == (200, True)
        connection.expect_end()
    assert service.event()["finished"] == 1
    assert service.event()["aborted"] == 0
    assert service.wait() == 0


def test_idle_connection(start: Start) -> None:
    """An idle connection does not delay the end."""
    service = start()
    with service.connect() as connection:
        connection.request()
        service.signal(signal.SIGTERM)

        connection.expect_end()
        assert service.wait() == 0


def test_no_failed_request(start: Start) -> None:
    """Under load each client's last response has `Connection: close`; none is refused or reset."""
    service = start()
    last: list[Response] = []
    connected = threading.Barrier(9, timeout=TIMEOUT_SECONDS)

    def run() -> None:
        with service.connect() as connection:
            connected.wait()
            while not (response := connection.request()).closes:
                pass
            last.append(response)

    threads = [threading.Thread(target=run) for _ in range(8)]
    for thread in threads:
        thread.start()
    connected.wait()
    service.signal(signal.SIGTERM)
    for thread in threads:
        thread.join(TIMEOUT_SECONDS)

    assert service.wait() == 0
    assert [response.status for response in last] == [200] * 8


def test_no_new_connections(start: Start) -> None:
    """After the signal no connection is accepted, and open ones may finish."""
    service = start()
    with service.connect() as connection:
        connection.send(HALF)
        service.signal(signal.SIGTERM)
        service.event()
        with pytest.raises(ConnectionRefusedError):
            connect_until_refused(service)
        connection.send(REST)
        assert connection.read().status == 200


def connect_until_refused(service: RunningService) -> None:
    """Connect until a connection is refused."""
    while True:
        service.connect().close()


def test_drain_delay(start: Start) -> None:
    """During the delay new clients are served, each with one response and `Connection: close`."""
    service = start("--drain-delay-seconds", "600")
    service.signal(signal.SIGTERM)
    service.event("draining")
    with service.connect() as connection:
        assert connection.request().closes
        connection.expect_end()
    service.signal(signal.SIGTERM)
    assert service.wait() == 128 + signal.SIGTERM


def test_drain_delay_has_an_end(start: Start) -> None:
    """After the delay it ends by itself, not earlier."""
    service = start("--drain-delay-seconds", "1")
    service.signal(signal.SIGTERM)

    assert service.event("termination")["accept_stopped_after_seconds"] >= 1
    assert service.wait() == 0


def test_drain_has_an_end(start: Start) -> None:
    """A connection that does not finish in the drain time is closed; the status is still 0."""
    service = start("--drain-seconds", "1")
    with service.connect() as connection:
        connection.send(GET + HALF)
        connection.read()
        service.signal(signal.SIGTERM)
        service.event()

        assert service.event()["aborted"] == 1
        assert service.event()["aborted"] == 1
        assert service.wait() == 0


@pytest.mark.parametrize(
    ("second", "status"), [(signal.SIGTERM, 128 + 15), (signal.SIGINT, 128 + 2)]
)
def test_second_signal(start: Start, second: signal.Signals, status: int) -> None:
    """A second signal ends it at once."""
    service = start()
    with service.connect() as connection:
        connection.send(GET + HALF)
        connection.read()
        service.signal(signal.SIGTERM)
        service.event()
        service.signal(second)

        assert service.wait() == status


def test_port_in_use() -> None:
    """A port in use is an error of one line and status 1."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ended = run_program("serve", "--host", "127.0.0.1", PORT=str(port))

    assert ended.returncode == 1
    assert ended.stdout == ""
    assert ended.stderr == (
        f"devops-info-service: cannot listen on 127.0.0.1:{port}: address already in use\n"
    )


@pytest.mark.parametrize(
    ("args", "environ", "line"),
    [
        ([], {"PORT": "x"}, "PORT: invalid value 'x'; expected an integer from 0 to 65535"),
        (
            [],
            {"DEBUG": "x"},
            "DEBUG: invalid value 'x'; expected true or false (1, yes, on; 0, no, off)",
        ),
        (
            ["serve", "--port", "x"],
            {},
            "--port: invalid value 'x'; expected an integer from 0 to 65535",
        ),
        (["--prot"], {}, "unknown flag '--prot'; the nearest is --port"),
        (
            ["repeat"],
            {},
            (
                "unknown command 'repeat'; expected serve, check, report, audit, probe or load;"
                " the nearest is report"
            ),
        ),
    ],
)
def test_bad_value(args: list[str], environ: dict[str, str], line: str) -> None:
    """A bad value is an error of one line and status 2."""
    ended = run_program(*args, **environ)

    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr == f"devops-info-service: {line}\n"


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["--version"], "devops-info-service 1.0.0\n"),
        (["--help"], "usage: devops-info-service [serve]"),
        (["serve", "--help"], "usage: devops-info-service serve"),
        (["check", "--help"], "usage: devops-info-service check"),
    ],
)
def test_help(args: list[str], said: str) -> None:
    """Help and version are results: on stdout, with status 0."""
    ended = run_program(*args)

    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout.startswith(said)


def test_closed_standard_streams(launch: Start) -> None:
    """Without an open stdout the log never goes into a client's connection."""
    closing = ("sh", "-c", 'exec "$@" 0<&- 1>&- 2>&-', "sh")
    service = launch("--access-log", prefix=closing, port=free_port(), stdout=subprocess.DEVNULL)
    response = service.get()

    assert response.status == 200
    assert b'"event"' not in response.body
    service.signal(signal.SIGTERM)
    assert service.wait() == 0
