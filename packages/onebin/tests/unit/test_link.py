"""Linking without a linker: compiled files, their order, their options."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from onebin.errors import ProjectError, ToolError
from onebin.link import linker
from onebin.link.linker import LinkedProgram
from onebin.link.probe import MAIN, SCRIPT, Probe
from onebin.model import CSource, Interpreter, LinkInput, Toolchain

from .fakes import Programs, context

TOOLCHAIN = Toolchain(Path("/t/bin"), Path("/t/rcrt1.o"), (Path("/t/libc.a"),), "key")


@pytest.fixture
def parts(tmp_path: Path) -> LinkInput:
    for name in ("ext.o", "libpython.a"):
        (tmp_path / name).write_text(name)
    return LinkInput(
        sources=(CSource("a.h", "h"), CSource("a.c", "c")),
        include=(Path("/include"),),
        wraps=("f",),
        options=("-z", "x"),
        inittab={"sys": "NULL", "_m": "PyInit__m"},
        stack_bytes=4096,
    ) + LinkInput(
        sources=(CSource("code.s", "s"),),
        include=(Path("/include"), Path("/modules")),
        objects=(tmp_path / "ext.o",),
        archives=(tmp_path / "libpython.a",),
        wraps=("f",),
        inittab={"pkg.n": "PyInit_pkg__n"},
        stack_bytes=1,
    )


def writes(words: list[str], _: dict[str, Any]) -> bytes:
    if words[0].endswith("/ld"):
        Path(words[words.index("-o") + 1]).write_text("program")
    return b""


def test_parts_add_up(parts: LinkInput) -> None:
    """In order, folders and wraps once, the larger stack; adding nothing changes nothing."""
    assert parts + LinkInput() == parts == LinkInput() + parts
    assert ["a.h", "a.c", "code.s"] == [source.name for source in parts.sources]
    assert (Path("/include"), Path("/modules")) == parts.include
    assert (("f",), 4096) == (parts.wraps, parts.stack_bytes)
    assert {"sys", "_m", "pkg.n"} == parts.inittab.keys()


def test_program_is_compiled_and_linked(tmp_path: Path, parts: LinkInput) -> None:
    """All sources except headers, then one call of the linker; the result is measured."""
    programs = Programs(writes)

    binary = context(tmp_path / "cache", programs).build(
        LinkedProgram("a.o", parts, TOOLCHAIN, "x86_64")
    )

    *compilations, link = programs.calls
    # Several at once.
    assert {"inittab.c", "a.c", "code.s"} == {
        Path(words[words.index("-c") + 1]).name for words in compilations
    }
    assert 3 == len(compilations)
    assert ["/t/bin/cc", "-O2", "-I", "/include", "-I", "/modules", "-c"] == compilations[0][:7]
    assert "/t/bin/ld" == link[0]
    at = link.index("-o")
    assert ["--wrap=f", "-z", "x", "-z", "stack-size=4096"] == link[at - 5 : at]
    assert ["rcrt1.o", "inittab.o", "a.o", "code.o", "ext.o", "libpython.a", "libc.a"] == [
        Path(word).name for word in link[at + 2 :]
    ]
    assert ("a.o", 7, "program") == (binary.name, binary.size, binary.path.read_text())


def test_inittab_is_c() -> None:
    """Sorted, each initializer declared once; one of a package is called in its context."""
    text = linker.inittab({"sys": "NULL", "b": "PyInit_x", "a.c": "PyInit_x"})

    assert 1 == text.count("extern PyObject *PyInit_x(void);")
    assert text.index('{"a.c", init_0}') < text.index('{"b", PyInit_x}')
    assert text.index('_PyImport_SwapPackageContext("a.c")') < text.index("made = PyInit_x()")
    assert '{"sys", NULL}' in text
    assert "extern PyObject *NULL" not in text


UNDEFINED = "ld.lld: error: undefined symbol: "

LATER = f"\n{UNDEFINED}h\n>>> referenced by /c/b/o/x.o:(g)"

OWNERS = {Path("/c/a/o/x.o"): "one 1: its C module x", Path("/c/b/o/x.o"): "two 2: its C module x"}


@pytest.mark.parametrize(
    ("detail", "error", "message"),
    [
        (f"{UNDEFINED}png_read\n>>> x", ProjectError, "^a C extension uses png_read, which"),
        (UNDEFINED.strip(), ProjectError, "uses a function, which nothing"),
        (f"{UNDEFINED}f\n>>> referenced by /c/b/o/x.o:(g)", ProjectError, "^two 2: .* x uses f,"),
        (f"{UNDEFINED}f\n>>> by x.c\n>>>   /c/a/o/x.o:(g)\n{LATER}", ProjectError, "^one 1: .* f,"),
        (f"{UNDEFINED}f\n>>> referenced by a.o:(g)\n{LATER}", ProjectError, "^a C ext.* uses f,"),
        ("ld.lld: error: cannot open x.o", ToolError, "ld ended"),
    ],
)
def test_link_that_fails(
    tmp_path: Path, parts: LinkInput, detail: str, error: type[Exception], message: str
) -> None:
    """A missing function is a ProjectError that names its user, any other failure a ToolError."""
    parts += LinkInput(owners=OWNERS)

    def fail(words: list[str], _: dict[str, Any]) -> bytes:
        if words[0].endswith("/ld"):
            raise ToolError("ld ended with status 1", detail=detail)
        return b""

    with pytest.raises(error, match=message):
        context(tmp_path / "cache", Programs(fail)).build(
            LinkedProgram("app", parts, TOOLCHAIN, "x86_64")
        )


@pytest.mark.parametrize("runner", [(), ("qemu-aarch64",)])
def test_probe_loads_each_module_once(
    tmp_path: Path, parts: LinkInput, runner: tuple[str, ...]
) -> None:
    """Directly or by a runner, without the caller's home; the output is kept."""
    seen: list[dict[str, Any]] = []

    def act(words: list[str], options: dict[str, Any]) -> bytes:
        if "-c" in words and not words[0].endswith(("/cc", "/assemble")):
            seen.append(options["env"])
            return f"json {words[-1]}.sub\n".encode()
        return writes(words, options)

    programs = Programs(act)
    interpreter = Interpreter(
        Path("/python"), Path("/home"), Path("/stdlib"), "x86_64", "3.13", "k"
    )
    probe = Probe(
        modules=("_m", "pkg.n"), parts=parts, code=(Path("/code"),), code_keys=("c",),
        interpreter=interpreter, toolchain=TOOLCHAIN, runner=runner,
    )  # fmt: skip
    ctx = context(tmp_path / "cache", programs)

    found = ctx.build(probe)

    assert {"_m": ("json", "_m.sub"), "pkg.n": ("json", "pkg.n.sub")} == found
    assert found == ctx.build(probe)
    assert 2 == len(seen)
    assert ("/home", "/code:/stdlib") == (seen[0]["PYTHONHOME"], seen[0]["PYTHONPATH"])
    assert seen[0]["HOME"] == seen[0]["TMPDIR"] != str(Path.home())
    assert list(runner) == programs.calls[-1][: len(runner)]
    assert "main.o" in {Path(words[-1]).name for words in programs.calls if "/cc" in words[0]}
    assert "Py_BytesMain" in MAIN.text


