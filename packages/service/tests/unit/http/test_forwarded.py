"""The client that forwarding headers name."""

from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devops_info_service.config import FORWARDED_FIELDS, load
from devops_info_service.errors import ConfigError
from devops_info_service.http.wire.cidr import Cidr
from devops_info_service.http.wire.forwarded import (
    MAX_HOPS,
    MAX_KNOWN,
    TrustedProxies,
    parse_claims,
    resolve_client,
)
from devops_info_service.http.wire.message import Client, Request, Response

from ..reachable import texts_in

pytestmark = [pytest.mark.claim("proxies"), pytest.mark.claim("forwarding headers")]

PEER: Final = Client("10.0.0.1", 4242)
NETWORKS: Final = tuple(map(Cidr.parse, ("10.0.0.0/8", "192.0.2.7", "fd00::/8")))
XFF: Final = b"x-forwarded-for"
RFC7239: Final = b"forwarded"
REAL: Final = b"x-real-ip"


def resolve(headers: dict[bytes, bytes], field: str = "any") -> str:
    """Return the address of the client that *headers* name, to a trusted peer's server."""
    return TrustedProxies(NETWORKS, field).resolve(PEER, headers).address


@pytest.mark.parametrize(
    ("value", "address"),
    [
        (b"198.51.100.1", "198.51.100.1"),
        (b"198.51.100.1:4711", "198.51.100.1"),
        (b"2001:db8::1", "2001:db8::1"),
        (b"2001:DB8:0::1", "2001:db8::1"),
        (b"[2001:db8::1]", "2001:db8::1"),
        (b"[2001:db8::1]:4711", "2001:db8::1"),
        (b"::ffff:198.51.100.1", "198.51.100.1"),
        (b"203.0.113.9, 198.51.100.1", "198.51.100.1"),
        (b"203.0.113.9,198.51.100.1\t, 10.1.1.1 ,fd00::2, 192.0.2.7", "198.51.100.1"),
        (b"10.9.9.9, 10.1.1.1", "10.9.9.9"),
        (b"unknown, 10.1.1.1", "10.1.1.1"),
        (b"unknown", "10.0.0.1"),
        (b"198.51.100.1, unknown", "10.0.0.1"),
        # An error anywhere, and nothing is believed.
        (b"", "10.0.0.1"),
        (b"198.51.100.1,", "10.0.0.1"),
        (b", 198.51.100.1", "10.0.0.1"),
        (b"nonsense, 198.51.100.1", "10.0.0.1"),
        (b"198.51.100.256", "10.0.0.1"),
        (b"198.51.100.1 203.0.113.9", "10.0.0.1"),
        (b"198.51.100.01", "10.0.0.1"),
        (b"0xc6336401", "10.0.0.1"),
        (b"198.51.100.1:", "10.0.0.1"),
        (b"198.51.100.1:65536", "10.0.0.1"),
        (b"198.51.100.1:+1", "10.0.0.1"),
        (b"[198.51.100.1]", "10.0.0.1"),
        (b"[2001:db8::1", "10.0.0.1"),
        (b"[2001:db8::1]x", "10.0.0.1"),
        (b"[2001:db8::1]:", "10.0.0.1"),
        (b"fe80::1%eth0", "10.0.0.1"),
        (b"198.51.100.1\xff", "10.0.0.1"),
        (b"198.51.100.1\0", "10.0.0.1"),
        (b"unknown!", "10.0.0.1"),
        (b"10.1.1.1, " * MAX_HOPS + b"198.51.100.1", "10.0.0.1"),
    ],
)
def test_x_forwarded_for(value: bytes, address: str) -> None:
    """Right to left, up to the first address that is not trusted."""
    assert resolve({XFF: value}) == address


