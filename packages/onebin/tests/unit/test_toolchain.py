"""The compiler is the pinned one, by its files; five wrappers call it, with the right flags."""

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from onebin.effects.process import run
from onebin.errors import ToolError
from onebin.model import Toolchain
from onebin.runtime import toolchain
from onebin.runtime.toolchain import CheckedCompiler, CxxLibraries, LaidOutToolchain

from .fakes import Programs, compiler, context

pytestmark = pytest.mark.claim("pinned downloads")

RELEASE = "ziglang 0.17.1"


CHANGES: dict[str, Callable[[Path], Any]] = {
    "other bytes": lambda root: (root / "zig").write_text("programs"),
    "one more file": lambda root: (root / "lib" / "musl" / "more.h").write_text(""),
    "one less": lambda root: (root / "lib" / "musl" / "malloc.c").unlink(),
    "another name": lambda root: (root / "zig").rename(root / "zag"),
    "another place": lambda root: (root / "lib/musl/malloc.c").rename(root / "lib" / "malloc.c"),
    "a link": lambda root: (root / "lib" / "l").symlink_to("../zig"),
}


@pytest.mark.parametrize("what", CHANGES)
def test_every_change_of_the_compiler_shows(tree: Path, what: str) -> None:
    """Library sources are compiled into executables, so they count as the program does."""
    before = toolchain.contents(tree)
    CHANGES[what](tree)

    assert before != toolchain.contents(tree)


def test_bytecode_of_python_does_not_show(tree: Path) -> None:
    """An import of the package writes compiled files, which onebin does not read."""
    before = toolchain.contents(tree)
    (tree / "__pycache__").mkdir()
    (tree / "__pycache__" / "__main__.cpython-311.pyc").write_bytes(b"x")

    assert before == toolchain.contents(tree)


