"""Which representation of ``/`` an Accept field chooses."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devops_info_service.handlers.info import prefers_html

FIREFOX = b"text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
CHROME = (
    b"text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,image/apng,"
    b"*/*;q=0.8,application/signed-exchange;v=b3;q=0.7"
)


@pytest.mark.parametrize(
    "accept",
    [
        FIREFOX,
        CHROME,
        b"text/html",
        b"TEXT/HTML",
        b"text/*",
        b"text/html;charset=utf-8",
        b'text/html; charset="UTF-8"',
        b"text/html;q=0.001",
        b"text/html;q=0.9,application/json;q=0.8",
        b"application/json ; Q=0.5 , text/html\t;\tq=0.501",
        b"application/json;q=0,*/*",
        b"application/json;v=2,text/html;q=0.1",
        b'text/plain;x=",",text/html',
        b"text/html;q=1.000,,",
        b"text/html;q=0.5;text/html,text/html",
        b"text/html;q=1.",
        b"text/html;q=.5",
        b"text/html;",
        b"text/html;;charset=utf-8",
    ],
)
def test_page(accept: bytes) -> None:
    """The page is for a higher weight of HTML, by its most specific range."""
    assert prefers_html(accept)


@pytest.mark.parametrize(
    "accept",
    [
        b"",
        b"*/*",
        b"application/json",
        b"application/*",
        b"application/json, text/plain, */*",
        b"text/html,application/json",
        b"text/html;q=0.8,application/json;q=0.9",
        b"text/html;q=0.5,*/*;q=0.8",
        b"text/html;q=0,text/*",
        b"text/html;q=0.0",
        b"text/*;q=0.3,*/*;q=0.3",
        b"image/png",
        # Another HTML than the service has.
        b"text/html;level=1",
        b"text/html;charset=utf-16",
        # Malformed, so as if not sent.
        b"text/html;q=2",
        b"text/html;q=1.001",
        b"text/html;q=0.1234",
        b"text/html;q=",
        b"text/html;q=.",
        b"text/html;q=00",
        b"text/html;q=0001",
        b"text/html;q=-1",
        b"text/html;q=nan",
        b"text/html;q=\xb2",
        b"text/html;q=\xd9\xa1",
        b"text /html",
        b"texts/html",
        b"*/html",
        b"text",
        b"html",
        b'text/plain;x=",text/html',
        b'text/plain;x="\\",text/html,"',
    ],
)
def test_json(accept: bytes) -> None:
    """JSON is the response unless HTML is wanted more."""
    assert not prefers_html(accept)


@given(st.binary(max_size=200))
def test_any_bytes(accept: bytes) -> None:
    """Any bytes have a response, and JSON before everything else is never wanted less."""
    assert prefers_html(accept) in {True, False}
    assert not prefers_html(b"application/json, */*;q=0.9")
