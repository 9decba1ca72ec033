"""Hostile layers of archives: each ends in a report or in one clear error."""

import gzip
import itertools
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

from .hostile import (
    config,
    docker,
    entry,
    extended,
    header,
    program,
    record,
    squeezed,
    write,
    zeros,
)
from .small_process import Files, holds

pytestmark = pytest.mark.claim("archives stay inside")

LONG = b"/".join([b"n" * 250] * 15)
"""A folder of almost PATH_MAX."""


def many(count: int, make: Callable[[int], bytes]) -> Iterator[bytes]:
    """Yield entries in chunks."""
    for start in range(0, count, 1000):
        yield b"".join(map(make, range(start, min(start + 1000, count))))
    yield bytes(1024)


def layer(*pieces: bytes) -> Files:
    return docker(config(), squeezed([*pieces, bytes(1024)]))


def entries(count: int, make: Callable[[int], bytes]) -> Files:
    return docker(config(), squeezed(many(count, make)))


def upon(lower: Iterator[bytes], upper: Iterator[bytes]) -> Files:
    return docker(config(2), squeezed(lower), squeezed(upper))


def number(n: int) -> bytes:
    return b"%07d" % n


def chain_of_links(n: int) -> bytes:
    return entry(b"l" + number(n), kind=b"2", link=b"l" + number(n + 1))


BIG = 511 * 1024**2

