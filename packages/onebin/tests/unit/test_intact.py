"""A compiler or a cache that vanishes while it compiles is named, not the code it compiled."""

from collections.abc import Callable
from pathlib import Path

import pytest

from onebin.effects.context import Context
from onebin.errors import ProjectError, ToolError
from onebin.model import Toolchain
from onebin.runtime import flags, intact, toolchain

from .fakes import context

RELEASE = "ziglang 0.17.1"

CAUSE = ToolError("zc 1: cannot be built", hint="choose another version", detail="error: a.c")


@pytest.fixture
def made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Context, Toolchain]:
    """Install a compiler, check it, and lay it out."""
    folder = tmp_path / "ziglang"
    for name in ("include", "libc", "std"):
        (folder / "lib" / name).mkdir(parents=True)
    (folder / "zig").write_text("program")
    (folder / "zig").chmod(0o755)

    def installed(release: str) -> Path:
        if not (folder / "zig").exists():
            raise ToolError(f"{folder}/zig: missing; it is the compiler, {release}")
        return folder

    monkeypatch.setattr(intact, "installed", installed)
    pinned = toolchain.contents(folder)
    monkeypatch.setitem(flags.PINNED, (RELEASE, "x86_64"), pinned)
    ctx = context(tmp_path / "cache")
    ctx.build(toolchain.CheckedCompiler(folder, RELEASE, pinned))
    place = tmp_path / "cache" / "toolchain" / "0a"
    for name in ("bin/cc", "lib/rcrt1.o", "lib/0-libc.a"):
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        (place / name).touch()
    libraries = (place / "lib/0-libc.a",)
    return ctx, Toolchain(place / "bin", place / "lib/rcrt1.o", libraries, "key")


def remove(name: str) -> Callable[[Path], object]:
    return lambda root: (root / name).rename(root / "gone")


HAPPENED: dict[str, tuple[Callable[[Path], object], str, str]] = {
    "program": (remove("ziglang/zig"), "", "/ziglang/zig: missing"),
    "cut": (lambda root: (root / "ziglang/zig").write_text("p"), "", "/ziglang: replaced or"),
    "headers": (remove("ziglang/lib/libc"), "", "/ziglang: replaced or removed"),
    "script": (remove("cache/toolchain/0a/bin"), "", "/0a/bin/cc: gone from the cache"),
    "library": (remove("cache/toolchain/0a/lib/0-libc.a"), "", "0-libc.a: gone from the cache"),
    "all": (remove("cache"), "", "/0a/bin/cc: gone from the cache"),
    "zig's cache": (
        lambda _: None,
        "error: error opening '{root}/cache/zig/tmp/1-a.o.d': No such file or directory",
        "/cache/zig/tmp/1-a.o.d: gone from the cache",
    ),
    "archive": (
        lambda _: None,
        "x\nld.lld: error: {root}/cache/library/27a9/lib/libbz2.a: truncated archive",
        "/cache/library/27a9: damaged, a part of the cache: truncated archive",
    ),
    "half a script": (
        lambda _: None,
        "{root}/cache/toolchain/0a/bin/cc: 16: Syntax error",
        "/cache/toolchain/0a: damaged, a part of the cache: 16: Syntax error",
    ),
    "the code": (
        lambda _: None,
        "ld.lld: error: undefined symbol: x\n>>> referenced by {root}/cache/object/1a/a.o:(f)",
        "zc 1: cannot be built",
    ),
}
"""What happens, a failed program's words, and the error."""


@pytest.mark.parametrize("case", HAPPENED)
def test_reason_of_a_failed_build(
    case: str, made: tuple[Context, Toolchain], tmp_path: Path
) -> None:
    """Each has a hint that helps; a fault of the code stays one."""
    happen, detail, expected = HAPPENED[case]
    ctx, compiler = made

    def build() -> None:
        with intact.in_use(RELEASE, "x86_64", compiler, ctx):
            happen(tmp_path)
            raise ToolError(str(CAUSE), hint=CAUSE.hint, detail=detail.format(root=tmp_path))

    with pytest.raises(ToolError, match=expected):
        build()


def test_faults_of_the_project_stay(made: tuple[Context, Toolchain]) -> None:
    """Where nothing is gone, an error is passed on as it is."""
    ctx, compiler = made

    with (
        pytest.raises(ProjectError, match=r"^typo$"),
        intact.in_use(RELEASE, "x86_64", compiler, ctx),
    ):
        raise ProjectError("typo")
