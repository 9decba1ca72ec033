"""Media ranges of ``Accept``, and their weight for a type."""

import pytest

from devops_info_service.http.wire.accept import MAX_ACCEPT_BYTES, MediaRange, parse, quality


@pytest.mark.parametrize(
    ("value", "ranges"),
    [
        (b"text/html", [MediaRange("text/html", {}, 1000)]),
        (
            b'Text/HTML ; Charset="UTF-8" ; Q=0.5 , */*',
            [MediaRange("text/html", {"charset": "utf-8"}, 500), MediaRange("*/*", {}, 1000)],
        ),
        (b'a/b;x=",";q=0', [MediaRange("a/b", {"x": ","}, 0)]),
        (b"a/b;;q=.25;later=1", [MediaRange("a/b", {}, 250)]),
        (b"a/b;q=1.000,a/c;q=1.001,a/d;q=x", [MediaRange("a/b", {}, 1000)]),
        (b"a/b," * MAX_ACCEPT_BYTES, []),
    ],
)
def test_parse(value: bytes, ranges: list[MediaRange]) -> None:
    """A range is its type, its parameters and its weight; without a valid weight it is none."""
    assert list(parse(value)) == ranges


@pytest.mark.parametrize(
    ("value", "thousandths"),
    [
        (b"", 0),
        (b"*/*", 1000),
        (b"text/html;q=0.1,text/*;q=0.9,*/*", 100),
        (b"text/*;q=0.2,*/*", 200),
        (b"text/html;charset=utf-8;q=0.3,text/html", 300),
        (b"text/html;level=1", 0),
        (b"text/html;level=1,*/*;q=0.4", 400),
        (b"text/html;q=0.2,text/html;q=0.6", 600),
        (b"application/json", 0),
    ],
)
def test_quality(value: bytes, thousandths: int) -> None:
    """The most specific range decides (RFC 9110, section 12.5.1)."""
    assert quality(parse(value), "text/html") == thousandths
