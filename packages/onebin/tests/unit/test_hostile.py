"""Hostile archives: each ends in a report or in one clear error, in a small process.

The kernel decides: each runs in a child with 256 MiB of address space (RLIMIT_AS; beyond it
is MemoryError) and a minute of CPU time (RLIMIT_CPU; beyond it the child is killed). The error
of a rejected archive must name the limit.
"""

import gzip
import itertools
import json
import resource
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

from .hostile import (
    config,
    descriptor,
    docker,
    entry,
    extended,
    header,
    oci,
    program,
    record,
    squeezed,
    write,
    zeros,
)

pytestmark = pytest.mark.claim("archives stay inside")

Files = dict[str, bytes]

ADDRESS_SPACE = 256 * 1024**2
CPU_SECONDS = 60
INDEX = "application/vnd.oci.image.index.v1+json"
LONG = b"/".join([b"n" * 250] * 15)
"""A folder of almost PATH_MAX."""


def inspect(path: Path, *options: str) -> subprocess.CompletedProcess[str]:
    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_AS, (ADDRESS_SPACE, ADDRESS_SPACE))
        resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))

    command = [sys.executable, "-m", "onebin", "inspect", str(path), *options]
    return subprocess.run(command, capture_output=True, text=True, check=False, preexec_fn=limit)


def holds(path: Path, said: str, *forms: tuple[str, ...]) -> None:
    """Expect a report in all *forms* if *said* is empty, else that error."""
    for options in forms:
        done = inspect(path, *options)
        assert "Traceback" not in done.stderr, done.stderr[-2000:]
        assert done.returncode == bool(said), done.stderr[-2000:]
        lines = done.stderr.splitlines()
        assert len(lines) <= 2
        assert all(len(line) < 1200 and line.isprintable() for line in lines)
        if said:
            assert said in done.stderr
        elif options:
            assert json.loads(done.stdout)["kind"] == "image"
        else:
            assert all(line.isprintable() for line in done.stdout.splitlines())
            assert len(done.stdout) < 100_000


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
    "a document of 5 MB",
    "deep JSON",
    "layers, 600 of one",
    "a size that is none",
}
"""Cases of about a second; others take up to half a minute."""


def sampled(names: Iterable[str]) -> list[Any]:
    """Mark all but the sample as exhaustive."""
    return [
        name if name in SAMPLE else pytest.param(name, marks=pytest.mark.exhaustive)
        for name in names
    ]


@pytest.mark.parametrize("name", sampled(LAYERS))
def test_hostile_layers(name: str, tmp_path: Path) -> None:
    """For any layer a small process ends with a report or names the limit."""
    make, said = LAYERS[name]

    holds(write(make(), tmp_path / "image.tar", "tar"), said, ("--json",))


def nested(depth: int) -> bytes:
    return b'{"x":' + b"[" * depth + b"]" * depth + b"}"


def indexes(count: int) -> Files:
    """Nested indexes, each with fifty entries for the next inner index."""
    data, more = b"{}", []
    for _ in range(count):
        data = json.dumps({"manifests": [descriptor(data, INDEX)] * 50}).encode()
        more.append(data)
    return oci(config(0), index={"manifests": [descriptor(data, INDEX)]}, more=tuple(more))


WIDE = "\U0001f600" * 1_000_000

DOCUMENTS: dict[str, tuple[Callable[[], Files], str]] = {
    "a history of a million": (
        lambda: docker(json.dumps(config(0, history=[{}] * 1_000_000)).encode()),
        "too many values in 'c.json'; expected at most 100000",
    ),
    "a history of 45,000": (lambda: docker(config(0, history=[{}] * 45_000)), ""),
    "a document of 5 MB": (
        lambda: docker(config(0, author="x" * 5_000_000)),
        "too many bytes in 'c.json'; expected at most 4194304",
    ),
    "words of four megabytes": (
        lambda: docker(
            json.dumps(
                config(0, config={"User": WIDE, "Entrypoint": [], "Labels": {}}), ensure_ascii=False
            ).encode()
        ),
        "",
    ),
    "a signal of four megabytes": (
        lambda: docker(config(0, config={"StopSignal": "\u202e" * 600_000})),
        "",
    ),
    "variables, 90,000": (
        lambda: docker(config(0, config={"Env": [f"TOKEN_{n}=x" for n in range(90_000)]})),
        "",
    ),
    "deep JSON": (lambda: docker(nested(40_000)), "c"),
    "layers, 600 of one": (
        lambda: docker(config(1), b"", Layers=["0/layer.tar"] * 600),
        "too many layers; expected at most 512",
    ),
    "names, 45,000": (lambda: docker(config(0), RepoTags=["a:\x1b[2J\u202e"] * 45_000), ""),
    "long names of files of the archive": (
        lambda: docker(config(0)) | {f"{n:04}" + "x" * 4000: b"" for n in range(9_000)},
        "",
    ),
    "many files of the archive": (
        lambda: docker(config(0)) | {f"{n}": b"" for n in range(10_001)},
        "too many files for an image archive; expected at most 10000",
    ),
    "a name that is missing, of a megabyte": (
        lambda: docker(config(0), Config="\x1b2J" * 300_000),
        "has no file",
    ),
    "an index of thousands": (
        lambda: oci(config(0), index={"manifests": [descriptor(b"%d" % n) for n in range(15_000)]}),
        "lists no image that is in it",
    ),
    "an index of indexes": (lambda: indexes(20), "lists no image that is in it"),
    "a size that is none": (
        lambda: oci(config(0), manifest={"layers": [descriptor(b"x") | {"size": 10**400}]}),
        "has no file",
    ),
    "another digest and size": (
        lambda: {
            name: gzip.compress(bytes(1024)) if data == b"layer" else data
            for name, data in oci(config(1), b"layer").items()
        },
        "",
    ),
}


LAYOUTS = ("an index", "a size that", "another digest")
"""Prefixes of the cases whose files are a layout, and so can be a folder."""


@pytest.mark.parametrize(
    ("name", "form"),
    [
        pytest.param(
            name, form, marks=[pytest.mark.exhaustive] * (form == "gz" or name not in SAMPLE)
        )
        for name in DOCUMENTS
        for form in ("tar", "gz", "folder")
        if form != "folder" or name.startswith(LAYOUTS)
    ],
)
def test_hostile_documents(name: str, form: str, tmp_path: Path) -> None:
    """For any documents in any form, a small process ends with a report or names the limit."""
    make, said = DOCUMENTS[name]

    holds(write(make(), tmp_path / "image.tar", form), said, (), ("--json",))
