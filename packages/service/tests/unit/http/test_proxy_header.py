"""The PROXY protocol: headers whole and cut, rejections, and the connection behind."""

import struct
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devops_info_service.http.connection.server_state import ServerState
from devops_info_service.http.errors import RejectedError
from devops_info_service.http.wire.limits import Limits
from devops_info_service.http.wire.message import Client
from devops_info_service.http.wire.proxy_header import MAX_V2_BYTES, ProxyHeader

from .fake_socket import GET, Peer, Rejections, pass_seconds

pytestmark = pytest.mark.claim("proxies")

V2: Final = b"\r\n\r\n\x00\r\nQUIT\n"
ADDRESSES_4: Final = bytes([198, 51, 100, 1, 10, 0, 0, 1]) + struct.pack(">HH", 4711, 80)
ADDRESSES_6: Final = bytes.fromhex("20010db8" + "00" * 11 + "01") * 2 + struct.pack(">HH", 4711, 80)
MAPPED: Final = bytes.fromhex("00" * 10 + "ffff" + "c0000207") * 2 + struct.pack(">HH", 4711, 80)
TLV: Final = b"\x04\x00\x05abcde"


def v2(command: int, family: int, rest: bytes) -> bytes:
    """Return a header of version 2."""
    return V2 + bytes([command, family]) + struct.pack(">H", len(rest)) + rest


TAKEN: Final = {
    "TCP4": (b"PROXY TCP4 198.51.100.1 10.0.0.1 4711 80\r\n", Client("198.51.100.1", 4711)),
    "TCP6": (b"PROXY TCP6 2001:DB8::1 ::1 4711 80\r\n", Client("2001:db8::1", 4711)),
    "TCP6, mapped": (
        b"PROXY TCP6 ::ffff:192.0.2.7 ::ffff:10.0.0.1 4711 80\r\n",
        Client("192.0.2.7", 4711),
    ),
    "TCP6, mapped, in full": (
        b"PROXY TCP6 0:0:0:0:0:FFFF:C000:0207 ::1 4711 80\r\n",
        Client("192.0.2.7", 4711),
    ),
    "v2 TCP6, mapped": (v2(0x21, 0x21, MAPPED), Client("192.0.2.7", 4711)),
    "unknown": (b"PROXY UNKNOWN\r\n", None),
    "unknown, with words": (b"PROXY UNKNOWN ffff::1 nonsense 1 2\r\n", None),
    "the longest line": (b"PROXY UNKNOWN " + b"x" * 91 + b"\r\n", None),
    "v2 TCP4": (v2(0x21, 0x11, ADDRESSES_4), Client("198.51.100.1", 4711)),
    "v2 TCP6": (v2(0x21, 0x21, ADDRESSES_6), Client("2001:db8::1", 4711)),
    "v2 with extensions": (v2(0x21, 0x11, ADDRESSES_4 + TLV), Client("198.51.100.1", 4711)),
    "v2 local": (v2(0x20, 0x00, b""), None),
    "v2 local with addresses": (v2(0x20, 0x11, ADDRESSES_4), None),
    "v2 unspecified": (v2(0x21, 0x00, TLV), None),
    "v2 of a Unix socket": (v2(0x21, 0x31, b"/" * 216), None),
    "v2, the longest": (v2(0x20, 0x00, b"x" * MAX_V2_BYTES), None),
}

REFUSED: Final = {
    "a request": b"GET / HTTP/1.1\r\nHost: a\r\n\r\n",
    "a blank before": b" PROXY UNKNOWN\r\n",
    "lower case": b"proxy UNKNOWN\r\n",
    "no words": b"PROXY \r\n",
    "another protocol": b"PROXY UDP4 198.51.100.1 10.0.0.1 4711 80\r\n",
    "two blanks": b"PROXY TCP4  198.51.100.1 10.0.0.1 4711 80\r\n",
    "a blank at the end": b"PROXY TCP4 198.51.100.1 10.0.0.1 4711 80 \r\n",
    "a word missing": b"PROXY TCP4 198.51.100.1 10.0.0.1 4711\r\n",
    "a port above": b"PROXY TCP4 198.51.100.1 10.0.0.1 65536 80\r\n",
    "a port with a sign": b"PROXY TCP4 198.51.100.1 10.0.0.1 +4711 80\r\n",
    "a port with a zero": b"PROXY TCP4 198.51.100.1 10.0.0.1 04711 80\r\n",
    "the wrong family": b"PROXY TCP4 2001:db8::1 ::1 4711 80\r\n",
    "no address": b"PROXY TCP4 198.51.100.256 10.0.0.1 4711 80\r\n",
    "no address there": b"PROXY TCP4 198.51.100.1 a 4711 80\r\n",
    "a byte above 127": b"PROXY TCP4 198.51.100.\xb2 10.0.0.1 4711 80\r\n",
    "bare LF": b"PROXY TCP4 198.51.100.1 10.0.0.1 4711 80\n" + b"x" * 80,
    "a line too long": b"PROXY UNKNOWN " + b"x" * 92 + b"\r\n",
    "v2, another signature": b"\r\n\r\n\x00\r\nQUIT\r\x21\x11\x00\x0c" + ADDRESSES_4,
    "v2, version 1": v2(0x11, 0x11, ADDRESSES_4),
    "v2, an unknown command": v2(0x22, 0x11, ADDRESSES_4),
    "v2 UDP4": v2(0x21, 0x12, ADDRESSES_4),
    "v2, too short for its family": v2(0x21, 0x21, ADDRESSES_4),
    "v2, too long": V2 + b"\x21\x11\xff\xff",
}


