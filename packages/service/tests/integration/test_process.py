"""The process: signals, exit statuses, errors at the start, the health check."""

import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from typing import Any

import pytest

from .raw_requests import GET

pytestmark = pytest.mark.claim("shutdown, step by step")

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def run() -> Run:
    """Run the program to its end."""

    def run_it(*words: str, **environ: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "devops_info_service", *words],
            capture_output=True,
            text=True,
            check=False,
            timeout=20,
            env={**os.environ, **environ},
        )

    return run_it


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signal(start: Any, number: signal.Signals) -> None:
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


def test_request_in_flight(start: Any) -> None:
    """A request begun before the signal gets a response, with ``Connection: close``."""
    service = start()
    with service.connect() as sock:
        sock.sendall(GET + GET[:10])
        assert b"Connection: close" not in sock.recv(1000)
        service.signal(signal.SIGTERM)
        assert service.event()["connections"] == 1
        sock.sendall(GET[10:])

        answer = sock.recv(1000)

        assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
        assert b"Connection: close\r\n" in answer
        assert sock.recv(1000) == b""
    assert service.event()["finished"] == 1
    assert service.event()["aborted"] == 0
    assert service.wait() == 0


def test_idle_connection(start: Any) -> None:
    """An idle connection does not delay the end."""
    service = start()
    with service.connect() as sock:
        sock.sendall(GET)
        sock.recv(1000)
        service.signal(signal.SIGTERM)

        assert sock.recv(1000) == b""
        assert service.wait() == 0


def test_no_failed_request(start: Any) -> None:
    """Under load each client's last response has `Connection: close`; none is refused or reset."""
    service = start()
    last_answers: list[bytes] = []
    connected = threading.Barrier(9, timeout=20)

    def use() -> None:
        with service.connect() as sock:
            connected.wait()
            answer = b""
            while b"Connection: close\r\n" not in answer:
                sock.sendall(GET)
                answer = sock.recv(1000)
                if not answer:
                    break
            last_answers.append(answer)

    threads = [threading.Thread(target=use) for _ in range(8)]
    for thread in threads:
        thread.start()
    connected.wait()
    service.signal(signal.SIGTERM)
    for thread in threads:
        thread.join(20)

    assert service.wait() == 0
    assert [answer[:15] for answer in last_answers] == [b"HTTP/1.1 200 OK"] * 8


def test_no_new_connections(start: Any) -> None:
    """After the signal no connection is accepted, and open ones may finish."""
    service = start()
    with service.connect() as sock:
        sock.sendall(GET[:10])
        service.signal(signal.SIGTERM)
        service.event()
        with pytest.raises(ConnectionRefusedError):
            connect_for_ever(service)
        sock.sendall(GET[10:])
        assert sock.recv(1000).startswith(b"HTTP/1.1 200 OK\r\n")


def connect_for_ever(service: Any) -> None:
    """Connect until a connection is refused."""
    while True:
        service.connect().close()


def test_drain_delay(start: Any) -> None:
    """During the delay new clients are served, each with one response and `Connection: close`."""
    service = start("--drain-delay-seconds", "1")
    service.signal(signal.SIGTERM)
    service.event()
    with service.connect() as sock:
        sock.sendall(GET)
        assert b"Connection: close\r\n" in sock.recv(1000)
    assert service.wait() == 0


def test_drain_has_an_end(start: Any) -> None:
    """A connection that does not finish in the drain time is closed; the status is still 0."""
    service = start("--drain-seconds", "1")
    with service.connect() as sock:
        sock.sendall(GET + GET[:10])
        sock.recv(1000)
        service.signal(signal.SIGTERM)
        service.event()

        assert service.event()["aborted"] == 1
        assert service.event()["aborted"] == 1
        assert service.wait() == 0


@pytest.mark.parametrize(
    ("second", "status"), [(signal.SIGTERM, 128 + 15), (signal.SIGINT, 128 + 2)]
)
def test_second_signal(start: Any, second: signal.Signals, status: int) -> None:
    """A second signal ends it at once."""
    service = start()
    with service.connect() as sock:
        sock.sendall(GET + GET[:10])
        sock.recv(1000)
        service.signal(signal.SIGTERM)
        service.event()
        service.signal(second)

        assert service.wait() == status


