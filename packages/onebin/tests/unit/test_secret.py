"""Secrets in messages: hidden in every form, other text unchanged."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onebin import secret

pytestmark = pytest.mark.claim("passwords stay")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("https://u:p@h/x", "https://****@h/x"),
        ("https://token@h/x", "https://****@h/x"),
        ("see http://u:p@h:1/x, https://v:q@i/", "see http://****@h:1/x, https://****@i/"),
        ("https://u:p@ss@h/x", "https://****@h/x"),
        ("git+ssh://git:p@h/x@main", "git+ssh://****@h/x@main"),
        ("https://h/a@b", "https://h/a@b"),
        ("me@example.org", "me@example.org"),
        ("a == 1", "a == 1"),
        ("HTTPS://U:P@H", "HTTPS://****@H"),
        ("https://u:p%40%2F@h/", "https://****@h/"),
        ("https://h/x.tar.gz?token=abc", "https://h/x.tar.gz?token=****"),
        ("https://h/x?a=1&private_token=abc&b=2#y", "https://h/x?a=1&private_token=****&b=2#y"),
        ("s3://h/x?X-Amz-Signature=abc&Date=1", "s3://h/x?X-Amz-Signature=****&Date=1"),
        ("'https://h/x?sv=1&sig=a%2Fb'", "'https://h/x?sv=1&sig=****'"),
        ("https://h/x?page=2&sort=name", "https://h/x?page=2&sort=name"),
        ("token=abc", "token=abc"),
        ("is this a key? a=1", "is this a key? a=1"),
    ],
)
def test_rights_are_hidden(text: str, expected: str) -> None:
    """The userinfo of an address and tokens of its query are hidden, and nothing else."""
    assert expected == secret.hidden(text, {})


@pytest.mark.parametrize(
    "value",
    [
        "http://me:pa55word@proxy:3128",
        "me:pa55word@proxy:3128",
        "https://a.example https://me:pa55word@b.example/simple/",
        "https://me:pa55word@b.example/simple/\nhttps://c.example",
    ],
)
def test_password_of_the_environment_is_hidden_everywhere(value: str) -> None:
    """pip and libraries print passwords without their address."""
    assert "denied: ****!" == secret.hidden("denied: pa55word!", {"https_proxy": value})


def test_short_password_is_not_searched_for() -> None:
    """Hiding one letter everywhere would hide the alphabet; in its address it is hidden."""
    assert "a banana" == secret.hidden("a banana", {"https_proxy": "http://u:a@h"})


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("\x1b[31mred\x1b[0m", "\\x1b[31mred\\x1b[0m"),
        ("a\rb", "a\\rb"),
        ("tab\tand\nline", "tab\tand\nline"),
        ("\u202egnp.exe", "\\u202egnp.exe"),
        ("\x9b2J", "\\x9b2J"),
        ("größer 日本", "größer 日本"),
    ],
)
def test_terminal_is_not_moved(text: str, expected: str) -> None:
    """Text of programs and projects moves no cursor and reverses no line."""
    assert expected == secret.hidden(text, {})


# An address has no white space, in any alphabet.
SAFE = st.text(
    st.characters(exclude_characters="/@\"'<>", codec="utf-8").filter(lambda c: not c.isspace()),
    min_size=4,
)


@given(before=st.text(), user=SAFE, password=SAFE)
def test_no_password_of_an_address_is_left(before: str, user: str, password: str) -> None:
    """For any text before it and any characters in it."""
    mark = f"§{password}§"
    found = secret.hidden(f"{before} https://{user}:{mark}@host/path", {})

    assert mark not in found
    assert found.endswith("@host/path")
