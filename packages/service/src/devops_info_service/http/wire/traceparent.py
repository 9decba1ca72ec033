"""The field ``traceparent``: which trace a request belongs to, and our place in it.

Source: W3C Trace Context, level 1 (recommendation) and level 2. ``tracestate`` is for whoever
calls further services; it is neither read nor changed.
"""

from typing import Final

import msgspec

_LENGTH: Final = 55
"""Bytes of version 00; a later version begins alike and may go on (level 1, section 3.2.4)."""

_DASH: Final = ord("-")
_NO_TRACE: Final = b"0" * 32
_NO_PARENT: Final = b"0" * 16
_HEX: Final = b"0123456789abcdef"

_KNOWN_FLAGS: Final = 0b11
"""Sampled, and (level 2) random trace id: handed on as they came, all others as 0."""


class Span(msgspec.Struct, frozen=True):
    """Our part in somebody's trace: the answer to one request. Hexadecimal, lower case."""

    trace_id: str
    """32 digits: of everything that one cause brought about."""
    span_id: str
    """16 digits, ours."""
    parent_id: str
    """16 digits: the span that asked us."""
    flags: int

    def field(self) -> bytes:
        """Return the value of ``traceparent`` that names us as the parent."""
        return f"00-{self.trace_id}-{self.span_id}-{self.flags:02x}".encode()


def join(value: bytes, own: str) -> Span | None:
    """Join the trace that *value* names, as *own*; ``None`` if it is not to be used.

    Two fields are one value with a comma here, so that they are never valid.
    """
    if len(value) < _LENGTH or not (value[2] == value[35] == value[52] == _DASH):
        return None
    # Three dashes, in their places, and nothing else but digits.
    if value[:_LENGTH].translate(None, _HEX) != b"---":
        return None
    if value[:3] != b"00-":
        if value[:2] == b"ff" or (len(value) > _LENGTH and value[_LENGTH] != _DASH):
            return None
    elif len(value) > _LENGTH:
        return None
    trace_id, parent_id = value[3:35], value[36:52]
    if trace_id == _NO_TRACE or parent_id == _NO_PARENT:
        return None
    flags = int(value[53:55], 16) & _KNOWN_FLAGS
    return Span(trace_id.decode(), own, parent_id.decode(), flags)
