"""Read a tar forwards, once, with any contents: no byte of it can crash or climb.

Not ``tarfile``: it loads headers of any length, accepts broken ones and hides
facts an inspector reports (order, owner names, raw paths). It also writes the
layers of onebin, and a checker should not share bugs with its subject.

Source: POSIX.1-2017 pax (ustar and extended headers); the GNU tar manual,
"Basic Tar Format" (long names ``L`` and ``K``, base-256 numbers).
"""

from collections.abc import Callable, Iterator
from typing import Final, Literal, Protocol

import msgspec

from onebin.errors import ImageError
from onebin.terminal import decoded

from . import sparse
from .budget import Budget

BLOCK: Final = 512
MAX_HEADER_BYTES: Final = 1024 * 1024
"""Of one long name or extended header: Go's archive/tar, so every engine, accepts as much."""

MAX_PATH_BYTES: Final = 4096
"""Of one name: Linux's PATH_MAX, including the closing NUL."""

_MAX_NUMBER: Final = 1 << 63
"""Numbers are less, as in Go's archive/tar and in JSON."""

_MAX_DIGITS: Final = 20
"""Of a decimal number: they hold 64 bits, and ``int`` of a million digits takes minutes."""
_CAPABILITY: Final = "SCHILY.xattr.security.capability"
_KEYS: Final = frozenset(
    key.encode()
    for key in (
        *("path", "linkpath", "size", "uid", "gid", "mtime", "uname", "gname"),
        *(_CAPABILITY, *sparse.KEYS),
    )
)
"""Keys kept of extended headers; there may be any number of others."""

Kind = Literal["file", "directory", "symlink", "hardlink", "character", "block", "fifo"]

_KINDS: Final[dict[bytes, Kind]] = {
    b"\0": "file",
    b"0": "file",
    b"7": "file",
    b"S": "file",
    b"1": "hardlink",
    b"2": "symlink",
    b"3": "character",
    b"4": "block",
    b"5": "directory",
    b"6": "fifo",
}


class Readable(Protocol):
    """A file that is read forwards."""

    def read(self, size: int, /) -> bytes:
        """Return *size* bytes, fewer only at the end."""
        ...


class Member(msgspec.Struct, frozen=True):
    """One entry, as in its header, which is not trusted."""

    path: str
    """Raw: it may be absolute, or climb."""
    kind: Kind
    mode: int
    uid: int
    gid: int
    size: int
    """Bytes of data."""
    mtime: int
    """Seconds."""
    link: str
    """Target of a symlink or hard link."""
    user: str
    group: str
    capabilities: bool
    """It has file capabilities, which give the powers of root as setuid does."""
    offset: int
    """Of the data, from the start of the tar."""


