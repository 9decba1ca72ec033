"""The linker's stand-in: what it takes from a command line, and what it makes."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from onebin.objects.relocatable import is_relocatable
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
    """Inputs keep their order, options their values, libc's own parts are not wanted."""
    assert expected == capture.parse(words.split())


def test_objects_are_joined(tmp_path: Path) -> None:
    """A -shared link gives a relocatable object and notes the libraries it asked for."""
    zig = [sys.executable, "-m", "ziglang"]
    for name in ("a", "b"):
        (tmp_path / f"{name}.c").write_text(f"int {name}(void) {{ return 1; }}")
        compile_it = [*zig, "cc", "-target", "x86_64-linux-musl", "-c", f"{name}.c"]
        subprocess.run(compile_it, cwd=tmp_path, check=True)
    program = tmp_path / "zig"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m ziglang "$@"\n')
    program.chmod(0o755)

    subprocess.run(
        [sys.executable, capture.__file__, program, "-shared", "a.o", "b.o", "-lpng", "-o", "m.so"],
        cwd=tmp_path,
        env={**os.environ, "ONEBIN_LIBRARIES": str(tmp_path / "libraries")},
        check=True,
    )

    assert is_relocatable((tmp_path / "m.so").read_bytes())
    assert "png\n" == (tmp_path / "libraries").read_text()


def test_compiling_while_linking_is_refused_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sources on a link's command line cannot be joined, and are named."""
    monkeypatch.setattr(sys, "argv", ["capture", "zig", "-shared", "m.c", "-o", "m.so"])

    with pytest.raises(SystemExit, match=r"compiling and linking m\.c in one step"):
        capture.main()
