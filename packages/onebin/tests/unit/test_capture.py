"""The linker wrapper: parsing of its command line."""

import sys

import pytest

from onebin.target import capture


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("-shared a.o b.o -o m.so", ("m.so", ["a.o", "b.o"], [], [])),
        (
            "-o m.so -shared a.o -lpng -L/x -l z -L /y",
            ("m.so", ["a.o"], ["/x", "/y"], ["png", "z"]),
        ),
        ("a.o -lm -lpthread -lc -ldl", ("a.out", ["a.o"], [], [])),
        ("a.o -lstdc++ -lgcc_s -lm -lc++", ("a.out", ["a.o"], [], ["c++"])),
        ("a.o libx.a -Wl,-O1 -z now -fPIC -lpng -lpng", ("a.out", ["a.o", "libx.a"], [], ["png"])),
    ],
)
def test_command_lines(words: str, expected: tuple[str, list[str], list[str], list[str]]) -> None:
    """Inputs keep their order and options their values; libc's own parts are dropped."""
    assert expected == capture.parse(words.split())


def test_compiling_while_linking_is_refused_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sources on a link's command line cannot be joined, and are named."""
    monkeypatch.setattr(sys, "argv", ["capture", "zig", "-shared", "m.c", "-o", "m.so"])

    with pytest.raises(SystemExit, match=r"compiling and linking m\.c in one step"):
        capture.main()
