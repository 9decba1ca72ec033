r"""Text from outside, made safe for a terminal and a log.

JSON and terminals take characters that are not printable as they are: control characters, those
of Unicode (C1) as well, which some terminals obey, and the marks that turn the direction of
writing. HTML and Prometheus labels have further rules; those are with their formats.
"""

from typing import Final

import msgspec


def printable(text: str, limit: int | None = None) -> str:
    r"""Return *text* with unprintable characters as in a Python literal: ``\x1b``, ``\u202e``.

    *limit*: characters of *text* that are kept; three dots replace the rest.
    """
    if limit is not None and len(text) > limit:
        text = text[:limit] + "..."
    if text.isprintable():
        return text
    return "".join([each if each.isprintable() else ascii(each)[1:-1] for each in text])


def json_body(value: object) -> bytes:
    """Return *value* as JSON that is safe on a terminal: for bodies with text from outside."""
    return printable_json(_encode(value))


def printable_json(data: bytes) -> bytes:
    r"""Return the same JSON with unprintable characters as ``\u`` escapes."""
    if data.isascii() and _DELETE not in data:
        return data
    text = data.decode()
    if text.isprintable():
        return data
    return "".join([each if each.isprintable() else _utf16(each) for each in text]).encode()


def _utf16(character: str) -> str:
    number = ord(character)
    if number <= _FIRST_PLANE:
        return f"\\u{number:04x}"
    # RFC 8259, section 7: a character of another plane is a pair of surrogates.
    number -= _FIRST_PLANE + 1
    return f"\\u{0xD800 + (number >> 10):04x}\\u{0xDC00 + (number & 0x3FF):04x}"


_encode: Final = msgspec.json.Encoder().encode
_DELETE: Final = b"\x7f"
_FIRST_PLANE: Final = 0xFFFF
