"""Hostile archives: one maker for each kind of excess, each a small file.

Makers return the plain tar of a layer, a layer's blob, or documents. ``save`` and ``lay`` put
these into a ``docker save`` archive and an OCI layout; ``pack`` makes an OCI archive of a layout.
The headers are written by hand: no library writes such headers.
"""

import gzip
import hashlib
import json
import struct
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

Json = dict[str, Any]


def header(name: bytes, size: int = 0, kind: bytes = b"0", link: bytes = b"") -> bytes:
    """One block of a tar."""
    block = (
        name[:100].ljust(100, b"\0")
        + b"0000777\0"
        + b"0000000\0" * 2
        + b"%011o\0" % size
        + b"00000000000\0"
        + b" " * 8
        + kind
        + link[:100].ljust(100, b"\0")
        + b"ustar\x0000"
    ).ljust(512, b"\0")
    return block[:148] + b"%06o\0 " % sum(block) + block[156:]


def padded(data: bytes) -> bytes:
    return data + b"\0" * (-len(data) % 512)


def record(key: bytes, value: bytes) -> bytes:
    """One record of an extended header."""
    body = b" " + key + b"=" + value + b"\n"
    length = len(body) + 1
    while len(b"%d" % length) + len(body) != length:
        length += 1
    return b"%d" % length + body


def extended(*records: bytes, kind: bytes = b"x") -> bytes:
    data = b"".join(records)
    return header(b"x", len(data), kind) + padded(data)


def entry(name: bytes, data: bytes = b"", kind: bytes = b"0", link: bytes = b"") -> bytes:
    """One entry, with the extended header that long names need."""
    more = [record(b"path", name)] if len(name) > 100 else []
    more += [record(b"linkpath", link)] if len(link) > 100 else []
    size = len(data) if kind == b"0" else 0
    return (
        (extended(*more) if more else b"")
        + header(name, size, kind, link)
        + padded(data[: size or 0])
    )


def squeezed(pieces: Iterable[bytes]) -> bytes:
    """Compress with gzip a piece at a time, so that no size needs memory."""
    deflate = zlib.compressobj(9, zlib.DEFLATED, zlib.MAX_WBITS | 16)
    return b"".join([*map(deflate.compress, pieces), deflate.flush()])


def zeros(count: int) -> Iterator[bytes]:
    piece = bytes(1 << 20)
    for _ in range(count >> 20):
        yield piece
    yield piece[: count % (1 << 20)]


def elf(size: int, path: bytes = b"") -> Iterator[bytes]:
    """A static PIE of *size* bytes: mostly zeros, or *path* repeated."""
    dynamic = struct.pack("<4Q", 0x6FFFFFFB, 0x08000000, 0, 0)
    at = 64 + 2 * 56
    rows = ((1, 5, 0, size), (2, 6, at, len(dynamic)))
    head = b"\x7fELF\2\1\1" + bytes(9)
    head += struct.pack("<HHIQQQIHHHHHH", 3, 62, 1, at, 64, 0, 0, 64, 56, len(rows), 0, 0, 0)
    for kind, flags, start, length in rows:
        head += struct.pack("<IIQQQQQQ", kind, flags, start, start, start, length, length, 8)
    head += dynamic
    yield head
    if path:
        piece = path * (1 << 14)
        left = size - len(head)
        while left > 0:
            yield piece[:left]
            left -= len(piece)
    else:
        yield from zeros(size - len(head))


def program(size: int, path: bytes = b"") -> Iterator[bytes]:
    """A layer with one program."""
    yield header(b"app", size)
    yield from elf(size, path)
    yield bytes(-size % 512 + 1024)


def config(layers: int = 1, **more: Any) -> Json:
    return {
        "architecture": "amd64",
        "os": "linux",
        "created": "1970-01-01T00:00:00Z",
        "config": {"User": "1000:1000", "Entrypoint": ["/app"]},
        "rootfs": {"type": "layers", "diff_ids": ["sha256:" + "0" * 64] * layers},
        **more,
    }


def pack(files: dict[str, bytes]) -> bytes:
    """The files as one tar."""
    return b"".join(entry(name.encode(), data) for name, data in files.items()) + bytes(1024)


def docker(document: Json | bytes, *blobs: bytes, **entry_: Any) -> dict[str, bytes]:
    """The files of an archive of ``docker save``."""
    names = [f"{number}/layer.tar" for number in range(len(blobs))]
    listed = [{"Config": "c.json", "RepoTags": ["app:1"], "Layers": names, **entry_}]
    return {
        "manifest.json": json.dumps(listed).encode(),
        "c.json": document if isinstance(document, bytes) else json.dumps(document).encode(),
        **dict(zip(names, blobs, strict=True)),
    }


def oci(
    document: Json | bytes,
    *blobs: bytes,
    manifest: Json | None = None,
    index: Json | None = None,
    more: tuple[bytes, ...] = (),
) -> dict[str, bytes]:
    """The files of a layout."""
    data = document if isinstance(document, bytes) else json.dumps(document).encode()
    made = {
        "schemaVersion": 2,
        "config": descriptor(data, "application/vnd.oci.image.config.v1+json"),
        "layers": [descriptor(b, "application/vnd.oci.image.layer.v1.tar+gzip") for b in blobs],
        **(manifest or {}),
    }
    text = json.dumps(made).encode()
    entrance = {"schemaVersion": 2, "manifests": [descriptor(text)], **(index or {})}
    return {
        "index.json": json.dumps(entrance).encode(),
        "oci-layout": b'{"imageLayoutVersion":"1.0.0"}',
        **{f"blobs/sha256/{hashlib.sha256(b).hexdigest()}": b for b in (text, data, *blobs, *more)},
    }


def descriptor(
    data: bytes, kind: str = "application/vnd.oci.image.manifest.v1+json", **more: Any
) -> Json:
    digest = "sha256:" + hashlib.sha256(data).hexdigest()
    return {"mediaType": kind, "digest": digest, "size": len(data), **more}


def write(files: dict[str, bytes], place: Path, form: str) -> Path:
    """Write *files* to *place*: a ``tar``, a gzipped one (``gz``), or a ``folder``."""
    if form == "folder":
        for name, data in files.items():
            path = Path(place, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
    else:
        data = pack(files)
        place.write_bytes(gzip.compress(data) if form == "gz" else data)
    return place
