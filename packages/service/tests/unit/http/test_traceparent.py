"""W3C's rules for ``traceparent``; the cases of its test suite, and the edges between them."""

import pytest

from devops_info_service.http.wire.traceparent import join

TRACE = "12345678901234567890123456789012"
PARENT = "1234567890123456"
OWN = "fedcba9876543210"


@pytest.mark.parametrize(
    ("value", "flags"),
    [
        (f"00-{TRACE}-{PARENT}-01", 1),
        (f"00-{TRACE}-{PARENT}-00", 0),
        (f"00-{TRACE}-{PARENT}-03", 3),  # level 2: the trace id is random
        (f"00-{TRACE}-{PARENT}-ff", 3),  # what nobody knows is not handed on
        (f"00-{TRACE}-{PARENT}-08", 0),
        (f"00-{'0' * 31}1-{'0' * 15}1-01", 1),
        (f"00-{'f' * 32}-{'f' * 16}-01", 1),
        (f"cc-{TRACE}-{PARENT}-01", 1),
        (f"fe-{TRACE}-{PARENT}-01", 1),
        (f"cc-{TRACE}-{PARENT}-01-what-the-future-will-be-like", 1),
        (f"01-{TRACE}-{PARENT}-01-", 1),
    ],
)
def test_valid(value: str, flags: int) -> None:
    """The trace is the client's, its span our parent, and the span is ours, of the version we
    speak."""
    span = join(value.encode(), OWN)

    assert span is not None
    assert (span.trace_id, span.parent_id, span.flags) == (value[3:35], value[36:52], flags)
    assert span.field() == f"00-{value[3:35]}-{span.span_id}-{flags:02x}".encode()
    assert join(span.field(), OWN) is not None
    assert span.span_id != span.parent_id


@pytest.mark.parametrize(
    "value",
    [
        "",
        "-",
        "00",
        "00--" + PARENT + "-01",
        f"ff-{TRACE}-{PARENT}-01",
        f"FF-{TRACE}-{PARENT}-01",
        f".0-{TRACE}-{PARENT}-01",
        f"0.-{TRACE}-{PARENT}-01",
        f"0-{TRACE}-{PARENT}-01",
        f"000-{TRACE}-{PARENT}-01",
        f"0000-{TRACE}-{PARENT}-01",
        f"00-{TRACE}-{PARENT}-01.",
        f"00-{TRACE}-{PARENT}-01-",
        f"00-{TRACE}-{PARENT}-01-what-the-future-will-be-like",
        f"cc-{TRACE}-{PARENT}-01.what-the-future-will-be-like",
        f"cc-{TRACE}-{PARENT}-010",
        f"cc-{TRACE}-{PARENT}-0",
        f"00-{'0' * 32}-{PARENT}-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"cc-{'0' * 32}-{PARENT}-01",
        f"00-.{TRACE[1:]}-{PARENT}-01",
        f"00-{TRACE[:-1]}.-{PARENT}-01",
        f"00-{TRACE[:-1]}A-{PARENT}-01",
        f"00-{TRACE}3-{PARENT}-01",
        f"00-{TRACE[:-1]}-{PARENT}-01",
        f"00-{TRACE}-.{PARENT[1:]}-01",
        f"00-{TRACE}-{PARENT[:-1]}.-01",
        f"00-{TRACE}-{PARENT}7-01",
        f"00-{TRACE}-{PARENT[:-1]}-01",
        f"00-{TRACE}-{PARENT}-.0",
        f"00-{TRACE}-{PARENT}-0.",
        f"00-{TRACE}-{PARENT}-001",
        f"00-{TRACE}-{PARENT}-1",
        f"00-{TRACE}-{PARENT}",
        f"00_{TRACE}_{PARENT}_01",
        f" 00-{TRACE}-{PARENT}-01",
        f"00-{TRACE}-{PARENT}-+1",
        f"00-{TRACE}-{PARENT}-01, 00-{TRACE}-{PARENT}-01",  # the field came twice
        f"cc-{TRACE}-{PARENT}-01, cc-{TRACE}-{PARENT}-01",
        f"00-\u0661{TRACE[2:]}-{PARENT}-01",
    ],
)
def test_not_valid(value: str) -> None:
    """What is not valid to the letter is as good as none."""
    assert join(value.encode(), OWN) is None
