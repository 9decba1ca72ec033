"""The health check's reading of a URL."""

import pytest

from devops_info_service.errors import CheckError
from devops_info_service.target import Target


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://127.0.0.1:8080/health", ("127.0.0.1", 8080, "/health", "127.0.0.1:8080")),
        ("http://localhost", ("localhost", 80, "", "localhost")),
        ("http://[::1]:8080/a?b=c", ("::1", 8080, "/a?b=c", "[::1]:8080")),
        ("http://[::1]/", ("::1", 80, "/", "[::1]")),
        (
            "http://xn--bcher-kva.example:81/",
            ("xn--bcher-kva.example", 81, "/", "xn--bcher-kva.example:81"),
        ),
    ],
)
def test_parsed(url: str, expected: tuple[str, int, str, str]) -> None:
    """A URL is taken apart."""
    assert Target.parse(url) == Target(*expected)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "127.0.0.1:8080",
        "https://127.0.0.1/",
        "http://",
        "http:///health",
        "http://:8080/",
        "http://a:0/",
        "http://a:65536/",
        "http://a:b/",
        "http://a/\r\nX: evil",
        "http://a/b c",
        "http://a/b\u00fc",
        "http://b\u00fccher.example/",
    ],
)
def test_rejected(url: str) -> None:
    """Any other URL than plain http is rejected in one line."""
    with pytest.raises(CheckError) as caught:
        Target.parse(url)

    assert "\n" not in str(caught.value)
    assert caught.value.exit_status == 1