@pytest.mark.toolchain
def test_installed_compiler_is_the_pinned_one_or_rejected(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The pinned compiler passes and is read once; with one byte of the pin changed it fails."""
    root = tmp_path / "compiler"
    root.mkdir()
    (root / "zig").write_text("program")
    ctx = context(tmp_path / "cache")
    step = CheckedCompiler(root, RELEASE, toolchain.contents(root))
    assert root / "zig" == ctx.build(step)
    monkeypatch.setattr(toolchain, "contents", lambda _: "not read again")
    assert root / "zig" == ctx.build(step)

    with pytest.raises(ToolError, match=r"ziglang 0\.17\.1 have the hash .*, expected") as no:
        ctx.build(CheckedCompiler(root, RELEASE, "0" * 64))
    assert "pip install --force-reinstall --no-deps ziglang==0.17.1" in no.value.hint
    assert not any((tmp_path / "cache" / "tmp").iterdir())


def laid_out(cache: Path, **changes: Any) -> LaidOutToolchain:
    given = {"flags": ("-fPIE",), "flags_key": ("f",), **changes}
    return LaidOutToolchain(Path("/a folder/zig"), RELEASE, "x86_64", cache=cache, **given)


def test_toolchain_is_laid_out(tmp_path: Path) -> None:
    """Its programs, musl's archives in link order, the code before main."""
    made = context(tmp_path / "cache", Programs(compiler)).build(laid_out(tmp_path / "zig"))

    programs = {file.name for file in made.bin.iterdir()}
    assert {"cc", "c++", "ar", "ranlib", "ld", "assemble"} == programs
    assert ["0-libc.a", "1-libcompiler_rt.a"] == [file.name for file in made.libraries]
    assert "rcrt1.o" == made.crt_start.read_text()
    cc = (made.bin / "cc").read_text()
    assert "exec '/a folder/zig' cc -target x86_64-linux-musl -mcpu=x86_64 -fPIE" in cc
    assert "{" not in cc
    assert "-lc++" in (made.bin / "c++").read_text()
    assert (made.bin / "cc").stat().st_mode & 0o111


def test_key_of_a_toolchain_has_no_path(tmp_path: Path) -> None:
    """Its results have the same key on each machine."""
    one, other = (laid_out(tmp_path / name).load(tmp_path / name) for name in ("a", "b"))

    assert one.key == other.key


def test_cxx_libraries_are_those_c_has_not(tmp_path: Path) -> None:
    """libc++ and the unwinder, and the index that exceptions need; libc comes once."""
    ctx = context(tmp_path / "cache", Programs(compiler))
    made = ctx.build(laid_out(tmp_path / "zig"))

    found = ctx.build(CxxLibraries(made))

    assert ["0-libc++.a", "1-libunwind.a"] == [file.name for file in found.archives]
    assert ("--eh-frame-hdr",) == found.options


def silent(words: list[str], _: dict[str, Any]) -> bytes:
    Path(words[words.index("-o") + 1]).write_text("program")
    return b""


def test_compiler_that_names_nothing_is_rejected(tmp_path: Path) -> None:
    """Another version may print other lines: fail here, not later."""
    ctx = context(tmp_path / "cache", Programs(silent))
    with pytest.raises(ToolError, match="names no linked files"):
        ctx.build(laid_out(tmp_path / "zig"))
    bare = Toolchain(Path("/bin"), Path("/rcrt1.o"), (), "key")
    with pytest.raises(ToolError, match=r"does not name libc\+\+"):
        ctx.build(CxxLibraries(bare))


@pytest.mark.parametrize(
    ("detail", "message"),
    [("error: ProcessFdQuotaExceeded", "too many open files"), ("error: Unexpected", "cc ended")],
)
def test_compiler_that_fails(tmp_path: Path, detail: str, message: str) -> None:
    """Too few open files are explained; other failures pass through."""

    def fail(*_: Any) -> bytes:
        raise ToolError("cc ended with status 1", detail=detail)

    with pytest.raises(ToolError, match=message):
        context(tmp_path / "cache", Programs(fail)).build(laid_out(tmp_path / "zig"))


@pytest.mark.parametrize(
    ("options", "there", "absent"),
    [
        ({}, [], ["-fprofile"]),
        ({"instrumented": True}, ["-fprofile-generate"], ["-fprofile-use"]),
        ({"profile": (Path("/p"), "sha")}, ["-fprofile-use=/p"], ["-fprofile-generate"]),
    ],
)
def test_flags_by_the_plan(
    installed: Path, tmp_path: Path, options: Any, there: list[str], absent: list[str]
) -> None:
    """Counters, a profile or neither: in the wrappers and in the key."""
    ctx = context(tmp_path / "cache", Programs(compiler))
    plain = toolchain.toolchain(RELEASE, "x86_64", ctx)

    made = toolchain.toolchain(RELEASE, "x86_64", ctx, **options)

    text = (made.bin / "cc").read_text()
    assert all(flag in text for flag in there)
    assert not any(flag in text for flag in absent)
    assert (made.key == plain.key) == (not options)
    assert made.instrumented == ("instrumented" in options)


@pytest.mark.parametrize(
    ("spec", "version", "message"),
    [
        (None, "0.17.1", "not installed"),
        (SimpleNamespace(submodule_search_locations=None), "0.17.1", "not installed"),
        (SimpleNamespace(submodule_search_locations=["/x"]), "0.16", "version 0.16; expected"),
    ],
)
def test_package_that_is_not_the_pinned_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, spec: Any, version: str, message: str
) -> None:
    """Missing, or another version: the hint is pip's command line."""
    monkeypatch.setattr("onebin.runtime.toolchain.find_spec", lambda _: spec)
    monkeypatch.setattr("onebin.runtime.toolchain.installed_version", lambda _: version)

    with pytest.raises(ToolError, match=message) as caught:
        toolchain.toolchain(RELEASE, "x86_64", context(tmp_path))
    assert "pip install ziglang==0.17.1" == caught.value.hint


@pytest.mark.parametrize(("mode", "fault"), [(None, "missing"), (0o644, "cannot be run")])
def test_program_that_vanished(
    mode: int | None, fault: str, installed: Path, tmp_path: Path
) -> None:
    """The package is there, its program is not: removed, or on a file system without programs."""
    if mode is None:
        (installed / "zig").unlink()
    else:
        (installed / "zig").chmod(mode)

    with pytest.raises(ToolError, match=f"zig: {fault}; it is the compiler, ziglang") as caught:
        toolchain.toolchain(RELEASE, "x86_64", context(tmp_path / "cache"))
    assert "pip install --force-reinstall --no-deps ziglang==0.17.1" == caught.value.hint


def test_program_that_vanishes_while_it_compiles(tmp_path: Path) -> None:
    """It is not the source's fault, so no other version of that is proposed."""
    script = tmp_path / "cc"
    script.write_text(f"#!/bin/sh\nexec {tmp_path}/ziglang/zig cc\n")
    script.chmod(0o755)
    ctx = context(tmp_path / "cache", run)

    with (
        pytest.raises(ToolError, match=r"ziglang/zig: gone while it compiled") as caught,
        ctx.store.scratch(),
    ):
        ctx.run([script])
    assert "pip install --force-reinstall" in caught.value.hint
