"""No cache may store a response, whatever its route, representation, method and status."""

import socket
from typing import Any

import pytest

from devops_info_service.app.routes import PATHS

pytestmark = [pytest.mark.claim("nothing of it in a cache"), pytest.mark.claim("no cache")]

ASKED = [
    *(f"GET {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n" for path in PATHS),
    *(f"HEAD {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n" for path in ("/", "/health")),
    "GET / HTTP/1.1\r\nHost: a\r\nAccept: text/html\r\nConnection: close\r\n\r\n",
    "GET /nothing HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
    "POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
    "OPTIONS * HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
    "GET / HTTP/1.0\r\n\r\n",
    "GET / HTTP/1.1\r\n\r\n",
    "nonsense\r\n\r\n",
    "GET / HTTP/3.0\r\n\r\n",
    f"GET /{'a' * 9000} HTTP/1.1\r\n\r\n",
    "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999\r\n\r\n",
]


@pytest.mark.parametrize("asked", ASKED, ids=lambda asked: asked[:30].partition("\r")[0])
def test_no_store(service: Any, asked: str) -> None:
    """`Cache-Control: no-store` is there, once."""
    with service.connect() as sock:
        sock.sendall(asked.encode())
        sock.shutdown(socket.SHUT_WR)
        answer = b"".join(iter(lambda: sock.recv(65536), b""))
    head = answer.partition(b"\r\n\r\n")[0].split(b"\r\n")

    assert head[0].startswith(b"HTTP/1.1 ")
    assert [line for line in head if line.lower().startswith(b"cache-control")] == [
        b"Cache-Control: no-store"
    ]
