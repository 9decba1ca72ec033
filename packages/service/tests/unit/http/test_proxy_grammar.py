"""PROXY headers made by the specification's grammar, with the client that they mean.

Source: HAProxy, doc/proxy-protocol.txt, sections 2.1 and 2.2.
"""

import ipaddress
import struct
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devops_info_service.http.errors import RejectedError
from devops_info_service.http.wire.cidr import format_address
from devops_info_service.http.wire.message import Client
from devops_info_service.http.wire.proxy_header import ProxyHeader

V2: Final = b"\r\n\r\n\x00\r\nQUIT\n"
Made = tuple[bytes, Client | None]

ports = st.integers(0, 65535)
mapped = st.ip_addresses(v=4).map(lambda each: ipaddress.IPv6Address(f"::ffff:{each}"))


def spelled(draw: st.DrawFn, address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> str:
    """Write an address in one of its forms."""
    forms = [str(address), address.exploded, str(address).upper()]
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped:
        forms.append(f"::FFFF:{address.ipv4_mapped}")
    # The line of 107 bytes has room for 39; newer Pythons explode mapped ones to 45.
    return draw(st.sampled_from([form for form in forms if len(form) <= 39]))


@st.composite
def version_1(draw: st.DrawFn) -> Made:
    family = draw(st.sampled_from(["TCP4", "TCP6", "UNKNOWN"]))
    if family == "UNKNOWN":
        rest = draw(st.binary(max_size=80).filter(lambda each: b"\r" not in each))
        return b"PROXY UNKNOWN" + (b" " + rest if rest else b"") + b"\r\n", None
    addresses = st.ip_addresses(v=4) if family == "TCP4" else st.ip_addresses(v=6) | mapped
    source, destination = draw(addresses), draw(addresses)
    port, other = draw(ports), draw(ports)
    words = (family, spelled(draw, source), spelled(draw, destination), str(port), str(other))
    return f"PROXY {' '.join(words)}\r\n".encode(), Client(format_address(source.packed), port)


@st.composite
def extensions(draw: st.DrawFn) -> bytes:
    """Make type-length-value vectors (section 2.2.1)."""
    made = draw(st.lists(st.tuples(st.integers(0, 255), st.binary(max_size=40)), max_size=4))
    return b"".join(struct.pack(">BH", kind, len(value)) + value for kind, value in made)


@st.composite
def version_2(draw: st.DrawFn) -> Made:
    command = draw(st.sampled_from([0x20, 0x21, 0x21]))
    family = draw(st.sampled_from([0x00, 0x11, 0x21, 0x31]))
    client, addresses = None, b""
    if family in {0x11, 0x21}:
        kind = st.ip_addresses(v=4) if family == 0x11 else st.ip_addresses(v=6) | mapped
        source, port = draw(kind), draw(ports)
        addresses = source.packed + draw(kind).packed + struct.pack(">HH", port, draw(ports))
        client = Client(format_address(source.packed), port)
    elif family == 0x31:
        addresses = draw(st.binary(min_size=216, max_size=216))
    if command == 0x20:  # LOCAL: the addresses are to be discarded
        client = None
    rest = addresses + draw(extensions())
    return V2 + bytes([command, family]) + struct.pack(">H", len(rest)) + rest, client


HEADERS = version_1() | version_2()


@given(HEADERS, st.binary(max_size=30), st.data())
def test_header(made: Made, behind: bytes, data: st.DataObject) -> None:
    """A header has its client and its length, however it is cut; what follows is not touched."""
    header, client = made
    whole = header + behind
    reader = ProxyHeader()
    taken, at = None, 0
    while taken is None:
        step = data.draw(st.integers(1, len(whole) - at))
        taken = reader.receive(whole[at : at + step])
        at += step if taken is None else taken

    assert at == len(header)
    assert reader.client == client


@given(HEADERS, st.data())
def test_cut_header(made: Made, data: st.DataObject) -> None:
    """A header that is not complete names nothing."""
    header, _ = made
    reader = ProxyHeader()

    assert reader.receive(header[: data.draw(st.integers(0, len(header) - 1))]) is None
    assert reader.client is None


@given(version_1(), st.data())
def test_damaged_line(made: Made, data: st.DataObject) -> None:
    """A line with a byte that no line has is rejected, or was of words that are ignored."""
    header, client = made
    at = data.draw(st.integers(0, len(header) - 3))
    damaged = header[:at] + data.draw(st.sampled_from([b"\n", b"\t", b"\x00", b"+"])) + header[at:]
    if client is None and at > len(b"PROXY UNKNOWN"):
        return
    with pytest.raises(RejectedError):
        ProxyHeader().receive(damaged)
