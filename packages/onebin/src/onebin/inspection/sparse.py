"""Sparse files of a tar: their maps, and their data with the holes as zeros.

Source: the GNU tar manual, "Storing Sparse Files": the old format (type ``S``) and those of pax
headers, 0.0, 0.1 and 1.0. Go's archive/tar, so every engine, unpacks all four.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final

from onebin.errors import ImageError

MAX_PIECES: Final = 1 << 16
"""Of one file; a map of 0.1, which a header holds, ends at as many."""

MAX_SIZE: Final = 1 << 44
"""Bytes of a sparse file, which no data bound: 16 TiB, ext4's largest."""

NAME: Final = "GNU.sparse.name"
MAP: Final = "GNU.sparse.map"
_MAJOR: Final = "GNU.sparse.major"
_MINOR: Final = "GNU.sparse.minor"
_SIZES: Final = ("GNU.sparse.realsize", "GNU.sparse.size")
PIECES: Final = (b"GNU.sparse.offset", b"GNU.sparse.numbytes")
"""Format 0.0 repeats both in turns; joined by commas they are the map of 0.1."""

KEYS: Final = (NAME, MAP, _MAJOR, _MINOR, *_SIZES)

BLOCK: Final = 512
_OLD_PLACES: Final = 4
_OLD_START: Final = 386
_OLD_EXTENDED: Final = 482
_OLD_SIZE: Final = slice(483, 495)
_MORE_PLACES: Final = 21
_MORE_EXTENDED: Final = 504
_FIELD: Final = 12

Piece = tuple[int, int]
"""Data that is stored: where it begins in the file, and its bytes."""


class Map:
    """The pieces of a sparse file, in order, and the bytes of the whole."""

    def __init__(self, numbers: Iterable[int], size: int, *, what: str) -> None:
        """Take *numbers*: where each piece begins, and its bytes, in turns.

        Raises:
            ImageError: pieces overlap, are out of order, or end after *size*.
        """
        values = list(numbers)
        self.size = size
        self.pieces: list[Piece] = list(zip(values[::2], values[1::2], strict=False))
        at = 0
        for offset, length in self.pieces:
            if offset < at or length < 0:
                raise _broken(what)
            at = offset + length
        if len(values) % 2 or not at <= size <= MAX_SIZE:
            raise _broken(what)

    def data(
        self, stored: Callable[[int], bytes], spend: Callable[[int], None]
    ) -> Callable[[int], bytes]:
        """Return a function that reads the file forwards, so many bytes at most.

        *stored* reads the pieces; each zero of a hole is spent first.
        """
        pieces = iter(self.pieces)
        at, piece = 0, next(pieces, None)

        def read(limit: int) -> bytes:
            nonlocal at, piece
            while piece is not None and at >= sum(piece):
                piece = next(pieces, None)
            if piece is None or at < piece[0]:
                end = self.size if piece is None else piece[0]
                count = min(limit, end - at)
                spend(count)
                at += count
                return bytes(count)
            found = stored(min(limit, sum(piece) - at))
            at += len(found)
            return found

        return read


def is_inline(pax: Mapping[str, str]) -> bool:
    """Whether the map is before the data (1.0)."""
    return (pax.get(_MAJOR), pax.get(_MINOR)) == ("1", "0")


def size_of(pax: Mapping[str, str], *, what: str) -> int:
    """Return the bytes of the file.

    Raises:
        ImageError: no header states them.
    """
    return _number(next((pax[key] for key in _SIZES if key in pax), ""), what)


def of_header(pax: Mapping[str, str], *, what: str) -> Map:
    """Read the map of a pax header (0.0, 0.1).

    Raises:
        ImageError: it is broken.
    """
    words = pax[MAP].split(",") if pax[MAP] else []
    if len(words) > 2 * MAX_PIECES:
        raise _broken(what)
    return Map((_number(word, what) for word in words), size_of(pax, what=what), what=what)


def before_data(pax: Mapping[str, str], stored: Callable[[int], bytes], *, what: str) -> Map:
    """Read the map before the data (1.0): lines with the count of pieces, then their numbers.

    Raises:
        ImageError: it is broken.
    """
    blocks = [stored(BLOCK)]
    count = _number(blocks[0].split(b"\n")[0].decode("latin-1"), what)
    if count > MAX_PIECES:
        raise _broken(what)
    lines, wanted = blocks[0].count(b"\n"), 1 + 2 * count
    while lines < wanted:
        if len(block := stored(BLOCK)) < BLOCK:
            raise _broken(what)
        lines += block.count(b"\n")
        blocks.append(block)
    words = b"".join(blocks).split(b"\n")[1:wanted]
    numbers = (_number(word.decode("latin-1"), what) for word in words)
    return Map(numbers, size_of(pax, what=what), what=what)


def of_old_header(
    header: bytes, more: Callable[[], bytes], number: Callable[[bytes], int], *, what: str
) -> Map:
    """Read the map of GNU's old format, which goes on in blocks that *more* reads.

    Raises:
        ImageError: it is broken.
    """

    def numbers() -> Iterator[int]:
        block, start, places, extended = header, _OLD_START, _OLD_PLACES, _OLD_EXTENDED
        for _ in range(MAX_PIECES // _MORE_PLACES):
            for at in range(start, start + 2 * _FIELD * places, 2 * _FIELD):
                place = block[at : at + _FIELD], block[at + _FIELD : at + 2 * _FIELD]
                if place[0].strip(b"\0"):
                    yield from map(number, place)
            if not block[extended]:
                return
            block, start, places, extended = more(), 0, _MORE_PLACES, _MORE_EXTENDED
        raise _broken(what)

    return Map(numbers(), number(header[_OLD_SIZE]), what=what)


def _number(text: str, what: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= len(str(MAX_SIZE))):
        raise _broken(what)
    return int(text)


def _broken(what: str) -> ImageError:
    return ImageError(f"{what}: has a sparse file with a broken map")