def test_port_in_use(run: Run) -> None:
    """A port in use is an error of one line and status 1."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ended = run("serve", "--host", "127.0.0.1", PORT=str(port))

    assert ended.returncode == 1
    assert ended.stdout == ""
    assert ended.stderr == (
        f"devops-info-service: cannot listen on 127.0.0.1:{port}: address already in use\n"
    )


@pytest.mark.parametrize(
    ("words", "environ", "line"),
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
            "unknown command 'repeat'; expected serve, check or report; the nearest is report",
        ),
    ],
)
def test_bad_value(run: Run, words: list[str], environ: dict[str, str], line: str) -> None:
    """A bad value is an error of one line and status 2."""
    ended = run(*words, **environ)

    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr == f"devops-info-service: {line}\n"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--version"], "devops-info-service 1.0.0\n"),
        (["--help"], "usage: devops-info-service [serve]"),
        (["serve", "--help"], "usage: devops-info-service serve"),
        (["check", "--help"], "usage: devops-info-service check"),
    ],
)
def test_help(run: Run, words: list[str], said: str) -> None:
    """Help and version are results: on stdout, with status 0."""
    ended = run(*words)

    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout.startswith(said)


def test_check(start: Any, run: Run) -> None:
    """The health check of a healthy service: status 0 and one line."""
    service = start()
    url = f"http://127.0.0.1:{service.port}/health"

    ended = run("check", url)

    assert (ended.returncode, ended.stdout, ended.stderr) == (0, f"{url}: 200 OK\n", "")


def test_check_of_the_same_environment(start: Any, run: Run) -> None:
    """Without a URL it checks the service of the same environment."""
    service = start()

    ended = run("check", HOST="0.0.0.0", PORT=str(service.port))

    assert ended.returncode == 0
    assert ended.stdout == f"http://127.0.0.1:{service.port}/health: 200 OK\n"


@pytest.mark.claim("addresses by value, not by spelling")
def test_check_of_both_families(start: Any, run: Run) -> None:
    """If both families are configured and one is missing, the check passes."""
    service = start("--host", "127.0.0.1")

    ended = run("check", HOST="0:0:0:0:0:0:0:0", PORT=str(service.port))

    assert ended.returncode == 0
    assert ended.stdout == f"http://127.0.0.1:{service.port}/health: 200 OK\n"


@pytest.mark.claim("addresses by value, not by spelling")
def test_unspecified_address_by_value(start: Any, run: Run) -> None:
    """Every spelling of ``::`` listens on both families."""
    service = start("--host", "0:0:0:0:0:0:0:0")

    for host in ("127.0.0.1", "::1"):
        with service.connect(host):
            pass
    assert run("check", HOST="::", PORT=str(service.port)).returncode == 0


def test_check_with_the_proxy_protocol(start: Any, run: Run) -> None:
    """The check sends the PROXY header that its own service requires."""
    service = start("--proxy-protocol")

    assert run("check", PORT=str(service.port), PROXY_PROTOCOL="on").returncode == 0


def test_check_by_name(start: Any, run: Run) -> None:
    """A host may be a name."""
    service = start()

    assert run("check", f"http://localhost:{service.port}/health").returncode == 0


def test_check_of_another_status(start: Any, run: Run) -> None:
    """Only 2xx is healthy."""
    url = f"http://127.0.0.1:{start().port}/nothing"

    ended = run("check", url)

    assert (ended.returncode, ended.stdout) == (1, "")
    assert ended.stderr == f"devops-info-service: {url}: 404 Not Found\n"


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["http://127.0.0.1:1/"], "http://127.0.0.1:1/: Connection refused"),
        (["https://127.0.0.1/"], "'https://127.0.0.1/' is not a URL such as"),
        (
            ["--timeout", "0", "http://127.0.0.1/"],
            "--timeout: invalid value '0'; expected a number above 0",
        ),
        (
            ["--timeout", "nan", "http://127.0.0.1/"],
            "--timeout: invalid value 'nan'; expected a number",
        ),
        (["--time", "1"], "unknown flag '--time'; the nearest is --timeout"),
        (["http://nobody.invalid/"], "http://nobody.invalid/: "),
        (["http://b\u00fccher.invalid/"], "http://b\u00fccher.invalid/: "),
    ],
)
def test_check_that_fails(run: Run, words: list[str], reason: str) -> None:
    """Any failure is one line and status 1: Docker reserves 2."""
    ended = run("check", *words, PYTHONUTF8="1")

    assert (ended.returncode, ended.stdout) == (1, "")
    assert ended.stderr.startswith(f"devops-info-service: {reason}")
    assert ended.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (b"", "not an HTTP response"),
        (b"SSH-2.0-OpenSSH_9.2\r\n", "not an HTTP response"),
        (b"HTTP/1.1 \xb2\xb2\xb2 Superscript\r\n", "not an HTTP response"),
        (b"HTTP/1.1 200", None),
        (b"HTTP/1.1 503 \x1b[31mEvil\r\n", r"503 \x1b[31mEvil"),
        (None, "no response within 0.5 s"),
    ],
)
def test_check_of_another_program(run: Run, answer: bytes | None, reason: str | None) -> None:
    """A server that sends nothing, or not HTTP, is not healthy."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"http://127.0.0.1:{server.getsockname()[1]}/"
        done = threading.Event()

        def serve() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(1000)
                if answer is None:
                    done.wait(20)
                else:
                    connection.sendall(answer)

        thread = threading.Thread(target=serve)
        thread.start()
        ended = run("check", "--timeout", "0.5" if answer is None else "10", url)
        done.set()
        thread.join()

    if reason is None:
        assert ended.returncode == 0
    else:
        assert (ended.returncode, ended.stderr) == (1, f"devops-info-service: {url}: {reason}\n")


def test_closed_standard_streams() -> None:
    """Without an open stdout the log never goes into a client's connection."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    program = f'exec "{sys.executable}" -m devops_info_service --port {port} --access-log'
    process = subprocess.Popen(["sh", "-c", f"{program} 0<&- 1>&- 2>&-"])
    try:
        answer = b""
        while not answer:
            try:
                with socket.create_connection(("127.0.0.1", port), timeout=20) as sock:
                    sock.sendall(GET[:-2] + b"Connection: close\r\n\r\n")
                    answer = b"".join(iter(lambda: sock.recv(1000), b""))
            except ConnectionRefusedError:
                assert process.poll() is None
    finally:
        process.terminate()
        assert process.wait(20) == 0

    assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
    assert b'"event"' not in answer