LAYERS: dict[str, tuple[Callable[[], Files], str]] = {
    "a program of 511 MB": (lambda: docker(config(), squeezed(program(BIG))), ""),
    "a program of paths": (
        lambda: docker(config(), squeezed(program(64 << 20, b"/home/x/a\0"))),
        "",
    ),
    "half a million files": (
        lambda: entries(
            499_999, lambda n: entry(b"usr/lib/node_modules/package-%d/%07d.js" % (n % 50_000, n))
        ),
        "",
    ),
    "long folders in common": (
        lambda: entries(20_000, lambda n: entry(LONG + b"/" + b"x" * 200 + number(n))),
        "",
    ),
    "long folders in common, too many": (
        lambda: entries(45_000, lambda n: entry(LONG + b"/" + number(n))),
        "too many characters in its paths",
    ),
    "long distinct names": (
        lambda: entries(45_000, lambda n: entry(number(n) + b"m" * 4000)),
        "too many bytes to hold in memory",
    ),
    "long names of four bytes a letter": (
        lambda: entries(45_000, lambda n: entry(number(n) + b"m" * 4000 + "\U0001f600".encode())),
        "too many bytes to hold in memory",
    ),
    "long targets of links": (
        lambda: entries(45_000, lambda n: entry(number(n), kind=b"2", link=b"t" * 4000)),
        "too many bytes to hold in memory",
    ),
    "folders two thousand deep": (
        lambda: entries(5_000, lambda n: entry(number(n) + b"/a" * 2000)),
        "too many bytes to hold in memory",
    ),
    "one folder two thousand deep": (
        lambda: entries(9_000, lambda n: entry(b"a/" * 2000 + number(n))),
        "too many folders in its paths",
    ),
    "a name past PATH_MAX": (
        lambda: layer(entry(b"x" * 4096)),
        "a name has 4096 bytes; expected less than 4096",
    ),
    "a name of four bytes a letter past PATH_MAX": (
        lambda: layer(entry("\U0001f600".encode() * 1024)),
        "a name has 4096 bytes",
    ),
    "a name at PATH_MAX that is not UTF-8": (lambda: layer(entry(b"\xff" * 4095)), ""),
    "long names of GNU": (
        lambda: layer(*[header(b"x", 1 << 20, b"L") + b"n" * (1 << 20)] * 3, entry(b"a")),
        "a name has 1048576 bytes",
    ),
    "the shortest records": (
        lambda: layer(
            *[header(b"x", 1 << 20, b"x") + (b"5 a=\n" * 209_715).ljust(1 << 20, b"\0")] * 50
        ),
        "too many records in extended tar headers; expected at most 8000000",
    ),
    "global headers": (
        lambda: docker(
            config(),
            squeezed(
                many(
                    45_000,
                    lambda n: extended(record(b"path", b"p" * 4000), kind=b"g") + header(number(n)),
                )
            ),
        ),
        "too many characters in its paths",
    ),
    "whiteouts, 100,000 of one full folder": (
        lambda: upon(
            many(100_000, lambda n: entry(b"d/" + number(n))),
            many(200_000, lambda n: entry(b".wh.d") if n % 2 else entry(b"d/n" + number(n))),
        ),
        "",
    ),
    "opaque whiteouts, 30,000": (
        lambda: upon(
            many(30_000, lambda n: entry(b"d/" + number(n))),
            many(
                60_000, lambda n: entry(b"d/.wh..wh..opq") if n % 2 else entry(b"d/n" + number(n))
            ),
        ),
        "",
    ),
    "whiteouts of nothing": (
        lambda: entries(100_000, lambda n: entry(b"a/b/.wh." + number(n))),
        "",
    ),
    "hard links in a chain": (
        lambda: entries(
            100_000, lambda n: entry(b"sh" + number(n), kind=b"1", link=b"sh" + number(n - 1))
        ),
        "",
    ),
    "symlinks in a chain, called as shells": (
        lambda: entries(
            30_000,
            lambda n: chain_of_links(n) + entry(number(n) + b"/sh", kind=b"2", link=b"../l0000000"),
        ),
        "",
    ),
    "symlinks that climb and fall": (
        lambda: entries(
            9_000, lambda n: entry(number(n) + b"/bash", kind=b"2", link=b"../x/" * 800 + b"bash")
        ),
        "",
    ),
    "keys, keys, keys": (
        lambda: entries(30_000, lambda n: entry(number(n) + b"key" * 1000 + b".pe")),
        "",
    ),
    "every file writable by all": (
        lambda: entries(
            50_000, lambda n: entry(b"d" * 200 + b"/" + b"w" * 200 + number(n), b"\x7fELF")
        ),
        "",
    ),
    "a file of four gigabytes of zeros": (
        lambda: docker(
            config(),
            squeezed(itertools.chain([header(b"a", 4 << 30)], zeros(3 << 30))),
        ),
        "too many unpacked bytes for the",
    ),
    "one bomb as every layer": (
        lambda: docker(config(1), squeezed(zeros(1 << 28)), Layers=["0/layer.tar"] * 500),
        "too many unpacked bytes for the",
    ),
    "gzip in gzip": (
        lambda: docker(config(), squeezed([squeezed(zeros(1 << 30)), b""])),
        "layer 1",
    ),
    "empty gzip members": (lambda: docker(config(), gzip.compress(b"") * 500_000), ""),
    "accounts without end": (
        lambda: layer(
            entry(b"etc/passwd", b"a:x:0:0::/:\n" * 300_000),
            entry(b"etc/group", b"\xff\n" * 900_000),
        ),
        "",
    ),
}


SAMPLE = {
    "a name past PATH_MAX",
    "a name of four bytes a letter past PATH_MAX",
    "a name at PATH_MAX that is not UTF-8",
    "long names of GNU",
    "empty gzip members",
    "accounts without end",
}
"""Cases of about a second; others take up to half a minute."""


def sampled(names: Iterable[str]) -> list[Any]:
    """Mark all but the sample as exhaustive."""
    return [
        name if name in SAMPLE else pytest.param(name, marks=pytest.mark.exhaustive)
        for name in names
    ]


@pytest.mark.sample(every=3)
@pytest.mark.parametrize("name", sampled(LAYERS))
def test_hostile_layers(name: str, tmp_path: Path) -> None:
    """For any layer a small process ends with a report or names the limit."""
    make, said = LAYERS[name]

    holds(write(make(), tmp_path / "image.tar", "tar"), said, ("--json",))
