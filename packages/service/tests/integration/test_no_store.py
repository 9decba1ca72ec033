"""No cache may store a response, whatever its route, representation, method and status."""

import pytest

from devops_info_service.app.routes import PATHS
from tests.lib.running_service import RunningService

pytestmark = [pytest.mark.claim("nothing of it in a cache"), pytest.mark.claim("no cache")]

REQUESTS = [
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


@pytest.mark.parametrize("data", REQUESTS, ids=lambda data: data[:30].partition("\r")[0])
def test_no_store(service: RunningService, data: str) -> None:
    """`Cache-Control: no-store` is there, once."""
    with service.connect() as connection:
        connection.send(data.encode())
        connection.finish_sending()
        response = connection.read(head_only=True)

    values = [value for name, value in response.fields if name == "cache-control"]
    assert values == ["no-store"]
