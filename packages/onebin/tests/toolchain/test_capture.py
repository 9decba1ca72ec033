"""The linker wrapper: its output with the real linker."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from onebin.objects.relocatable import is_relocatable
from onebin.target import capture

pytestmark = pytest.mark.toolchain


def test_objects_are_joined(tmp_path: Path) -> None:
    """A -shared link makes a relocatable object and records the requested libraries."""
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
    assert "m.so png\n" == (tmp_path / "libraries").read_text()
