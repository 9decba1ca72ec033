"""What the runtime stage says before and instead of building; real builds are elsewhere."""

import hashlib
import io
import tarfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest

from onebin import planning
from onebin.effects.fetch import digest
from onebin.effects.store import Store
from onebin.errors import ToolError
from onebin.inputs import directory as projects
from onebin.model import Plan, Source, Toolchain
from onebin.runtime import build as runtime

PROJECTS = Path(__file__).parent.parent / "projects"


def plan(**changes: Source) -> Plan:
    made = planning.plan(projects.read(PROJECTS / "facts"), machine="x86_64", lock="")
    return msgspec.structs.replace(made, **changes)


def toolchain() -> Toolchain:
    return Toolchain(Path("/tools"), Path("/tools/rcrt1.o"), (), "key")


class Programs:
    """Notes what would be run; *missing* is not installed."""

    def __init__(self, missing: str = "") -> None:
        self.missing = missing
        self.called: list[str] = []

    def __call__(self, argv: Sequence[str | Path], **_: Any) -> bytes:
        name = Path(argv[0]).name
        if name == self.missing:
            raise ToolError(f"{name}: no such program")
        self.called.append(name)
        return b""


def test_missing_make_is_said_before_anything_is_fetched(tmp_path: Path) -> None:
    """One line names it and how to get it; nothing has been downloaded or configured by then."""
    programs = Programs(missing="make")

    with pytest.raises(ToolError, match="make is not installed") as caught:
        runtime.runtime(
            plan(), toolchain(), run=programs, store=Store(tmp_path), tell=lambda *_, **__: None
        )

    assert "apt-get install make" in caught.value.hint
    assert [] == programs.called
    assert [] == list((tmp_path / "tmp").iterdir())


def tarball(path: Path, names: Sequence[str]) -> Path:
    with tarfile.open(path, "w:gz") as tar:
        for name in names:
            info = tarfile.TarInfo(f"zlib-1/{name}")
            info.size = 1
            tar.addfile(info, io.BytesIO(b"x"))
    return path


def zlib_of(file: Path, contents: str) -> Plan:
    sha256 = hashlib.sha256(file.read_bytes()).hexdigest()
    source = Source(name="zlib", version="1", sha256=sha256, origin=str(file), contents=contents)
    return plan(zlib=source)


@pytest.mark.parametrize("names", [[*runtime.ZLIB, "zlib.h"], list(runtime.ZLIB[1:])])
def test_zlib_with_other_files_is_refused(tmp_path: Path, names: list[str]) -> None:
    """Whichever tarball it was, what is compiled must be what was pinned, and all of it."""
    file = tarball(tmp_path / "z.tar.gz", names)
    programs = Programs()
    planned = zlib_of(file, "0" * 64)

    with pytest.raises(ToolError, match=r"z\.tar\.gz: its C files are not zlib 1's"):
        runtime._zlib(planned, toolchain(), tmp_path, run=programs, tell=lambda *_, **__: None)

    assert [] == programs.called


def test_zlib_is_compiled_a_file_at_a_time(tmp_path: Path) -> None:
    """Files beside the chosen ones are no part of it, nor of its digest."""
    for name in (*runtime.ZLIB, "zlib.h"):
        (tmp_path / name).write_text("x")
    contents = digest(tmp_path / name for name in (*runtime.ZLIB, "zlib.h"))
    file = tarball(tmp_path / "z.tar.gz", [*runtime.ZLIB, "zlib.h", "gzlib.c", "README"])
    programs = Programs()
    planned = zlib_of(file, contents)

    runtime._zlib(planned, toolchain(), tmp_path, run=programs, tell=lambda *_, **__: None)

    assert [*["cc"] * len(runtime.ZLIB), "ar"] == programs.called


@pytest.mark.parametrize(
    ("makefile", "made"),
    [
        ("PYTHON_OBJS= \\\n\t\tPython/ast.o \\\n\t\tPython/ast_opt.o \\\n", ["Python/ast_opt.o"]),
        ("PYTHON_OBJS=\tPython/ast_preprocess.o\n", ["Python/ast_preprocess.o"]),
        # A rule alone, of a module that configure found nothing for.
        ("Modules/_decimal/_decimal.o: Modules/_decimal/_decimal.c\n", []),
    ],
)
def test_of_another_line_of_cpython_what_it_makes(
    tmp_path: Path, makefile: str, made: list[str]
) -> None:
    """A file that another line lacks is not asked of make, which would end the build."""
    (tmp_path / "Makefile").write_text(makefile)

    objects = ("Python/ast_opt.o", "Python/ast_preprocess.o", "Modules/_decimal/_decimal.o")
    assert runtime.made_by(tmp_path, objects) == made
