"""The one date of an image and of the documents about it."""

from datetime import UTC, datetime
from typing import Final

from onebin.errors import ImageError

MAX_EPOCH: Final = 253402300799
"""Seconds: the last one of the year 9999, the last year RFC 3339 can write."""


def rfc3339(epoch: int) -> str:
    """Return the date *epoch* (seconds) in UTC.

    Raises:
        ImageError: it is out of range.
    """
    if not 0 <= epoch <= MAX_EPOCH:
        raise ImageError(f"image date {epoch}: out of range; expected 0 to {MAX_EPOCH} seconds")
    return datetime.fromtimestamp(epoch, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
