"""The field ``traceparent``: which trace a request belongs to.

Source: W3C Trace Context, level 1 (recommendation) and level 2. No span is exported here, so
none is made: the IDs go to the log as they came. ``tracestate`` is not read.
"""

from typing import Final

import msgspec

_LENGTH: Final = 55
"""Bytes of version 00; a later version begins alike and may go on (level 1, section 3.2.4)."""

_DASH: Final = ord("-")
_NO_TRACE: Final = b"0" * 32
_NO_PARENT: Final = b"0" * 16
_HEX: Final = b"0123456789abcdef"


class TraceParent(msgspec.Struct, frozen=True):
    """The trace of a request. Hexadecimal, lower case."""

    trace_id: str
    """32 digits: of everything that one cause brought about."""
    parent_id: str
    """16 digits: the client's span."""


def parse_traceparent(value: bytes) -> TraceParent | None:
    """Return the trace that *value* names; None if it is invalid.

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
    return TraceParent(trace_id.decode(), parent_id.decode())
