"""Contexts for steps: a cache in a folder, and programs that do not run."""

import hashlib
import io
import struct
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from onebin.effects.context import Context
from onebin.effects.process import RunCommand
from onebin.effects.progress import Progress
from onebin.effects.store import Store
from onebin.errors import ToolError
from onebin.inputs.directory import Directory
from onebin.model import (
    BuiltLibrary,
    CPython,
    Distribution,
    Function,
    Interpreter,
    Pin,
    Plan,
    Runtime,
    Toolchain,
)
from onebin.pgo.profile import DATA, SECTION
from onebin.planning import plan as plan_of
from onebin.tools import Tools

Act = Callable[[list[str], dict[str, Any]], bytes]


NEEDS_NOTHING = {"pyproject.toml": "[build-system]\nrequires = []\n", "setup.py": ""}
TOOLCHAIN = Toolchain(Path("/t/bin"), Path("/t/rcrt1.o"), (), "key")
PYTHON = CPython(
    Interpreter(Path("/python"), Path("/home"), Path("/stdlib"), "x86_64", "3.13", "k"),
    Runtime("x86_64", (), Path("/include"), {}, "k"),
)


def project_plan(root: Path, pins: Sequence[Pin], settings: str = "") -> Plan:
    """A plan of a project in *root* that depends on *pins*, with *settings* of tool.onebin."""
    root.mkdir(exist_ok=True)
    names = ", ".join(f'"{pin.name}"' for pin in pins)
    (root / "app.py").write_text("def main(): ...")
    (root / "pyproject.toml").write_text(
        f'[project]\nname = "app"\nscripts = {{ app = "app:main" }}\ndependencies = [{names}]\n'
        f"[tool.onebin]\n{settings}"
    )
    lines = [
        f"{pin.name}=={pin.version}{''.join(f' --hash={item}' for item in pin.hashes)}\n"
        for pin in pins
    ]
    return plan_of(Directory(root).project(), machine="x86_64", lock="".join(lines))


def no_libraries(names: Sequence[str]) -> tuple[BuiltLibrary, ...]:
    """Make no C library, for distributions that want none."""
    assert not names
    return ()


def plain_interpreter(_: Sequence[Distribution]) -> Interpreter:
    """Run back ends in CPython's own interpreter."""
    return PYTHON.interpreter


def own_python(words: list[str], options: dict[str, Any]) -> bytes:
    """Run the call with this interpreter: such tests do not depend on its bytecode."""
    done = subprocess.run(
        [sys.executable, *words[1:]],
        cwd=options.get("cwd"),
        env={"PYTHONPATH": options["env"].get("PYTHONPATH", "")},
        input=options.get("stdin"),
        capture_output=True,
        check=True,
    )
    return bytes(done.stdout)


class Programs:
    """A ``RunCommand`` that records each call; *act* imitates the program."""

    def __init__(self, act: Act | None = None, missing: str = "") -> None:
        self.calls: list[list[str]] = []
        self._act, self._missing = act, missing

    def __call__(self, argv: Sequence[str | Path], **options: Any) -> bytes:
        words = list(map(str, argv))
        if Path(words[0]).name == self._missing:
            raise ToolError(f"{self._missing}: no such program")
        self.calls.append(words)
        return self._act(words, options) if self._act else b""

    @property
    def names(self) -> list[str]:
        return [Path(words[0]).name for words in self.calls]


def context(
    cache: Path, run: RunCommand | None = None, stream: io.StringIO | None = None
) -> Context:
    progress = Progress(stream or io.StringIO(), terminal=False, color=False)
    return Context(run or Programs(), Store(cache), progress)


def tools(cache: Path, run: RunCommand, stream: io.StringIO | None = None) -> Tools:
    return Tools(context(cache, run, stream), "x86_64")


LINKED = {
    "cc": ["rcrt1.o", "libc.a", "libcompiler_rt.a"],
    "c++": ["rcrt1.o", "libc++.a", "libunwind.a", "libc.a", "libcompiler_rt.a"],
}


def compiler(words: list[str], options: dict[str, Any]) -> bytes:
    """Link as the real driver does: with an empty cache it first links an object by itself."""
    folder = options["cwd"]
    files = LINKED.get(Path(words[0]).name, [])
    for name in files:
        (folder / name).write_text(name)
    Path(words[words.index("-o") + 1]).write_text("program")
    options["on_line"]("ld.lld own.o")
    options["on_line"](f"ld.lld -o nothing {' '.join(files)}")
    options["on_line"]("done")
    return b""


def counters(functions: list[Function]) -> bytes:
    """Return a file of ``csrc/counters.c`` for *functions*: names, records, counts, addresses."""
    text = "\1".join(function.name for function in functions).encode()
    assert len(text) < 128  # the length fits one byte
    names = bytes([len(text), 0]) + text
    counts = b"".join(struct.pack(f"<{len(f.counts)}Q", *f.counts) for f in functions)
    start, at, records = 0x9000, 0x1000, b""
    address = start
    for function in functions:
        name = struct.unpack("<Q", hashlib.md5(function.name.encode()).digest()[:8])[0]
        fields = (name, function.hash, address - at - len(records), 0, 0, 0)
        records += DATA.pack(*fields, len(function.counts), 0, 0, 0, 0)
        address += 8 * len(function.counts)
    parts = ((0x100, names), (at, records), (start, counts))
    return b"".join(SECTION.pack(len(data), place) + data for place, data in parts)
