"""``check`` as a program: a health check of one line."""

import socket
import threading

import pytest

from tests.lib.http_client import TIMEOUT_SECONDS
from tests.lib.running_service import Start, run_program


def test_check(start: Start) -> None:
    """The health check of a healthy service: status 0 and one line."""
    service = start()
    url = f"http://127.0.0.1:{service.port}/health"

    ended = run_program("check", url)

    assert (ended.returncode, ended.stdout, ended.stderr) == (0, f"{url}: 200 OK\n", "")


def test_check_of_the_same_environment(start: Start) -> None:
    """Without a URL it checks the service of the same environment."""
    service = start()

    ended = run_program("check", HOST="0.0.0.0", PORT=str(service.port))

    assert ended.returncode == 0
    assert ended.stdout == f"http://127.0.0.1:{service.port}/health: 200 OK\n"


@pytest.mark.claim("addresses by value, not by spelling")
def test_check_of_both_families(start: Start) -> None:
    """If both families are configured and one is missing, the check passes."""
    service = start("--host", "127.0.0.1")

    ended = run_program("check", HOST="0:0:0:0:0:0:0:0", PORT=str(service.port))

    assert ended.returncode == 0
    assert ended.stdout == f"http://127.0.0.1:{service.port}/health: 200 OK\n"


@pytest.mark.claim("addresses by value, not by spelling")
def test_unspecified_address_by_value(start: Start) -> None:
    """Every spelling of ``::`` listens on both families."""
    service = start("--host", "0:0:0:0:0:0:0:0")

    for host in ("127.0.0.1", "::1"):
        with service.connect(host):
            pass
    assert run_program("check", HOST="::", PORT=str(service.port)).returncode == 0


def test_check_with_the_proxy_protocol(start: Start) -> None:
    """The check sends the PROXY header that its own service requires."""
    service = start("--proxy-protocol")

    assert run_program("check", PORT=str(service.port), PROXY_PROTOCOL="on").returncode == 0


def test_check_by_name(start: Start) -> None:
    """A host may be a name."""
    service = start()

    assert run_program("check", f"http://localhost:{service.port}/health").returncode == 0


def test_check_of_another_status(start: Start) -> None:
    """Only 2xx is healthy."""
    url = f"http://127.0.0.1:{start().port}/nothing"

    ended = run_program("check", url)

    assert (ended.returncode, ended.stdout) == (1, "")
    assert ended.stderr == f"devops-info-service: {url}: 404 Not Found\n"


@pytest.mark.parametrize(
    ("args", "reason"),
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
        (["http://xn--bcher-kva.invalid/"], "http://xn--bcher-kva.invalid/: "),
    ],
)
def test_check_that_fails(args: list[str], reason: str) -> None:
    """Any failure is one line and status 1: Docker reserves 2."""
    ended = run_program("check", *args, PYTHONUTF8="1")

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
def test_check_of_another_program(answer: bytes | None, reason: str | None) -> None:
    """A server that sends nothing, or not HTTP, is not healthy."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"http://127.0.0.1:{server.getsockname()[1]}/"
        done = threading.Event()

        def serve() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(1000)
                if answer is None:
                    done.wait(TIMEOUT_SECONDS)
                else:
                    connection.sendall(answer)

        thread = threading.Thread(target=serve)
        thread.start()
        ended = run_program("check", "--timeout", "0.5" if answer is None else "10", url)
        done.set()
        thread.join()

    if reason is None:
        assert ended.returncode == 0
    else:
        assert (ended.returncode, ended.stderr) == (1, f"devops-info-service: {url}: {reason}\n")
