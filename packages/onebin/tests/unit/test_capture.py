"""The linker wrapper: parsing of its command line, and which libraries it joins."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from onebin.target import capture


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("-shared a.o b.o -o m.so", ("m.so", ["a.o", "b.o"], [], [])),
        (
            "-o m.so -shared a.o -lpng -L/x -l z -L /y",
            ("m.so", ["a.o", "-lpng", "-lz"], ["/x", "/y"], ["png", "z"]),
        ),
        ("a.o libx.a -Wl,-O1 -z now -fPIC", ("a.out", ["a.o", "libx.a"], [], [])),
        ("-x c -idirafter a.o b.o -MT c.o", ("a.out", ["b.o"], [], [])),
        (
            "-Wl,--whole-archive,-O1 libx.a -Xlinker --no-whole-archive -Xlinker -x",
            ("a.out", ["--whole-archive", "libx.a", "--no-whole-archive"], [], []),
        ),
    ],
)
def test_command_lines(words: str, expected: tuple[str, list[str], list[str], list[str]]) -> None:
    """Inputs keep their order and options their values."""
    assert expected == capture.parse(words.split())


RELOCATABLE = b"\x7fELF".ljust(16, b"\0") + b"\x01\x00"
SHARED = b"\x7fELF".ljust(16, b"\0") + b"\x03\x00"


@pytest.mark.parametrize(
    ("files", "inputs", "found", "wanted"),
    [
        ({}, ["a.o", "-lm", "-lpthread", "-lc", "-ldl"], ["a.o"], []),
        ({}, ["a.o", "-lstdc++", "-lgcc_s", "-lc++", "-lpng", "-lpng"], ["a.o"], ["c++", "png"]),
        ({"libown.a": b""}, ["a.o", "-lown", "-lpng"], ["a.o", "libown.a"], ["png"]),
        ({"libown.a": b""}, ["-lown", "a.o"], ["libown.a", "a.o"], []),
        ({"libown.so": RELOCATABLE}, ["-lown"], ["libown.so"], []),
        ({"libown.so": RELOCATABLE, "libown.a": b""}, ["-lown"], ["libown.a"], []),
        ({"libown.so": SHARED}, ["-lown"], [], ["own"]),
        ({"libown.so": b""}, ["-lown"], [], ["own"]),
        ({"own.lib": b""}, ["-l:own.lib"], [], [":own.lib"]),
        ({"own.a": b""}, ["-l:own.a"], ["own.a"], []),
    ],
)
def test_libraries_of_the_build_are_joined(
    tmp_path: Path, files: dict[str, bytes], inputs: list[str], found: Sequence[str],
    wanted: Sequence[str],
) -> None:  # fmt: skip
    """A library that the build itself has made is part of the object; another stays a name."""
    (tmp_path / "empty").mkdir()
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)

    joined, asked = capture.joined(inputs, [str(tmp_path / "empty"), str(tmp_path)])

    assert (list(found), list(wanted)) == (
        [word.removeprefix(f"{tmp_path}/") for word in joined], asked
    )  # fmt: skip


def test_response_files(tmp_path: Path) -> None:
    """Long command lines come in files, which may name others; a missing one stays a word."""
    (tmp_path / "inner").write_text("c.o\n-o m.so")
    (tmp_path / "outer").write_text(f'a.o "b c.o" @{tmp_path}/inner')

    words = list(capture.expanded(["-shared", f"@{tmp_path}/outer", "@none"]))

    assert ["-shared", "a.o", "b c.o", "c.o", "-o", "m.so", "@none"] == words