@pytest.mark.parametrize(
    ("value", "address"),
    [
        (b"for=198.51.100.1", "198.51.100.1"),
        (b'For="198.51.100.1:4711";proto=https;by=10.0.0.1', "198.51.100.1"),
        (b'for="[2001:db8::1]:4711"', "2001:db8::1"),
        (b'for="[2001:db8::1]:_port"', "2001:db8::1"),
        (b"for=203.0.113.9, for=198.51.100.1; proto=http,for=10.1.1.1", "198.51.100.1"),
        (b'for="198.51.100.1";host="a, b;c\\"d"', "198.51.100.1"),
        (b"for=_hidden, for=10.1.1.1", "10.1.1.1"),
        (b"for=unknown", "10.0.0.1"),
        (b"for=198.51.100.1, proto=https", "10.0.0.1"),
        (b"", "10.0.0.1"),
        (b"198.51.100.1", "10.0.0.1"),
        (b"for=", "10.0.0.1"),
        (b"for=198.51.100.1,", "198.51.100.1"),
        (b",, for=198.51.100.1 ,\t,for=10.1.1.1,", "198.51.100.1"),
        (b";for=198.51.100.1;;proto=http;", "198.51.100.1"),
        (b"for=198.51.100.1, ;", "10.0.0.1"),
        (b"for=203.0.113.9, for=_edge.node-7, for=10.1.1.1", "10.1.1.1"),
        (b'for="_a:_b.c", for=10.1.1.1', "10.1.1.1"),
        (b'for="unknown:80", for=10.1.1.1', "10.1.1.1"),
        (b'for=198.51.100.1;host="caf\xe9"', "198.51.100.1"),
        (b'for=198.51.100.1;host="a\x7fb"', "10.0.0.1"),
        (b'for=198.51.100.1;host="a\\\x01b"', "10.0.0.1"),
        (b"for=198.51.100.1;host=caf\xe9", "10.0.0.1"),
        (b'for="\xb2.0.0.1"', "10.0.0.1"),
        (b'for="198.51.100.1:\xb2"', "10.0.0.1"),
        (b'for="198.51.100.1:000080"', "10.0.0.1"),
        (b'for="2001:db8::1"', "10.0.0.1"),
        (b'for="_a!", for=198.51.100.1', "10.0.0.1"),
        (b'for="_a:_"', "10.0.0.1"),
        (b"for=198.51.100.1 proto=http", "10.0.0.1"),
        (b"for=198.51.100.1;for=203.0.113.9", "10.0.0.1"),
        (b"for=198.51.100.1:80", "10.0.0.1"),
        (b'for="198.51.100.1', "10.0.0.1"),
        (b'for="198.51.100.1\\', "10.0.0.1"),
        (b'for="198.51.100.1"x', "10.0.0.1"),
        (b"for = 198.51.100.1", "10.0.0.1"),
        (b'for="_"', "10.0.0.1"),
        (b"for=nonsense, for=198.51.100.1", "10.0.0.1"),
    ],
)
def test_forwarded(value: bytes, address: str) -> None:
    """RFC 7239 by its grammar; names that are withheld end the chain."""
    assert resolve({RFC7239: value}) == address


@pytest.mark.parametrize(
    ("value", "address"),
    [
        (b"198.51.100.1", "198.51.100.1"),
        (b"198.51.100.1, 203.0.113.9", "10.0.0.1"),
        (b"", "10.0.0.1"),
    ],
)
def test_x_real_ip(value: bytes, address: str) -> None:
    """One address, no list: two of the field are none."""
    assert resolve({REAL: value}) == address


def test_port() -> None:
    """A port in the field is the client's; without one it is 0."""
    proxies = TrustedProxies(NETWORKS, "any")

    assert proxies.resolve(PEER, {XFF: b"198.51.100.1:4711"}) == Client("198.51.100.1", 4711)
    assert proxies.resolve(PEER, {XFF: b"198.51.100.1"}) == Client("198.51.100.1", 0)
    assert proxies.resolve(PEER, {}) is PEER


def test_fields_that_disagree() -> None:
    """Two fields must agree: a proxy passes on those it does not write."""
    said = {XFF: b"198.51.100.1", RFC7239: b"for=203.0.113.9"}

    assert resolve(said) == "10.0.0.1"
    assert resolve({XFF: b"198.51.100.1", REAL: b"198.51.100.1"}) == "198.51.100.1"
    assert resolve({XFF: b"198.51.100.1", REAL: b"nonsense"}) == "10.0.0.1"