class Reader:
    """Walks the members of a tar; the data of each may be read, in part or not at all."""

    def __init__(self, stream: Readable, budget: Budget, *, what: str) -> None:
        self._stream = stream
        self._budget = budget
        self._what = what
        self._position = 0
        self._left = 0
        self._padding = 0
        self._data: Callable[[int], bytes] = self._stored

    def __iter__(self) -> Iterator[Member]:
        """Yield each member once, in the order of the tar.

        Raises:
            ImageError: it is cut short, a header is invalid, or the budget is spent.
        """
        everywhere: dict[str, str] = {}
        pax: dict[str, str] = {}
        while header := self._header():
            kind = header[156:157]
            size = self._number(header[124:136])
            if kind in b"xgLK":
                text = self._extended(size)
                if kind == b"g":
                    everywhere |= self._records(text)
                elif kind == b"x":
                    pax |= self._records(text)
                else:
                    key = "path" if kind == b"L" else "linkpath"
                    pax[key] = self._name(text.rstrip(b"\0"))
                continue
            # An empty value takes back one of an extended header (pax, "Extended Header").
            fields = {key: value for key, value in (everywhere | pax).items() if value}
            pax = {}
            yield self._begin(header, self._member(header, size, fields), fields)

    def read(self, limit: int) -> bytes:
        """Return the next bytes of this member's data, at most *limit*; empty at its end."""
        return self._data(limit)

    def _stored(self, limit: int) -> bytes:
        data = self._with_bytes(min(limit, self._left))
        self._left -= len(data)
        return data

    def _begin(self, header: bytes, member: Member, pax: dict[str, str]) -> Member:
        """Turn to the data of *member*; return it with the size of a sparse file."""
        what, found = self._what, None
        if header[156:157] == b"S":
            found = sparse.of_old_header(
                header, lambda: self._with_bytes(BLOCK), self._number, what=what
            )
        self._left, self._padding = member.size, -member.size % BLOCK
        self._data = self._stored
        if member.kind == "file" and sparse.is_inline(pax):
            found = sparse.before_data(pax, self._stored, what=what)
        elif member.kind == "file" and sparse.MAP in pax:
            found = sparse.of_header(pax, what=what)
        if found is None:
            return member
        self._data = found.data(self._stored, self._budget.unpack)
        path = pax.get(sparse.NAME, member.path)
        return msgspec.structs.replace(member, size=found.size, path=path)

    def _header(self) -> bytes:
        while self._left:
            self._stored(1 << 16)
        self._with_bytes(self._padding)
        self._padding = 0
        self._budget.header()
        header = self._stream.read(BLOCK)
        self._position += len(header)
        # The end is two blocks of zeros; many writers leave one, or none.
        if not header.strip(b"\0"):
            return b""
        if len(header) < BLOCK:
            raise ImageError(f"{self._what}: cut short in a tar header")
        stored = self._number(header[148:156])
        # The sum counts its own field as eight spaces; old tars took bytes as signed.
        plain = header[:148] + b" " * 8 + header[156:]
        if stored != sum(plain) and stored != sum(memoryview(plain).cast("b")):
            raise ImageError(f"{self._what}: not a tar: a header has a wrong checksum")
        return header

    def _member(self, header: bytes, size: int, pax: dict[str, str]) -> Member:
        kind = _KINDS.get(header[156:157])
        if kind is None:
            raise ImageError(
                f"{self._what}: holds an entry of type {header[156:157]!r}, which no layer may hold"
            )
        path = decoded(header[:100].split(b"\0")[0])
        prefix = header[345:500].split(b"\0")[0]
        # GNU's header has another magic, and times at the place of ustar's prefix.
        if prefix and header[257:263] == b"ustar\0":
            path = f"{decoded(prefix)}/{path}"
        path = pax.get("path", path)
        link = pax.get("linkpath", decoded(header[157:257].split(b"\0")[0]))
        if kind == "file" and path.endswith("/") and header[156:157] != b"S":
            kind = "directory"  # as in tars older than POSIX
        size = self._decimal(pax, "size", size)
        return Member(
            path=path,
            kind=kind,
            mode=self._number(header[100:108]) & 0o7777,
            uid=self._decimal(pax, "uid", self._number(header[108:116])),
            gid=self._decimal(pax, "gid", self._number(header[116:124])),
            # A link may name the size of its target; no data follows it.
            size=size if kind == "file" else 0,
            mtime=self._decimal(pax, "mtime", self._number(header[136:148], signed=True)),
            link=link,
            user=pax.get("uname", decoded(header[265:297].split(b"\0")[0])),
            group=pax.get("gname", decoded(header[297:329].split(b"\0")[0])),
            capabilities=_CAPABILITY in pax,
            offset=self._position,
        )

    def _extended(self, size: int) -> bytes:
        if size > MAX_HEADER_BYTES:
            raise ImageError(
                f"{self._what}: has a tar header of {size} bytes; expected at most 1 MiB"
            )
        data = self._with_bytes(size)
        self._with_bytes(-size % BLOCK)
        return data

    def _records(self, data: bytes) -> dict[str, str]:
        """Parse ``length key=value`` records (pax, "Extended Header"); keep ``_KEYS``."""
        found: dict[str, str] = {}
        pieces = []
        count, at, end = 0, 0, len(data.rstrip(b"\0"))
        while at < end:
            count += 1
            digits, space, _ = data[at : at + 16].partition(b" ")
            length = int(digits) if digits.isdigit() else 0
            key, equals, value = data[at + len(digits) + 1 : at + length].partition(b"=")
            if not (space and equals and value.endswith(b"\n") and at + length <= end):
                raise ImageError(f"{self._what}: has a broken extended tar header")
            if key in (b"path", b"linkpath"):
                found[decoded(key)] = self._name(value[:-1])
            elif key in sparse.PIECES:
                pieces.append(decoded(value[:-1]))
            elif key in _KEYS:
                found[decoded(key)] = decoded(value[:-1])
            at += length
        self._budget.records(count)
        return found | ({sparse.MAP: ",".join(pieces)} if pieces else {})

    def _name(self, data: bytes) -> str:
        if len(data) >= MAX_PATH_BYTES:
            raise ImageError(
                f"{self._what}: a name has {len(data)} bytes; expected less than {MAX_PATH_BYTES},"
                " the limit of Linux"
            )
        return decoded(data)

    def _number(self, field: bytes, *, signed: bool = False) -> int:
        if field[0] & 0x80:  # GNU base-256, for numbers too large for octal digits
            if field[0] & 0x40 and not signed:
                raise ImageError(f"{self._what}: has a negative number in a tar header")
            # The first bit marks the form, the second one is the sign.
            bits = 8 * len(field) - 1
            number = int.from_bytes(field, "big") & ((1 << bits) - 1)
            number -= (number >> (bits - 1)) << bits
            if not -_MAX_NUMBER <= number < _MAX_NUMBER:
                raise ImageError(f"{self._what}: has a number over 64 bits in a tar header")
            return number
        digits = field.strip(b" \0").split(b"\0")[0].rstrip(b" ")
        if not digits:
            return 0
        if digits.strip(b"01234567"):
            raise ImageError(f"{self._what}: has {digits!r} for a number in a tar header")
        return int(digits, 8)

    def _decimal(self, pax: dict[str, str], key: str, otherwise: int) -> int:
        text = pax.get(key)
        if text is None:
            return otherwise
        whole = text.partition(".")[0]  # mtime may have a fraction
        sign, digits = (-1, whole[1:]) if whole.startswith("-") else (1, whole)
        if not (
            digits.isascii()
            and digits.isdigit()
            and len(digits) <= _MAX_DIGITS
            and int(digits) < _MAX_NUMBER
        ):
            raise ImageError(f"{self._what}: has {text[:40]!r} for the {key} of an entry")
        if sign < 0 and key != "mtime":
            raise ImageError(f"{self._what}: has a negative {key}")
        return sign * int(digits)

    def _with_bytes(self, size: int) -> bytes:
        data = self._stream.read(size) if size else b""
        self._position += len(data)
        if len(data) < size:
            raise ImageError(f"{self._what}: cut short")
        return data
