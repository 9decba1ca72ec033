"""The facts in the headers of an ELF file: any class, either byte order, any bytes.

Every offset is checked before it is used, so hostile bytes end in ``ImageError``
and nothing else. Of a file only its tables and names are held, each of them
bounded; its code is searched in windows. It is never run.

Source: the System V gABI (chapters 4 and 5) and the Linux extensions in
binutils' ``include/elf/common.h``; ``readelf -hldS`` prints the same facts.
"""

import io
import re
import struct
from collections.abc import Iterable, Iterator
from typing import BinaryIO, Final

import msgspec

from onebin.errors import ImageError

from .facts import ElfFacts, ElfKind

MAGIC: Final = b"\x7fELF"
_WIDE: Final = (b"\2\1\1", b"\2\2\1")
_LITTLE: Final = (b"\1\1\1", b"\2\1\1")
_KNOWN: Final = (*_WIDE, *_LITTLE, b"\1\2\1")
"""Bytes 4 to 6: 32 or 64 bits, little or big end first, version 1."""

MAX_STRING: Final = 4096
"""Bytes of one name: the longest are paths, and PATH_MAX is that long."""
MAX_NAMES: Final = 1024
"""Libraries and run paths together; a program has dozens, hostile bytes may list millions."""
MAX_NAME_BYTES: Final = 1024**2
"""Of all of those names: each may be the same 4 KiB. Run paths of Nix have 10 KiB."""
MAX_SECTION_NAME_BYTES: Final = 4 * 1024**2
"""Of all names of sections: 65,535 may share their ends. An object of 10,000 has 500 KiB."""
MAX_DYNAMIC_BYTES: Final = 1024**2
"""Of the dynamic section: 65,536 rows; a program has thirty, and one for each library."""

_WINDOW: Final = 1024**2
_OVERLAP: Final = 64
"""Bytes two windows share: more than any pattern searched for has."""

_X86_64: Final = 62
_MACHINES: Final = {
    3: "i386",
    8: "mips",
    20: "ppc",
    21: "ppc64",
    22: "s390x",
    40: "arm",
    _X86_64: "x86_64",
    183: "aarch64",
    243: "riscv64",
    258: "loongarch64",
}

_REL, _EXEC, _DYN, _CORE = 1, 2, 3, 4
_LOAD, _DYNAMIC, _INTERP, _STACK, _RELRO = 1, 2, 3, 0x6474E551, 0x6474E552
_X, _W = 1, 2
_NEEDED, _STRTAB, _RPATH, _BIND_NOW, _RUNPATH, _FLAGS, _FLAGS_1 = 1, 5, 15, 24, 29, 30, 0x6FFFFFFB
_DF_BIND_NOW, _DF_1_NOW, _DF_1_PIE = 0x8, 0x1, 0x08000000
_SYMTAB, _NOBITS = 2, 8

_CANARY_X86_64: Final = re.compile(
    rb"\x64[\x48\x4c][\x8b\x2b\x33\x3b\x03][\x04-\x3c]\x25\x28\0\0\0"
)
"""An access to ``%fs:0x28``, where the x86-64 psABI keeps the canary."""


class _Segment(msgspec.Struct, frozen=True):
    kind: int
    flags: int
    offset: int
    address: int
    size: int


class _Section(msgspec.Struct, frozen=True):
    name: str
    kind: int
    offset: int
    size: int


class _Dynamic(msgspec.Struct, frozen=True):
    needed: tuple[str, ...] = ()
    run_paths: tuple[str, ...] = ()
    bind_now: bool = False
    pie: bool = False


def read(source: bytes | BinaryIO) -> ElfFacts:
    """Read the facts of an ELF file: its bytes, or a file that can be read from any place.

    Raises:
        ImageError: it is not one, points outside of itself, or passes a limit of this module.
    """
    return _File(io.BytesIO(source) if isinstance(source, bytes) else source).facts()


