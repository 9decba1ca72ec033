"""How often each piece of C code ran: counted by an executable, kept as text, read by clang.

    counters of a run -> Function… -> text, in the project -> clang's indexed format

clang's own tools for this are not a Python package; its two formats are small.

Source: LLVM's InstrProfData.inc (raw data, version 10) and InstrProfReader.cpp (indexed, version
5, which every later clang reads), for instrumentation of its intermediate code.
"""

import hashlib
import itertools
import re
import struct
import zlib
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from onebin.errors import ProjectError, ToolError
from onebin.model import Function, Profile

MAX_COUNT: Final = 100_000
"""The highest count of a kept profile; others in proportion. Counts below 1 of that become 0:
they are start-up, and more digits would only make the text long."""

FORMAT: Final = "# onebin profile 1"

SECTION: Final = struct.Struct("<QQ")
"""Bytes and address of a section, before its contents (csrc/counters.c)."""

DATA: Final = struct.Struct("<QQqqQQI3HxxI")
"""One function: hash of its name, hash of its flow, address of its counters relative to this;
then unused fields, and the number of counters."""

HEADER: Final = struct.Struct("<5Q")
MAGIC: Final = 0x8169666F72706CFF
VERSION: Final = 5 | 1 << 56
"""Of the indexed format, with the mark of instrumented intermediate code."""

MILLION: Final = 1_000_000

CUTOFFS: Final = (
    10_000, 100_000, 200_000, 300_000, 400_000, 500_000, 600_000, 700_000, 800_000, 900_000,
    950_000, 990_000, 999_000, 999_900, 999_990, 999_999,
)  # fmt: skip
"""Millionths of all counts: the summary names the counts that make up each. clang calls those that
make up 990,000 hot."""


MAX_COUNTERS: Final = 1_000_000
"""Of all functions of a profile: CPython, its extensions and a service have 30,000. A run such as
``0*9`` is written in as few digits however long it is."""

RUN: Final = re.compile(r"([0-9]{1,20})(?:\*([0-9]{1,7}))?")

MAX_WORD: Final = 1 << 64


def read_counters(data: bytes) -> list[Function]:
    """Return the functions in *data*, which ``csrc/counters.c`` wrote.

    Raises:
        ToolError: it is cut short or damaged.
    """
    try:
        (_, names), (at, records), (start, counters) = _sections(data)
        by_hash = {_name_hash(name): name for name in _names(names)}
        functions = []
        for offset in range(0, len(records), DATA.size):
            name, flow, relative, _, _, _, many, *_ = DATA.unpack_from(records, offset)
            first = at + offset + relative - start
            counts = struct.unpack_from(f"<{many}Q", counters, first)
            functions.append(Function(by_hash[name], flow, counts))
    except (struct.error, LookupError, ValueError, zlib.error) as exc:
        raise ToolError(f"counters of a run cannot be read: {exc}") from exc
    return functions


def merge(runs: Iterable[Iterable[Function]]) -> list[Function]:
    """Add up the counts of several processes."""
    sums: dict[tuple[str, int], tuple[int, ...]] = {}
    for run in runs:
        for function in run:
            key, counts = (function.name, function.hash), function.counts
            before = sums.get(key)
            sums[key] = tuple(map(sum, zip(before, counts, strict=True))) if before else counts
    return [Function(name, flow, counts) for (name, flow), counts in sums.items()]