def test_module_that_cannot_be_loaded_is_reported(tmp_path: Path, parts: LinkInput) -> None:
    """The error has the interpreter's output."""

    def act(words: list[str], options: dict[str, Any]) -> bytes:
        if words[0].endswith("/probe"):
            raise ToolError("probe ended with status 1", detail="_m cannot be loaded: ImportError")
        return writes(words, options)

    interpreter = Interpreter(Path("/p"), Path("/h"), Path("/s"), "x86_64", "3.13", "k")
    probe = Probe(
        modules=("_m",), parts=parts, code=(), code_keys=(), interpreter=interpreter,
        toolchain=TOOLCHAIN,
    )  # fmt: skip
    with pytest.raises(ToolError) as caught:
        context(tmp_path / "cache", Programs(act)).build(probe)
    assert "cannot be loaded" in caught.value.detail


@pytest.mark.parametrize(
    ("code", "error"),
    [
        ("import json", None),
        ("import json, no_such_distribution", None),
        ("import json\nimport no_such.part", None),
        ("import json.no_such", "m cannot be loaded: ModuleNotFoundError"),
        ("raise ImportError('a symbol')", "m cannot be loaded: ImportError: a symbol"),
        ("1 / 0", "m cannot be loaded: ZeroDivisionError"),
    ],
)
def test_module_may_want_what_no_distribution_has(
    code: str, error: str | None, tmp_path: Path
) -> None:
    """It fails under pip as well, when it is imported; a part of CPython must be there."""
    (tmp_path / "m.py").write_text(code)

    done = subprocess.run(
        [sys.executable, "-S", "-P", "-c", SCRIPT, "m"],
        capture_output=True, text=True, check=False, env={"PYTHONPATH": str(tmp_path)},
    )  # fmt: skip

    assert (error is not None) is bool(done.returncode), done.stderr
    assert (error or "") in done.stderr
