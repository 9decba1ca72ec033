"""A health check for an image without curl: one GET on a plain socket.

Not urllib: it takes longer to import than the whole check, and that every few seconds.
"""

import socket
import time
from collections.abc import Sequence
from typing import Final, Self

import msgspec

from devops_info_service.errors import CheckError
from devops_info_service.escape import printable

MAX_HEAD_BYTES: Final = 16 * 1024
"""Bytes in which the status line must have come: more is no server worth waiting for."""

_HTTP: Final = "http://"
_PORTS: Final = range(1, 65536)
_SUCCESS: Final = range(200, 300)


class Target(msgspec.Struct, frozen=True):
    """Where to ask."""

    host: str
    port: int
    path: str
    authority: str
    """Host and port, for the Host field."""

    @classmethod
    def parse(cls, url: str) -> Self:
        """Take an ``http://`` URL apart.

        Raises:
            CheckError: it is none.
        """
        authority, slash, path = url.removeprefix(_HTTP).partition("/")
        try:
            # Only where there is something to encode: the codec loads all of Unicode's tables.
            if not authority.isascii():
                authority = authority.encode("idna").decode("ascii")
        except UnicodeError as exc:
            raise CheckError(f"{url!r} has a host that is no name: {exc}") from None
        plain = (authority + path).isascii() and url.isprintable() and " " not in url
        if not (plain and url.startswith(_HTTP)):
            raise CheckError(f"{url!r} is no URL such as http://127.0.0.1:8080/health")
        host, colon, port = authority.rpartition(":")
        if authority.endswith("]") or not colon:
            host, port = authority, "80"
        if not host or not (port.isascii() and port.isdigit() and int(port[:6]) in _PORTS):
            raise CheckError(f"{url!r} has no host and port such as 127.0.0.1:8080")
        return cls(host.removeprefix("[").removesuffix("]"), int(port), slash + path, authority)


def check(url: str, *, timeout_seconds: float, proxy_protocol: bool = False) -> str:
    """Ask *url* once, following nothing; return the status line's words.

    With *proxy_protocol* as a balancer asks that speaks for itself.

    Raises:
        CheckError: no success within *timeout_seconds*, from the look-up to the status.
    """
    target = Target.parse(url)
    deadline = time.monotonic() + timeout_seconds
    try:
        line = _ask(target, deadline, b"PROXY UNKNOWN\r\n" if proxy_protocol else b"")
    except TimeoutError:
        raise CheckError(f"{url}: no answer within {timeout_seconds:g} s") from None
    except OSError as exc:
        raise CheckError(f"{url}: {exc.strerror or exc}") from exc
    version, _, status = line.decode("latin-1").partition(" ")
    if not version.startswith("HTTP/1.") or not status[:3].isdecimal():
        raise CheckError(f"{url}: no HTTP answer")
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
        # An address that answers nothing leaves the next ones their share.
        left = deadline - time.monotonic() if index else timeout_seconds
        share = max(0.0, left) / (len(urls) - index)
        try:
            return url, check(url, timeout_seconds=share, proxy_protocol=proxy_protocol)
        except CheckError as exc:
            reasons.append(str(exc))
    raise CheckError("; ".join(reasons))


def _ask(target: Target, deadline: float, preface: bytes) -> bytes:
    path = target.path or "/"
    request = f"GET {path} HTTP/1.1\r\nHost: {target.authority}\r\nConnection: close\r\n\r\n"
    with _connect(target, deadline) as sock:
        sock.settimeout(_left(deadline))
        sock.sendall(preface + request.encode("ascii"))
        answer = b""
        while b"\r\n" not in answer and len(answer) < MAX_HEAD_BYTES:
            # Again before each read: a server that drips must not stretch the time.
            sock.settimeout(_left(deadline))
            piece = sock.recv(MAX_HEAD_BYTES)
            if not piece:
                break
            answer += piece
    return answer.partition(b"\r\n")[0]


def _connect(target: Target, deadline: float) -> socket.socket:
    # Bytes: for a str getaddrinfo itself would load the idna codec, whatever is in it.
    host = target.host.encode("ascii")
    failure = OSError("no address")
    for family, kind, protocol, _, address in socket.getaddrinfo(
        host, target.port, type=socket.SOCK_STREAM
    ):
        sock = socket.socket(family, kind, protocol)
        try:
            sock.settimeout(_left(deadline))
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


def _left(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left
