"""Passwords, kept out of the output: progress, errors, a failed program's last lines.

An index or a proxy is often named with a user and a password in it (RFC 3986, userinfo). pip and
apt hide most of them in their output, not all; and a program may print its arguments.
"""

import os
import re
from collections.abc import Mapping
from functools import cache
from typing import Final

HIDDEN: Final = "****"
"""As pip writes it."""

USERINFO: Final = re.compile(r"([a-zA-Z][a-zA-Z0-9+.-]{0,30}://)[^/\s'\"<>]*@")
"""Up to the last @ before the path: a password may contain one, unescaped."""

QUERY: Final = re.compile(
    r"([?&][^=&#\s'\"<>]{0,80}(?:auth|credential|key|passw|secret|sig|token)[^=&#\s'\"<>]{0,80}=)"
    r"[^&#\s'\"<>]+",
    re.IGNORECASE,
)
"""A value that is a right by its name in a query: ``private_token``, ``X-Amz-Signature``."""

CONTROL: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
"""Characters that move a terminal's cursor, change its title or reverse text."""

APART: Final = re.compile(r"UV_INDEX_\w+_PASSWORD")
"""A variable that holds a password alone."""

MIN_LENGTH: Final = 4
"""Characters of a password that is hidden by itself: a shorter one would hide half the text."""


def without_rights(text: str) -> str:
    """Return *text* without passwords and tokens of its addresses, whatever the environment."""
    return QUERY.sub(rf"\1{HIDDEN}", USERINFO.sub(rf"\1{HIDDEN}@", text))


def hidden(text: str, environ: Mapping[str, str] | None = None) -> str:
    """Return *text* without passwords of addresses, and fit for a terminal.

    Hidden are the userinfo of every address and tokens of its query, and everywhere the passwords
    of addresses in *environ* (this process's).
    """
    text = without_rights(text)
    values = os.environ if environ is None else environ
    addresses = tuple(value for value in values.values() if "@" in value)
    apart = tuple(value for name, value in values.items() if APART.fullmatch(name))
    for word in (*_passwords(addresses), *(word for word in apart if len(word) >= MIN_LENGTH)):
        text = text.replace(word, HIDDEN)
    return CONTROL.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


@cache
def _passwords(values: tuple[str, ...]) -> tuple[str, ...]:
    # A proxy may be given without its scheme: user:password@host:3128.
    found = [
        password
        for value in values
        for address in value.split()
        for password in re.findall(
            r"^(?:[\w.-]+=)?(?:[\w+.-]+://)?[^/\s:@]*:(\S+)@[^@\s]*$", address
        )
    ]
    return tuple(sorted({word for word in found if len(word) >= MIN_LENGTH}, key=len, reverse=True))