class _File:
    """The tables of one file, each read once."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._size = file.seek(0, io.SEEK_END)
        start = self._at(0, 16)
        if start[:4] != MAGIC:
            raise ImageError("not an ELF file")
        ident = start[4:7]
        if ident not in _KNOWN:
            raise ImageError(f"ELF file of an unknown class, byte order or version: {ident!r}")
        self._wide, self._order = ident in _WIDE, "<" if ident in _LITTLE else ">"
        # The header after its 16 bytes of identity; a word is as wide as the class.
        words = "HHIQQQIHHHHHH" if self._wide else "HHIIIIIHHHHHH"
        header = self._unpack(words, 16, "its header")
        self._type, self._machine = header[0], header[1]
        self._segments = tuple(self._read_segments(header[4], header[8], header[9]))
        self._sections = tuple(self._read_sections(header[5], header[10], header[11], header[12]))
        self._dynamic = self._read_dynamic()

    def facts(self) -> ElfFacts:
        """Derive the facts from the tables."""
        interpreter = self._interpreter()
        kind = self._kind(interpreter)
        static = kind in ("static", "static-pie")
        stack = [segment for segment in self._segments if segment.kind == _STACK]
        writable_code = [
            segment
            for segment in self._segments
            if segment.kind == _LOAD and segment.flags & (_W | _X) == _W | _X
        ]
        return ElfFacts(
            machine=_MACHINES.get(self._machine, f"machine-{self._machine}"),
            bits=64 if self._wide else 32,
            little_endian=self._order == "<",
            kind=kind,
            static=static,
            reasons=tuple(self._reasons(kind, interpreter)),
            interpreter=interpreter,
            needed=self._dynamic.needed,
            run_paths=self._dynamic.run_paths,
            relro=any(segment.kind == _RELRO for segment in self._segments),
            bind_now=self._dynamic.bind_now,
            # Without the header, Linux takes the processor's default, which is executable.
            executable_stack=not stack or any(segment.flags & _X for segment in stack),
            writable_code=len(writable_code),
            stack_protector=self._stack_protector(static=static),
            stripped=not any(section.kind == _SYMTAB for section in self._sections),
            sections={section.name: section.size for section in self._sections if section.name},
        )

    def _kind(self, interpreter: str) -> ElfKind:
        if self._type == _REL:
            return "relocatable"
        if self._type == _CORE:
            return "core"
        alone = not interpreter and not self._dynamic.needed
        if self._type == _EXEC:
            return "static" if alone else "dynamic"
        if self._type != _DYN:
            raise ImageError(f"ELF file of unknown type {self._type}")
        if interpreter:
            return "dynamic-pie"
        # Libraries have neither; linkers mark executables.
        return "static-pie" if alone and self._dynamic.pie else "shared-object"

    def _reasons(self, kind: ElfKind, interpreter: str) -> Iterator[str]:
        if kind in ("relocatable", "core"):
            yield f"it is a {kind} file, not an executable"
            return
        yield f"PT_INTERP: {interpreter}" if interpreter else "no PT_INTERP: it requests no loader"
        if self._dynamic.needed:
            yield f"DT_NEEDED: {', '.join(self._dynamic.needed)}"
        else:
            yield "no DT_NEEDED: it requests no library"
        if kind == "shared-object":
            yield "no DF_1_PIE: it is a library"

    def _interpreter(self) -> str:
        for segment in self._segments:
            if segment.kind == _INTERP:
                return self._string(segment.offset, segment.size, "PT_INTERP")
        return ""

    def _stack_protector(self, *, static: bool) -> bool | None:
        """Detect it by the code on x86-64, else by the name of the function called on failure.

        In a static file the name proves nothing: musl always links it.
        """
        if self._machine == _X86_64:
            code = [s for s in self._segments if s.kind == _LOAD and s.flags & _X]
            spans = [(s.offset, s.offset + s.size) for s in code]
            return any(_CANARY_X86_64.search(window) for window in self._windows(spans))
        if static:
            return None
        return any(b"\0__stack_chk_fail\0" in window for window in self._windows([(0, self._size)]))

    def _read_segments(self, offset: int, entry: int, count: int) -> Iterator[_Segment]:
        words = "IIQQQQQQ" if self._wide else "IIIIIIII"
        for row in self._table(words, offset, entry, count, "its program headers"):
            if self._wide:
                kind, flags, start, address, _, size, _, _ = row
            else:
                kind, start, address, _, size, _, flags, _ = row
            if start + size > self._size:
                raise ImageError("ELF file cut short: a segment ends outside of it")
            yield _Segment(kind, flags, start, address, size)

    def _read_sections(self, offset: int, entry: int, count: int, names: int) -> Iterator[_Section]:
        words = "IIQQQQIIQQ" if self._wide else "IIIIIIIIII"
        rows = list(self._table(words, offset, entry, count, "its section headers"))
        if not rows:
            return
        if names >= len(rows):
            raise ImageError("ELF file without its section names")
        name_offset, name_size = rows[names][4], rows[names][5]
        length = 0
        for row in rows:
            name, kind, _, _, start, size = row[:6]
            if kind != _NOBITS and start + size > self._size:
                raise ImageError("ELF file cut short: a section ends outside of it")
            if name >= max(name_size, 1):
                raise ImageError("ELF file with a section name outside of its table")
            text = self._string(name_offset + name, name_size - name, "a section's name")
            length += len(text)
            if length > MAX_SECTION_NAME_BYTES:
                raise ImageError(
                    f"ELF file with too many bytes in section names; expected at most"
                    f" {MAX_SECTION_NAME_BYTES}"
                )
            yield _Section(text, kind, start, size)

    def _read_dynamic(self) -> _Dynamic:
        table = [segment for segment in self._segments if segment.kind == _DYNAMIC]
        if not table:
            return _Dynamic()
        words = "qQ" if self._wide else "iI"
        width = struct.calcsize(self._order + words)
        values: dict[int, int] = {}
        named: list[tuple[int, int]] = []
        data = self._at(table[0].offset, min(table[0].size, MAX_DYNAMIC_BYTES))
        for tag, value in struct.iter_unpack(
            self._order + words, data[: len(data) - len(data) % width]
        ):
            if not tag:
                break
            values[tag] = value
            if tag in (_NEEDED, _RPATH, _RUNPATH):
                named.append((tag, value))
        if len(named) > MAX_NAMES:
            raise ImageError(f"ELF file with too many libraries; expected at most {MAX_NAMES}")
        strings = self._file_offset(values.get(_STRTAB, 0)) if named else 0
        names = [(tag, self._string(strings + at, MAX_STRING, "a library")) for tag, at in named]
        if sum(len(name) for _, name in names) > MAX_NAME_BYTES:
            raise ImageError(
                f"ELF file with too many bytes in library names; expected at most {MAX_NAME_BYTES}"
            )
        flags, flags_1 = values.get(_FLAGS, 0), values.get(_FLAGS_1, 0)
        return _Dynamic(
            needed=tuple(name for tag, name in names if tag == _NEEDED),
            run_paths=tuple(name for tag, name in names if tag != _NEEDED),
            bind_now=_BIND_NOW in values or bool(flags & _DF_BIND_NOW or flags_1 & _DF_1_NOW),
            pie=bool(flags_1 & _DF_1_PIE),
        )

    def _file_offset(self, address: int) -> int:
        for segment in self._segments:
            if segment.kind == _LOAD and 0 <= address - segment.address < segment.size:
                return segment.offset + address - segment.address
        raise ImageError("ELF file whose dynamic section points outside of it")

    def _table(
        self, words: str, offset: int, entry: int, count: int, what: str
    ) -> Iterator[tuple[int, ...]]:
        if not offset or not count:
            return
        if entry < struct.calcsize(self._order + words):
            raise ImageError(f"ELF file with {what} of {entry} bytes each; expected more")
        width = struct.calcsize(self._order + words)
        if offset + entry * (count - 1) + width > self._size:
            raise ImageError(f"ELF file cut short: {what} ends outside of it")
        for index in range(count):  # at most 65535: the field has 16 bits
            yield self._unpack(words, offset + index * entry, what)

    def _unpack(self, words: str, offset: int, what: str) -> tuple[int, ...]:
        form = self._order + words
        data = self._at(offset, struct.calcsize(form))
        if len(data) < struct.calcsize(form):
            raise ImageError(f"ELF file cut short: {what} ends outside of it")
        return struct.unpack(form, data)

    def _string(self, offset: int, size: int, what: str) -> str:
        data, end, _ = self._at(offset, min(size, MAX_STRING)).partition(b"\0")
        if size and not end:
            raise ImageError(f"ELF file in which {what} has no end")
        # A name may hold any bytes; those beyond ASCII are shown as \xNN.
        return data.decode("ascii", "backslashreplace")

    def _at(self, offset: int, size: int) -> bytes:
        """Return *size* bytes from *offset*, fewer at the end of the file."""
        if offset >= self._size:
            return b""
        self._file.seek(offset)
        return self._file.read(min(size, self._size - offset))

    def _windows(self, spans: Iterable[tuple[int, int]]) -> Iterator[bytes]:
        """Yield the bytes between offsets in overlapping pieces, no byte more than twice."""
        done = 0
        for start, end in sorted(spans):  # 65,535 segments may all be the whole file
            at = max(start, done - _OVERLAP)
            while at < end:
                yield self._at(at, min(_WINDOW, end - at))
                at += _WINDOW - _OVERLAP
            done = max(done, end)