def normalize(functions: Iterable[Function]) -> list[Function]:
    """Scale counts to ``MAX_COUNT``, drop functions without counts, sort by name."""
    functions = list(functions)
    highest = max((count for function in functions for count in function.counts), default=0)
    scaled = (
        function._replace(counts=tuple(count * MAX_COUNT // highest for count in function.counts))
        for function in functions
        if highest
    )
    return sorted(function for function in scaled if any(function.counts))


def to_text(functions: Iterable[Function], made_by: str) -> str:
    """Write *functions*, a line each: hash, counts, name; ``0*9`` is nine times 0.

    *made_by* names the compiler and the sources that were counted.
    """
    lines = [FORMAT, f"# {made_by}"]
    for name, flow, counts in functions:
        lines.append(f"{flow:x} {','.join(_runs(counts))} {name}")
    return "\n".join([*lines, ""])


def parse(text: str, where: str) -> Profile:
    """Read what ``to_text`` wrote.

    Raises:
        ProjectError: a line is malformed; names the line of *where*.
    """
    lines = text.splitlines()
    made_by = lines[1].removeprefix("# ") if lines[:1] == [FORMAT] and len(lines) > 1 else ""
    if not made_by:
        raise ProjectError(f"{where}: not a profile", hint="make one with: onebin train")
    functions = []
    left = MAX_COUNTERS
    for number, line in enumerate(lines[2:], 3):
        try:
            flow, counts, name = line.split(" ", 2)
            function = Function(name, _word(int(flow, 16)), tuple(_counts(counts, left)))
            left -= len(function.counts)
            functions.append(function)
        except ValueError as exc:
            raise ProjectError(
                f"{where}:{number}: not a line of a profile", hint="make it again: onebin train"
            ) from exc
    sha256 = hashlib.sha256(text.encode()).hexdigest()
    return Profile(where, sha256, made_by, tuple(functions))


def indexed(functions: Sequence[Function]) -> bytes:
    """Return *functions* in the format clang reads: a summary, and a hash table by name."""
    by_name: dict[str, list[Function]] = {}
    for function in functions:
        by_name.setdefault(function.name, []).append(function)
    out = bytearray(HEADER.size) + _summary(functions)
    # Not more than three quarters full, as LLVM's own writer has it; a power of two.
    buckets: list[list[str]] = [[] for _ in range(1 << (len(by_name) * 4 // 3).bit_length())]
    for name in by_name:
        buckets[_name_hash(name) % len(buckets)].append(name)
    offsets = []
    for bucket in buckets:
        offsets.append(len(out) if bucket else 0)
        if bucket:
            out += struct.pack("<H", len(bucket))
        for name in bucket:
            key, data = name.encode(), b"".join(map(_record, by_name[name]))
            out += struct.pack("<3Q", _name_hash(name), len(key), len(data)) + key + data
    out += bytes(-len(out) % 8)
    HEADER.pack_into(out, 0, MAGIC, VERSION, 0, 0, len(out))
    out += struct.pack(f"<{2 + len(offsets)}Q", len(offsets), len(by_name), *offsets)
    return bytes(out)


def _sections(data: bytes) -> Iterator[tuple[int, bytes]]:
    at = 0
    while at < len(data):
        size, address = SECTION.unpack_from(data, at)
        at += SECTION.size
        if at + size > len(data):
            raise ValueError("cut short")
        yield address, data[at : at + size]
        at += size


def _names(data: bytes) -> Iterator[str]:
    """Names of one object file after another: two lengths, then text, perhaps deflated."""
    at = 0
    while at < len(data):
        size, at = _uleb128(data, at)
        packed, at = _uleb128(data, at)
        end = at + (packed or size)
        text = zlib.decompress(data[at:end]) if packed else data[at:end]
        yield from text.decode().split("\1")
        at = end
        while at < len(data) and not data[at]:
            at += 1  # up to the next one's alignment


def _uleb128(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while data[at] & 0x80:
        value |= (data[at] & 0x7F) << shift
        at, shift = at + 1, shift + 7
    return value | data[at] << shift, at + 1


def _name_hash(name: str) -> int:
    return int.from_bytes(hashlib.md5(name.encode(), usedforsecurity=False).digest()[:8], "little")


def _runs(counts: Sequence[int]) -> Iterator[str]:
    at = 0
    while at < len(counts):
        end = at
        while end < len(counts) and counts[end] == counts[at]:
            end += 1
        yield f"{counts[at]}*{end - at}" if end - at > 1 else str(counts[at])
        at = end


def _counts(text: str, left: int) -> Iterator[int]:
    for run in text.split(","):
        found = RUN.fullmatch(run)
        if found is None or (times := int(found[2] or 1)) > left:
            raise ValueError("no count, or too many of them")
        left -= times
        yield from itertools.repeat(_word(int(found[1])), times)


def _word(value: int) -> int:
    if not 0 <= value < MAX_WORD:
        raise ValueError("no number of 64 bits")
    return value


def _summary(functions: Sequence[Function]) -> bytes:
    counts = sorted((count for function in functions for count in function.counts), reverse=True)
    total = sum(counts)
    entries, reached, many = [], 0, 0
    for cutoff in CUTOFFS:
        while reached < total * cutoff // MILLION and many < len(counts):
            reached += counts[many]
            many += 1
        entries.append((cutoff, counts[many - 1] if many else 0, many))
    fields = (
        len(functions),
        len(counts),
        max((function.counts[0] for function in functions), default=0),
        max(counts, default=0),
        max((count for function in functions for count in function.counts[1:]), default=0),
        total,
    )
    flat = [value for entry in entries for value in entry]
    return struct.pack(
        f"<{2 + len(fields) + len(flat)}Q", len(fields), len(entries), *fields, *flat
    )


def _record(function: Function) -> bytes:
    counts = function.counts
    # Behind the counts: eight bytes of profiled values, of which there are none.
    return struct.pack(f"<{2 + len(counts)}QII", function.hash, len(counts), *counts, 8, 0)
