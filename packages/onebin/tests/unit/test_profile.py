"""Counters of a run in, text to keep, clang's own format out."""

import hashlib
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onebin.errors import ProjectError, ToolError
from onebin.model import Function
from onebin.pgo.profile import (
    MAX_COUNT,
    SECTION,
    indexed,
    merge,
    normalize,
    parse,
    read_counters,
    to_text,
)

from .fakes import counters

FUNCTIONS = st.lists(
    st.builds(
        Function,
        name=st.text("abc;/._", min_size=1),
        hash=st.integers(0, 2**64 - 1),
        counts=st.lists(st.integers(0, 5) | st.integers(0, 2**40), min_size=1).map(tuple),
    ),
    unique_by=lambda function: (function.name, function.hash),
)


@given(FUNCTIONS)
def test_text_keeps_all(functions: list[Function]) -> None:
    """The text is read back as the same profile."""
    text = to_text(functions, "a compiler, a source")

    read = parse(text, "here")

    assert (functions, "a compiler, a source") == (list(read.functions), read.made_by)
    assert hashlib.sha256(text.encode()).hexdigest() == read.sha256


@given(FUNCTIONS)
def test_shortened(functions: list[Function]) -> None:
    """Counts are scaled to the highest; negligible functions are dropped; the rest is sorted."""
    kept = normalize(functions)

    highest = max((count for function in functions for count in function.counts), default=0)
    assert kept == sorted(kept)
    assert (MAX_COUNT if highest else 0) == max(
        (count for function in kept for count in function.counts), default=0
    )
    assert len(kept) == sum(
        max(function.counts) * MAX_COUNT >= highest > 0 for function in functions
    )


@given(FUNCTIONS)
def test_table_can_be_looked_up(functions: list[Function]) -> None:
    """Every function is found as LLVM finds it: by its name's hash, in a table of buckets."""
    data = indexed(functions)

    (start,) = struct.unpack_from("<Q", data, 32)
    buckets, entries = struct.unpack_from("<QQ", data, start)
    assert entries == len({function.name for function in functions})
    for function in functions:
        name_hash = struct.unpack("<Q", hashlib.md5(function.name.encode()).digest()[:8])[0]
        (at,) = struct.unpack_from("<Q", data, start + 16 + 8 * (name_hash % buckets))
        (many,) = struct.unpack_from("<H", data, at)
        at += 2
        found = b""
        for _ in range(many):
            key, key_size, size = struct.unpack_from("<3Q", data, at)
            at += 24
            if data[at : at + key_size] == function.name.encode():
                assert key == name_hash
                found = data[at + key_size : at + key_size + size]
            at += key_size + size
        head = struct.pack("<QQ", function.hash, len(function.counts))
        assert head + struct.pack(f"<{len(function.counts)}Q", *function.counts) in found


@pytest.mark.parametrize(
    "text",
    [
        "",
        "# onebin profile 1",
        "# onebin profile 2\n# made by\n",
        "a line\n# onebin profile 1\n# made by\n",
    ],
)
def test_no_profile(text: str) -> None:
    """Any other file is rejected as not a profile."""
    with pytest.raises(ProjectError, match=r"app\.profile: not a profile") as caught:
        parse(text, "app.profile")

    assert "onebin train" in caught.value.hint


@pytest.mark.parametrize(
    "line",
    [
        "",
        "ff",
        "ff 1",
        "xx 1 name",
        "ff 1,,2 name",
        "ff 1*x name",
        "ff one name",
        "ff 0*99999999999 name",
        "ff 0*9999999 name",
        "ff 0*600000,0*600000 name",
        "ff -1 name",
        "ff 1_0 name",
        "ff 18446744073709551616 name",
        "10000000000000000 1 name",
        "-1 1 name",
        "ff \u0661 name",
        "ff 1*0x1 name",
        "ff 1*-1 name",
        "ff " + "1" * 5000 + " name",
    ],
)
def test_damaged_line(line: str) -> None:
    """The error has the line's number."""
    text = to_text([Function("first", 1, (1, 2))], "made by") + line + "\n"
    with pytest.raises(ProjectError, match=r"app\.profile:4: not a line of a profile"):
        parse(text, "app.profile")


RAN = [Function("main.c;often", 7, (3, 1000)), Function("main", 2**63, (1,))]


def test_counters_are_read() -> None:
    """Names are found by their hashes, counts by their addresses."""
    assert RAN == read_counters(counters(RAN))


def test_runs_add_up() -> None:
    """Profiles of several processes are added."""
    both = merge([RAN, RAN, [Function("main", 1, (5,))]])

    assert {(6, 2000), (2,), (5,)} == {function.counts for function in both}


def test_damaged_counters() -> None:
    """Truncated or foreign counters are an error, never a crash."""
    data = counters(RAN)
    for end in range(1, len(data)):
        with pytest.raises(ToolError, match="counters of a run cannot be read"):
            read_counters(data[:end])
    with pytest.raises(ToolError):
        read_counters(SECTION.pack(2**60, 0) + data)