@pytest.mark.parametrize(
    ("field", "address"),
    [
        ("x-forwarded-for", "198.51.100.1"),
        ("forwarded", "203.0.113.9"),
        ("x-real-ip", "10.0.0.1"),
    ],
)
def test_named_field(field: str, address: str) -> None:
    """A configured field is the only one read."""
    said = {XFF: b"198.51.100.1", RFC7239: b"for=203.0.113.9"}

    assert resolve(said, field) == address


@given(
    st.sampled_from([XFF, RFC7239, REAL]),
    st.one_of(st.binary(max_size=60), st.text('for=;,"\\[]:. 012af_', max_size=40).map(str.encode)),
)
def test_any_value(field: bytes, value: bytes) -> None:
    """Whatever a field holds, the result is an address."""
    assert resolve({field: value})


@pytest.mark.parametrize(
    ("peer", "address"),
    [
        ("10.255.0.1", "198.51.100.1"),
        ("11.0.0.1", "11.0.0.1"),
        ("", ""),
        ("testclient", "testclient"),
        ("fe80::1%eth0", "fe80::1%eth0"),
        ("fd00::9%eth0", "198.51.100.1"),
        ("fd00::9", "198.51.100.1"),
    ],
)
def test_only_from_proxies(peer: str, address: str) -> None:
    """A peer that is not trusted is the client; the handler gets the resolved client."""

    def dispatch(request: Request) -> Response:
        return Response(200, request.client.address.encode())

    headers = {XFF: b"198.51.100.1"}
    request = Request("GET", "/", b"", headers, Client(peer, 1), "1.1", keep_alive=True)

    assert (
        resolve_client(dispatch, TrustedProxies(NETWORKS, "any"))(request).body == address.encode()
    )


def test_memory_of_trust() -> None:
    """The cache of untrusted addresses is bounded."""
    proxies = TrustedProxies(NETWORKS, "any")
    before = len(texts_in(proxies))
    for number in range(MAX_KNOWN * 2):
        assert not proxies.trusts(f"198.51.{number >> 8}.{number & 255}")

    assert len(texts_in(proxies)) <= before + MAX_KNOWN


@pytest.mark.parametrize(
    ("text", "inside", "outside"),
    [
        ("10.0.0.0/8", "10.255.255.255", "11.0.0.0"),
        ("0.0.0.0/0", "255.255.255.255", "::1"),
        ("192.0.2.7", "192.0.2.7", "192.0.2.6"),
        ("192.0.2.6/31", "192.0.2.7", "192.0.2.8"),
        ("2001:db8::/32", "2001:db8:ffff::1", "2001:db9::"),
        ("::/0", "::1", "10.0.0.1"),
        ("10.0.0.0/8", "::ffff:10.0.0.1", "::10.0.0.1"),
    ],
)
def test_networks(text: str, inside: str, outside: str) -> None:
    """A network holds the addresses with its first bits, and none of the other family."""
    proxies = TrustedProxies(load([], {"TRUSTED_PROXIES": text}).trusted_proxies, "any")

    assert proxies.trusts(inside)
    assert not proxies.trusts(outside)


@pytest.mark.parametrize(
    "text",
    ["10.0.0.1/8", "10.0.0.0/33", "10.0.0.0/", "10.0.0.0/+8", "10/8", "proxy", "10.0.0.0/8,", ","],
)
def test_no_networks(text: str) -> None:
    """An invalid or ambiguous network is an error at the start."""
    with pytest.raises(
        ConfigError, match=r"TRUSTED_PROXIES: invalid value .*; expected a list of "
    ):
        load([], {"TRUSTED_PROXIES": text})


def test_fields() -> None:
    """FORWARDED_FIELD is a known field or any, in upper or lower case."""
    fields = {field.encode(): b"192.0.2.1" for field in FORWARDED_FIELDS[1:]}
    assert FORWARDED_FIELDS == ("any", *(field for field, _, _ in parse_claims(fields)))
    assert load([], {"FORWARDED_FIELD": "X-Real-IP"}).forwarded_field in FORWARDED_FIELDS
    with pytest.raises(
        ConfigError, match="FORWARDED_FIELD: invalid value 'via'; expected one of any, "
    ):
        load([], {"FORWARDED_FIELD": "via"})
