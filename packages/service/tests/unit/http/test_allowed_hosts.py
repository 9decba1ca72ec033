"""Allowed hosts of requests."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devops_info_service.config import load
from devops_info_service.errors import ConfigError
from devops_info_service.http import Limits
from devops_info_service.http.wire.allowed_hosts import MAX_KNOWN, AllowedHosts, only_for
from devops_info_service.http.wire.message import Client, Request, Response
from devops_info_service.http.wire.parser import RequestParser
from devops_info_service.setting_types import hosts

from ..reachable import texts_in

pytestmark = [pytest.mark.claim("hosts that are not listed"), pytest.mark.claim("allowed hosts")]

LISTED = "localhost, example.org, *.apps.example.org, 127.0.0.1, ::1, 192.0.2.7, my_service"


@pytest.mark.parametrize(
    "host",
    [
        *("localhost", "localhost:8080", "LOCALHOST", "localhost.", "localhost.:80", "localhost:"),
        *("example.org", "Example.Org:443", "a.apps.example.org", "a.b.apps.example.org"),
        *("127.0.0.1", "127.0.0.1:8080", "[::1]", "[::1]:8080", "[0:0:0:0:0:0:0:1]"),
        *("[::ffff:127.0.0.1]:80", "192.0.2.7", "[::ffff:c000:207]", "my_service:8080"),
    ],
)
def test_listed(host: str) -> None:
    """Case, port, the last dot and the spelling of an address make no difference."""
    assert AllowedHosts(hosts(LISTED)).allow(host.encode())


@pytest.mark.parametrize(
    "host",
    [
        *(
            "evil.example",
            "localhost.evil.example",
            "evil-localhost",
            "xexample.org",
            "example.com",
        ),
        *("apps.example.org", ".apps.example.org.evil", "xapps.example.org", "www.example.org"),
        *("127.0.0.2", "127.1", "2130706433", "0x7f.1", "127.0.0.1.", "127.0.0.1.nip.io"),
        *("[::2]", "::1", "[::1", "[::1%25lo]", "::1:8080", "0.0.0.0", "[::]"),
        *("", ":8080", ".", "..", "localhost..", "localhost:x", "%6cocalhost", "user@localhost"),
        *("localhost, evil.example", "localhost\xa0", "lo\u212aalhost".encode().decode("latin-1")),
    ],
)
def test_not_listed(host: str) -> None:
    """Any other host is rejected, however similar."""
    if host == "127.0.0.1.":
        # An address has no root; browsers make it the address all the same.
        assert AllowedHosts(hosts(LISTED)).allow(host.encode("latin-1"))
        return
    assert not AllowedHosts(hosts(LISTED)).allow(host.encode("latin-1"))


@given(st.binary(max_size=80))
def test_any_bytes(host: bytes) -> None:
    """Whatever is named, there is a verdict, the same each time."""
    allowed = AllowedHosts(hosts(LISTED))

    assert allowed.allow(host) is allowed.allow(host)


def test_little_is_remembered() -> None:
    """Strangers cannot make it remember more and more."""
    allowed = AllowedHosts(hosts(LISTED))
    before = len(texts_in(allowed))
    for number in range(3 * MAX_KNOWN):
        allowed.allow(b"%d.example" % number)
        assert len(texts_in(allowed)) <= before + MAX_KNOWN


@pytest.mark.parametrize(
    "text",
    [
        *(
            "*",
            "*.",
            ".example.org",
            "a b",
            "http://example.org",
            "example.org:80",
            "a,,b",
            "*.*.a",
        ),
        *("a/b", "999.1.1.1", "[::1]:80", "-a.example", "a..b", "x" * 64, "[example.org]"),
        "\u00e9.example",
    ],
)
def test_bad_list(text: str) -> None:
    """An invalid list of hosts is an error at the start."""
    with pytest.raises(
        ConfigError, match=r"ALLOWED_HOSTS: invalid value .*; expected a list of names"
    ):
        load((), {"ALLOWED_HOSTS": text})


def ask(data: bytes) -> int:
    """Return the status that the bytes of a request get."""
    (request,) = RequestParser(Client("192.0.2.1", 1), Limits()).receive(data)

    def dispatch(_: Request) -> Response:
        return Response(200, b"")

    return only_for(dispatch, AllowedHosts(hosts(LISTED)), {"/health"})(request).status


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", 200),
        (b"GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n", 421),
        (b"GET /health HTTP/1.1\r\nHost: 10.1.2.3:8080\r\n\r\n", 200),
        (b"GET /health/x HTTP/1.1\r\nHost: 10.1.2.3:8080\r\n\r\n", 421),
        # RFC 9112, section 3.2.2: the target outranks the field.
        (b"GET http://evil.example/ HTTP/1.1\r\nHost: localhost\r\n\r\n", 421),
        (b"GET http://localhost:1/ HTTP/1.1\r\nHost: evil.example\r\n\r\n", 200),
        (b"GET / HTTP/1.0\r\n\r\n", 200),
        (b"GET / HTTP/1.0\r\nHost: evil.example\r\n\r\n", 421),
        (b"GET / HTTP/1.1\r\nHost: evil.example\r\nX-Forwarded-Host: localhost\r\n\r\n", 421),
        (b"GET / HTTP/1.1\r\nHost: evil.example\r\nForwarded: host=localhost\r\n\r\n", 421),
    ],
)
def test_requests(data: bytes, status: int) -> None:
    """What names the host of a request, and what does not."""
    assert ask(data) == status