@pytest.mark.parametrize(("data", "client"), TAKEN.values(), ids=TAKEN)
def test_taken(data: bytes, client: Client | None) -> None:
    """A header has the client and its exact length."""
    header = ProxyHeader()

    assert header.receive(data + b"GET") == len(data)
    assert header.client == client


@pytest.mark.parametrize(("data", "client"), TAKEN.values(), ids=TAKEN)
def test_taken_however_cut(data: bytes, client: Client | None) -> None:
    """Cut anywhere it is the same."""
    for cut in range(1, min(len(data), 300)):
        header = ProxyHeader()
        assert header.receive(data[:cut]) is None
        assert header.receive(data[cut:] + b"GET") == len(data) - cut
        assert header.client == client


@pytest.mark.parametrize("data", REFUSED.values(), ids=REFUSED)
def test_rejected(data: bytes) -> None:
    """An invalid header is rejected, whole or byte by byte."""
    header = ProxyHeader()
    with pytest.raises(RejectedError):
        header.receive(data)
    header = ProxyHeader()
    with pytest.raises(RejectedError):
        [header.receive(bytes([byte])) for byte in data]


@given(st.sampled_from([b"PROXY ", b"PROXY TCP4 ", V2, V2 + b"\x21\x11", b""]), st.binary())
def test_any_bytes(start: bytes, data: bytes) -> None:
    """Any bytes are a header, more of one, or refused."""
    header = ProxyHeader()
    try:
        used = header.receive(start + data)
    except RejectedError:
        return
    assert used is None or 0 < used <= len(start + data)


def behind_a_proxy(server: ServerState) -> Peer:
    """Return the peer of a connection that must begin with a header."""
    return Peer(server, preface=ProxyHeader())


@pytest.mark.parametrize("data", [TAKEN["TCP4"][0], TAKEN["v2 TCP4"][0]])
def test_client(server: ServerState, data: bytes) -> None:
    """Every request of the connection comes from whom the header names."""
    for cut in (0, 1, len(data), len(data) + 5):
        peer = behind_a_proxy(server)
        both = data + GET % 1
        for piece in (both[:cut], both[cut:], GET % 2):
            if piece:
                peer.send(piece)

        assert peer.said.count(b" 198.51.100.1") == 2
        peer.connection.abort()


def test_proxy_for_itself(server: ServerState) -> None:
    """A health check of the proxy's own comes from the proxy."""
    peer = behind_a_proxy(server)

    peer.send(b"PROXY UNKNOWN\r\n" + GET % 1)

    assert peer.said.endswith(b"/1 192.0.2.7")


def test_no_header(server: ServerState, rejections: Rejections) -> None:
    """Without a header the connection is closed without a response."""
    peer = behind_a_proxy(server)

    peer.send(GET % 1)
    peer.send(TAKEN["TCP4"][0] + GET % 1)

    assert peer.said == b""
    assert peer.socket.events == ["close"]
    assert [status for _, status, _ in rejections] == [400]


def test_second_header(server: ServerState) -> None:
    """A second header is read as an invalid request."""
    peer = behind_a_proxy(server)

    peer.send(b"PROXY UNKNOWN\r\nPROXY TCP4 198.51.100.1 10.0.0.1 4711 80\r\n" + GET % 1)

    assert b"HTTP/1.1 501 " in peer.said or b"HTTP/1.1 400 " in peer.said
    assert b"200" not in peer.said


def test_slow_header(server: ServerState) -> None:
    """A header has the time of a head, from the connection on."""
    peer = behind_a_proxy(server)
    peer.send(b"PROXY ")

    pass_seconds(server, server.limits.header_timeout_seconds)
    assert peer.socket.events == []
    pass_seconds(server, 1)
    assert (peer.socket.events, peer.said) == (["close"], b"")


def test_time_after_the_header(server: ServerState) -> None:
    """Behind the header there is the time of an idle connection."""
    peer = behind_a_proxy(server)
    peer.send(b"PROXY UNKNOWN\r\n")

    pass_seconds(server, Limits().header_timeout_seconds - 4)
    assert peer.socket.events == []
