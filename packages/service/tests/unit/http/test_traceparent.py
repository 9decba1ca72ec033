"""W3C's rules for ``traceparent``; the cases of its test suite, and the edges between them."""

import pytest

from devops_info_service.http.wire.traceparent import TraceParent, parse_traceparent

TRACE = "12345678901234567890123456789012"
PARENT = "1234567890123456"


@pytest.mark.parametrize(
    "value",
    [
        f"00-{TRACE}-{PARENT}-01",
        f"00-{TRACE}-{PARENT}-00",
        f"00-{TRACE}-{PARENT}-03",  # level 2: the trace id is random
        f"00-{TRACE}-{PARENT}-ff",  # unknown flags
        f"00-{TRACE}-{PARENT}-08",
        f"00-{'0' * 31}1-{'0' * 15}1-01",
        f"00-{'f' * 32}-{'f' * 16}-01",
        f"cc-{TRACE}-{PARENT}-01",
        f"fe-{TRACE}-{PARENT}-01",
        f"cc-{TRACE}-{PARENT}-01-what-the-future-will-be-like",
        f"01-{TRACE}-{PARENT}-01-",
    ],
)
def test_valid(value: str) -> None:
    """The trace and the client's span are read, of this version and of later ones."""
    assert parse_traceparent(value.encode()) == TraceParent(value[3:35], value[36:52])


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
    """An invalid value counts as none."""
    assert parse_traceparent(value.encode()) is None
