"""The field ``traceparent``: which trace a request belongs to, and our place in it.

Source: W3C Trace Context, level 1 (recommendation) and level 2. ``tracestate`` is for whoever
calls further services; it is neither read nor changed.
"""

import os
from typing import Final

import msgspec

_LENGTH: Final = 55
"""Bytes of version 00; a later version begins alike and may go on (level 1, section 3.2.4)."""

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


def join(value: bytes) -> Span | None:
    """Join the trace that *value* names; ``None`` if it is not to be used.

    Two fields are one value with a comma here, so that they are never valid.
    """
    if len(value) < _LENGTH or (value[2:3], value[35:36], value[52:53]) != (b"-", b"-", b"-"):
        return None
    version, trace_id, parent_id, flags = value[:2], value[3:35], value[36:52], value[53:55]
    if (version + trace_id + parent_id + flags).translate(None, _HEX):
        return None
    longer = value[_LENGTH : _LENGTH + 1]
    if version == b"ff" or (longer and (version == b"00" or longer != b"-")):
        return None
    if not (trace_id.strip(b"0") and parent_id.strip(b"0")):
        return None
    own = os.urandom(8).hex()
    return Span(trace_id.decode(), own, parent_id.decode(), int(flags, 16) & _KNOWN_FLAGS)
