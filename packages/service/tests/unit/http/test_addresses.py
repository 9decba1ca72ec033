"""Addresses are compared by value: however one is spelled, here it has one spelling."""

import ipaddress
import socket

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devops_info_service.commands.check import check_any, health_urls
from devops_info_service.config import Config, load
from devops_info_service.errors import CheckError, ConfigError
from devops_info_service.http.wire.cidr import Cidr, format_address, normalize
from devops_info_service.http.wire.forwarded import TrustedProxies, forwarded, x_forwarded_for
from devops_info_service.http.wire.message import Client
from devops_info_service.http.wire.proxy_header import ProxyHeader

pytestmark = [
    pytest.mark.claim("addresses by value, not by spelling"),
    pytest.mark.claim("forwarding headers"),
]

V4 = st.ip_addresses(v=4)
V6 = st.ip_addresses(v=6)


def spellings(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> list[str]:
    """Write an address in each notation."""
    if isinstance(address, ipaddress.IPv4Address):
        last = address.packed.hex(":", 2)
        exploded = f"0000:0000:0000:0000:0000:ffff:{last}"
        return [str(address), f"::ffff:{address}", f"0:0:0:0:0:FFFF:{address}", exploded]
    return [str(address), address.exploded, address.exploded.upper(), str(address).upper()]


@given(address=V4 | V6, port=st.integers(0, 65535))
def test_one_spelling(address: ipaddress.IPv4Address | ipaddress.IPv6Address, port: int) -> None:
    """Settings, PROXY headers of both versions and header fields all name one client alike."""
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped
    found = {format_address(address.packed)}
    for text in spellings(address):
        client = Client(normalize(text), port)
        found.add(client.address)
        family = "TCP6" if ":" in text else "TCP4"
        header = ProxyHeader()
        header.receive(f"PROXY {family} {text} {text} {port} 1\r\n".encode())
        assert header.client == client
        kind = socket.AF_INET6 if ":" in text else socket.AF_INET
        packed = socket.inet_pton(kind, text)
        code = 0x21 if ":" in text else 0x11
        length = 2 * len(packed) + 4
        header = ProxyHeader()
        header.receive(
            b"\r\n\r\n\0\r\nQUIT\n"
            + bytes([0x21, code, 0, length])
            + packed * 2
            + port.to_bytes(2, "big")
            + b"\0\1"
        )
        assert header.client == client
        host = f"[{text}]" if ":" in text else text
        assert x_forwarded_for(host.encode())[0] == Client(client.address, 0)
        assert forwarded(f'for="{host}:{port}"'.encode())[0] == client
        assert TrustedProxies((Cidr.parse(text),), "any").trusts(client.address)
        assert load((), {"HOST": text}).host == client.address
    assert len(found) == 1


@pytest.mark.parametrize(
    ("text", "holds", "not_"),
    [
        ("::ffff:10.0.0.0/104", "10.9.9.9", "11.0.0.1"),
        ("::ffff:0:0/96", "192.0.2.7", "::1"),
        ("::ffff:192.0.2.7", "192.0.2.7", "192.0.2.8"),
        ("0000::1", "::1", "::2"),
        ("FD00::/8", "fd12::1", "fe80::1"),
    ],
)
def test_network(text: str, holds: str, not_: str) -> None:
    """A network is its bits, an IPv4 one written as IPv6 with the bits of IPv6."""
    proxies = TrustedProxies((Cidr.parse(text),), "any")

    assert proxies.trusts(holds)
    assert not proxies.trusts(not_)


@pytest.mark.parametrize(
    "text", ["::ffff:10.0.0.0/8", "::ffff:10.0.0.0/95", "::ffff:10.0.0.1/104", "10.0.0.0/104"]
)
def test_no_network(text: str) -> None:
    """Bits of the other family are not guessed at."""
    with pytest.raises(ConfigError):
        load((), {"TRUSTED_PROXIES": text})


@pytest.mark.parametrize(
    "text",
    ["fe80::1%eth0", "::1%lo", "[::1]", "127.1", "0x7f.1", "127.0.0.01", "1", "localhost.", ""],
)
def test_no_host(text: str) -> None:
    """Resolver shorthands and addresses with an interface are rejected."""
    if text == "":
        assert load((), {"HOST": text}).host == Config().host  # as if it were not set
        return
    with pytest.raises(
        ConfigError, match=r"HOST: invalid value .*; expected an IPv4 or IPv6 address"
    ):
        load((), {"HOST": text})


@pytest.mark.parametrize(
    ("host", "urls"),
    [
        ("0.0.0.0", ["http://127.0.0.1:8080/health"]),
        ("0:0:0:0:0:0:0:0", ["http://[::1]:8080/health", "http://127.0.0.1:8080/health"]),
        ("::ffff:0.0.0.0", ["http://127.0.0.1:8080/health"]),
        ("2001:DB8::1", ["http://[2001:db8::1]:8080/health"]),
        ("localhost", ["http://127.0.0.1:8080/health"]),
    ],
)
def test_requests_of_check(host: str, urls: list[str]) -> None:
    """A listener for both families is checked over both."""
    assert health_urls(load((), {"HOST": host})) == urls


def answering(answer: bytes) -> tuple[socket.socket, str]:
    """Listen, and send a response to the first connection, from a thread."""
    import threading  # noqa: PLC0415

    sock = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        connection, _ = sock.accept()
        with connection:
            connection.recv(4096)
            connection.sendall(answer)

    threading.Thread(target=serve, daemon=True).start()
    return sock, f"http://127.0.0.1:{sock.getsockname()[1]}/health"


OK = b"HTTP/1.1 200 OK\r\n\r\n"
BUSY = b"HTTP/1.1 503 Service Unavailable\r\n\r\n"


def test_rejected_then_served() -> None:
    """If one family refuses, the other decides."""
    closed = socket.create_server(("127.0.0.1", 0))
    closed_url = f"http://127.0.0.1:{closed.getsockname()[1]}/health"
    closed.close()
    sock, url = answering(OK)
    with sock:
        assert check_any([closed_url, url], timeout_seconds=60) == (url, "200 OK")


def test_silent_then_served() -> None:
    """A silent address uses only its share of the time."""
    sock, url = answering(OK)
    with socket.create_server(("127.0.0.1", 0)) as silent, sock:
        first = f"http://127.0.0.1:{silent.getsockname()[1]}/health"
        assert check_any([first, url], timeout_seconds=6) == (url, "200 OK")


def test_none_responds() -> None:
    """The check fails if all addresses fail, with the reason of each."""
    one, first = answering(BUSY)
    two, second = answering(BUSY)
    with one, two, pytest.raises(CheckError) as caught:
        check_any([first, second], timeout_seconds=60)

    assert str(caught.value) == (
        f"{first}: 503 Service Unavailable; {second}: 503 Service Unavailable"
    )
