"""Load for a service, from an image without curl: requests, failures by kind, latencies."""

import contextlib
import os
import signal
import socket
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Final

import msgspec

from devops_info_service import __version__, flags
from devops_info_service.errors import CheckError, ConfigError, ServiceError
from devops_info_service.escape import printable
from devops_info_service.load.addresses import Address
from devops_info_service.load.client import LoadClient
from devops_info_service.load.plan import Plan, Result
from devops_info_service.output import write_result
from devops_info_service.process_state import raise_open_file_limit
from devops_info_service.target import Target

RESULT_SECONDS: Final = 5.0
"""How long the reader of the result may take nothing."""

OWN_FILES: Final = 16
"""Besides connections: streams, epoll, the resolver's."""

MAX_CONNECTIONS: Final = 10_000
MAX_SECONDS: Final = 24 * 3600.0
MAX_RATE: Final = 1_000_000.0
PROGRESS_SECONDS: Final = 2.0
"""To the first line of progress on a terminal, and between two; else five times that."""


def run(args: Sequence[str], environ: Mapping[str, str]) -> int:  # noqa: ARG001  as every command
    """Send requests and print the result; return 0 if none failed, else 1.

    Raises:
        ConfigError: a flag is not allowed.
        ServiceError: the host's name is not found, or the result cannot be written.
    """
    parser = flags.parser(
        "devops-info-service load",
        description="Send GET requests to a URL; print requests, failures, rate and latencies.",
        epilog="Exit status 0: every response has a status below 400; 1: one failed; 2: usage.",
    )
    parser.add_argument("url", metavar="URL")
    parser.add_argument(
        "--connections", metavar="N", default="10", help="open at once (default %(default)s)"
    )
    parser.add_argument("--seconds", metavar="S", help="duration (default 10, without --requests)")
    parser.add_argument("--requests", metavar="N", help="number of requests")
    parser.add_argument(
        "--rate",
        metavar="N",
        help="requests a second; latencies then count from when each was due"
        " (default: as many as are responded to)",
    )
    parser.add_argument(
        "--no-keepalive", action="store_true", help="a new connection for each request"
    )
    parser.add_argument(
        "--timeout", metavar="S", default="10", help="for a response (default %(default)s)"
    )
    parser.add_argument("--json", action="store_true", help="print the result as JSON")
    options = parser.parse_args(args)
    connections = int(_number("--connections", options.connections, 1, MAX_CONNECTIONS, int))
    room = raise_open_file_limit() - OWN_FILES
    if connections > room:
        raise ConfigError(
            f"--connections: {connections} need {connections + OWN_FILES} open files; expected"
            f" {room} connections at most, or a higher limit (ulimit -n, --ulimit nofile=)"
        )
    seconds = _optional("--seconds", options.seconds, 0.1, MAX_SECONDS)
    requests = _optional("--requests", options.requests, 1, 10**12, int)
    try:
        target = Target.parse(options.url)
    except CheckError as exc:
        raise ConfigError(str(exc)) from None
    addresses, resolve = _resolved(target)
    plan = Plan(
        _request(target, keep_alive=not options.no_keepalive),
        addresses,
        resolve,
        connections,
        10.0 if seconds is None and requests is None else seconds,
        None if requests is None else int(requests),
        _optional("--rate", options.rate, 0.1, MAX_RATE),
        not options.no_keepalive,
        _number("--timeout", options.timeout, 0.1, 3600),
    )
    client = LoadClient(plan, _progress())
    for number in (signal.SIGINT, signal.SIGTERM):
        # The first ends the run and prints its result, a second one the process.
        signal.signal(number, lambda number, _: _on_signal(client, number))
    result = client.run()
    text = _json(result) if options.json else _text(options.url, result)
    if reason := write_result(1, text, seconds=RESULT_SECONDS):
        raise ServiceError(f"stdout: {reason}")
    return 1 if result.failures or not result.requests else 0


def _on_signal(client: LoadClient, number: int) -> None:
    client.stop()
    signal.signal(number, signal.SIG_DFL)


def _number(
    flag: str, text: str, low: float, high: float, kind: Callable[[str], float] = float
) -> float:
    try:
        value = kind(text)
    except ValueError:
        value = low - 1
    if not (text.isascii() and low <= value <= high):
        raise ConfigError(f"{flag}: invalid value {text!r}; expected {low:g} to {high:g}")
    return value


def _optional(
    flag: str, text: str | None, low: float, high: float, kind: Callable[[str], float] = float
) -> float | None:
    return None if text is None else _number(flag, text, low, high, kind)


def _request(target: Target, *, keep_alive: bool) -> bytes:
    lines = (
        f"GET {target.path or '/'} HTTP/1.1",
        f"Host: {target.authority}",
        f"User-Agent: devops-info-service/{__version__}",
        *(() if keep_alive else ("Connection: close",)),
        "",
        "",
    )
    return "\r\n".join(lines).encode("ascii")


def _resolved(
    target: Target,
) -> tuple[tuple[Address, ...], Callable[[], tuple[Address, ...]] | None]:
    """Return the addresses of the host, and if it is a name the function for its next ones.

    Raises:
        ServiceError: it has none.
    """
    host = target.host.encode("ascii")
    with contextlib.suppress(OSError):
        return _addresses(host, target.port, socket.AI_NUMERICHOST), None
    try:
        return _addresses(host, target.port), lambda: _addresses(host, target.port)
    except OSError as exc:
        raise ServiceError(f"{target.host}: {exc.strerror or exc}") from None


def _addresses(host: bytes, port: int, flags: int = 0) -> tuple[Address, ...]:
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=flags)
    return tuple(dict.fromkeys((socket.AddressFamily(each[0]), each[4]) for each in found))


def _progress() -> Callable[[int, int], None]:
    """Return a function that writes a line to stderr now and then."""
    is_terminal = os.isatty(2)
    period = PROGRESS_SECONDS if is_terminal else 5 * PROGRESS_SECONDS
    began = time.monotonic()
    next_line = began + period

    def report(requests: int, failures: int) -> None:
        nonlocal next_line
        now = time.monotonic()
        if now < next_line:
            return
        next_line = now + period
        line = f"load: {now - began:.0f} s, {requests:,} requests, {failures:,} failed\n"
        write_result(2, line.encode(), seconds=0)

    return report


def _json(result: Result) -> bytes:
    return msgspec.json.encode(result) + b"\n"


def _text(url: str, result: Result) -> bytes:
    failed = sum(result.failures.values())
    lines = [
        f"{printable(url)}: {result.requests:,} requests in {result.seconds:.1f} s",
        f"a second     {result.rate:,.0f}",
        f"failed       {failed:,}",
        *(f"  {count:,} {kind}" for kind, count in result.failures.items()),
        f"connections  {result.connections:,}",
        f"retried      {result.retried:,}",
        *(
            f"{name:<12} {value * 1000:.2f} ms"
            for name, value in (
                ("p50", result.p50),
                ("p90", result.p90),
                ("p99", result.p99),
                ("max", result.max),
            )
        ),
    ]
    return ("\n".join(lines) + "\n").encode()
