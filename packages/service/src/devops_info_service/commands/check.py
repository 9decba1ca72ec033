"""A health check for an image without curl: one GET on a plain socket.

Not urllib: it takes longer to import than the whole check, and that every few seconds.
"""

import socket
import time
from collections.abc import Mapping, Sequence
from typing import Final

from devops_info_service import flags
from devops_info_service.config import Config, load
from devops_info_service.errors import CheckError, ConfigError
from devops_info_service.escape import printable
from devops_info_service.target import Target

CHECK_SECONDS: Final = 3.0
"""Below the 5 s that Kubernetes and Compose examples give a probe, so the reason is printed."""

MAX_HEAD_BYTES: Final = 16 * 1024
"""Bytes within which the status line must have come."""

_SUCCESS: Final = range(200, 300)


def run(args: Sequence[str], environ: Mapping[str, str]) -> str:
    """Request a URL once and return one line with it and the status.

    Raises:
        CheckError: there is no success, or a flag or a setting is not allowed.
    """
    parser = flags.parser(
        "devops-info-service check",
        description="GET a URL once. Exit status 0 for a 2xx response, 1 for everything else.",
        make_error=CheckError,  # not status 2: to Docker a health check of 2 is reserved
    )
    parser.add_argument("url", metavar="URL", nargs="?", help="default: this service's /health")
    parser.add_argument(
        "--timeout",
        metavar="SECONDS",
        type=float,
        default=CHECK_SECONDS,
        help="from the look-up of the name to the status (default %(default)s)",
    )
    options = parser.parse_args(args)
    if not 0 < options.timeout < float("inf"):
        raise CheckError(
            f"--timeout: invalid value '{options.timeout:g}'; expected a number above 0"
        )
    if options.url:
        urls, proxy_protocol = [options.url], False
    else:
        # A service that has the same environment, as in the same container.
        config = _config(environ)
        urls, proxy_protocol = health_urls(config), config.proxy_protocol
    url, status = check_any(urls, timeout_seconds=options.timeout, proxy_protocol=proxy_protocol)
    return f"{url}: {status}\n"


def health_urls(config: Config) -> list[str]:
    """Return the addresses at which the service of *config* can be reached from its host."""
    # A service on "::" may be reachable over one family alone.
    hosts = {"0.0.0.0": ["127.0.0.1"], "::": ["::1", "127.0.0.1"]}.get(config.host, [config.host])  # noqa: S104
    names = (f"[{host}]" if ":" in host else host for host in hosts)
    return [f"http://{name}:{config.port}/health" for name in names]


def _config(environ: Mapping[str, str]) -> Config:
    try:
        return load((), environ)
    except ConfigError as exc:
        raise CheckError(str(exc)) from exc


def check(url: str, *, timeout_seconds: float, proxy_protocol: bool = False) -> str:
    """Request *url* once, following no redirect; return the status code and its phrase.

    With *proxy_protocol* a PROXY header precedes the request, as a balancer's own check has it.

    Raises:
        CheckError: no success within *timeout_seconds*, from the look-up to the status.
    """
    target = Target.parse(url)
    deadline = time.monotonic() + timeout_seconds
    try:
        line = _get(target, deadline, b"PROXY UNKNOWN\r\n" if proxy_protocol else b"")
    except TimeoutError:
        raise CheckError(f"{url}: no response within {timeout_seconds:g} s") from None
    except OSError as exc:
        raise CheckError(f"{url}: {exc.strerror or exc}") from exc
    version, _, status = line.decode("latin-1").partition(" ")
    if not version.startswith("HTTP/1.") or not status[:3].isdecimal():
        raise CheckError(f"{url}: not an HTTP response")
    if int(status[:3]) not in _SUCCESS:
        raise CheckError(f"{url}: {printable(status)}")
    return printable(status)


def check_any(
    urls: Sequence[str], *, timeout_seconds: float, proxy_protocol: bool = False
) -> tuple[str, str]:
    """Check *urls*, the same service by other addresses, until one has success; return both.

    Raises:
        CheckError: none has, each with its reason; all of them have *timeout_seconds* together.
    """
    deadline = time.monotonic() + timeout_seconds
    reasons = []
    for index, url in enumerate(urls):
        # An address that does not respond leaves the next ones their share.
        left = deadline - time.monotonic() if index else timeout_seconds
        share = max(0.0, left) / (len(urls) - index)
        try:
            return url, check(url, timeout_seconds=share, proxy_protocol=proxy_protocol)
        except CheckError as exc:
            reasons.append(str(exc))
    raise CheckError("; ".join(reasons))


def _get(target: Target, deadline: float, preface: bytes) -> bytes:
    path = target.path or "/"
    request = f"GET {path} HTTP/1.1\r\nHost: {target.authority}\r\nConnection: close\r\n\r\n"
    with _connect(target, deadline) as sock:
        sock.settimeout(_remaining(deadline))
        sock.sendall(preface + request.encode("ascii"))
        response = b""
        while b"\r\n" not in response and len(response) < MAX_HEAD_BYTES:
            # Again before each read: a server that drips must not stretch the time.
            sock.settimeout(_remaining(deadline))
            piece = sock.recv(MAX_HEAD_BYTES)
            if not piece:
                break
            response += piece
    return response.partition(b"\r\n")[0]


def _connect(target: Target, deadline: float) -> socket.socket:
    # Bytes: for a str getaddrinfo itself would load the idna codec, whatever is in it.
    host = target.host.encode("ascii")
    failure = OSError("no address")
    for family, kind, protocol, _, address in socket.getaddrinfo(
        host, target.port, type=socket.SOCK_STREAM
    ):
        sock = socket.socket(family, kind, protocol)
        try:
            sock.settimeout(_remaining(deadline))
            sock.connect(address)
        except TimeoutError:
            sock.close()
            raise
        except OSError as exc:
            sock.close()
            failure = exc
        else:
            return sock
    raise failure


def _remaining(deadline: float) -> float:
    remaining = deadline - time.monotonic()
    if remaining <= 0:
        raise TimeoutError
    return remaining
