"""Content under its digest: what a layout and a registry store."""

import functools
import io
from collections.abc import Callable, Iterable
from typing import BinaryIO

import msgspec

from . import spec


class Blob(msgspec.Struct, frozen=True):
    """One document or layer, ready to be stored under its digest."""

    digest: str
    size: int
    """Bytes."""
    open: Callable[[], BinaryIO]


def document(data: bytes) -> Blob:
    """Return *data* as a blob."""
    return Blob(spec.sha256(data), len(data), functools.partial(io.BytesIO, data))


def distinct(blobs: Iterable[Blob]) -> tuple[Blob, ...]:
    """Return *blobs* in the order of their digests, each digest once."""
    by_digest = {blob.digest: blob for blob in blobs}
    return tuple(by_digest[digest] for digest in sorted(by_digest))
