"""Fields made by the grammar of RFC 7239, sections 4 and 6, with the chain that they mean."""

import string
from typing import Final

from hypothesis import given
from hypothesis import strategies as st

from devops_info_service.http.wire.cidr import Cidr, format_address, packed_address
from devops_info_service.http.wire.forwarded import TrustedProxies, parse_claims
from devops_info_service.http.wire.message import Client

PEER: Final = Client("10.0.0.1", 4242)
TRUSTED: Final = Cidr.parse("10.0.0.0/8")
TOKEN: Final = string.ascii_letters + string.digits + "!#$%&'*+-.^_`|~"
OBFUSCATED: Final = string.ascii_letters + string.digits + "._-"

blanks = st.text(" \t", max_size=2)
tokens = st.text(TOKEN, min_size=1, max_size=6)
obfuscated = st.text(OBFUSCATED, min_size=1, max_size=6).map("_".__add__)
ports = st.integers(0, 65535).map(str) | obfuscated
ipv4 = st.one_of(
    st.ip_addresses(v=4).map(str), st.integers(0, 2**24 - 1).map(lambda n: format_address(
        (10 << 24 | n).to_bytes(4, "big")))
)  # fmt: skip
ipv6 = st.ip_addresses(v=6).map(str)


@st.composite
def nodes(draw: st.DrawFn) -> tuple[str, str | None]:
    """Make a node and the address it names; None: it is withheld."""
    kind = draw(st.sampled_from(["4", "4", "6", "unknown", "obfuscated"]))
    if kind == "4":
        name = address = draw(ipv4)
    elif kind == "6":
        address = draw(ipv6)
        name = f"[{draw(st.sampled_from([address, address.upper()]))}]"
    else:
        name = (
            draw(st.sampled_from(["unknown", "Unknown"])) if kind == "unknown" else draw(obfuscated)
        )
        address = ""
    port = draw(st.just("") | ports.map(":".__add__))
    return name + port, format_address(packed_address(address)) if address else None


def quoted(draw: st.DrawFn, text: str) -> str:
    """Write *text* as a quoted string: some characters by a quoted pair."""
    return '"' + "".join(
        f"\\{each}" if each in '"\\' or draw(st.integers(0, 9)) == 0 else each for each in text
    ) + '"'  # fmt: skip


texts = st.text(
    st.characters(min_codepoint=32, max_codepoint=255).filter(lambda each: each != "\x7f")
    | st.just("\t"),
    max_size=8,
)


@st.composite
def elements(draw: st.DrawFn) -> tuple[str, str | None]:
    """Make an element: pairs in any order, some of them missing; and the address of its ``for``."""
    address = None
    pairs = []
    if draw(st.integers(0, 5)):
        node, address = draw(nodes())
        is_token = set(node) <= set(TOKEN)
        value = node if is_token and draw(st.booleans()) else quoted(draw, node)
        pairs.append(f"{draw(st.sampled_from(['for', 'For', 'FOR']))}={value}")
    names = draw(st.lists(tokens.filter(lambda each: each.lower() != "for"), max_size=3,
                          unique_by=str.lower))  # fmt: skip
    for name in names:
        value = draw(tokens) if draw(st.booleans()) else quoted(draw, draw(texts))
        pairs.append(f"{name}={value}")
    pairs += [""] * draw(st.integers(0 if pairs else 2, 2))
    return ";".join(draw(st.permutations(pairs))), address


@st.composite
def fields(draw: st.DrawFn) -> tuple[bytes, list[str | None]]:
    """Make a field and its chain; empty elements of the list count for nothing."""
    made = draw(st.lists(elements(), min_size=1, max_size=5))
    texts = [text for text, _ in made]
    for _ in range(draw(st.integers(0, 3))):
        texts.insert(draw(st.integers(0, len(texts))), "")
    text = ",".join(draw(blanks) + text + draw(blanks) for text in texts)
    return text.strip(" \t").encode("latin-1"), [address for _, address in made]


def client_of(chain: list[str | None]) -> str:
    """Walk the chain from its end, up to the first hop that is not trusted or not named."""
    client = PEER.address
    for address in reversed(chain):
        if address is None:
            break
        client = address
        if not address.startswith("10.") or ":" in address:
            break
    return client


@given(fields())
def test_field(field: tuple[bytes, list[str | None]]) -> None:
    """Each field of the grammar has its chain, and names its client."""
    value, chain = field
    [(_, _, found)] = parse_claims({b"forwarded": value})

    assert found is not None
    assert [None if hop is None else hop.address for hop in found] == chain
    proxies = TrustedProxies((TRUSTED,), "forwarded")
    assert proxies.resolve(PEER, {b"forwarded": value}).address == client_of(chain)


@given(fields(), st.data())
def test_damaged_field(field: tuple[bytes, list[str | None]], data: st.DataObject) -> None:
    """A field cut short or with a byte too many names an address in it, or the peer."""
    value, chain = field
    at = data.draw(st.integers(0, len(value)))
    damaged = data.draw(
        st.sampled_from(
            [value[:at], value[:at] + b"\x01" + value[at:], value[:at] + value[at + 1 :]]
        )
    )
    found = TrustedProxies((TRUSTED,), "forwarded").resolve(PEER, {b"forwarded": damaged}).address

    assert packed_address(found)
    if b"\x01" in damaged:
        assert found == PEER.address
    assert len(chain) >= 1
