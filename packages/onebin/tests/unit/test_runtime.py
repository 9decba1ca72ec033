"""The runtime step: its checks before a build, and its compiler flags; no compiler runs."""

from pathlib import Path
from typing import Any

import pytest

from onebin.errors import ToolError
from onebin.model import Runtime, Source, Toolchain
from onebin.runtime import build
from onebin.runtime.build import BuildCPython
from onebin.runtime.recipe import ZLIB_FILES, recipe
from onebin.runtime.sources import PYTHON, ZLIB

from .fakes import Programs, context
from .small_sources import digest_of, make_cpython, tarball, zlib_of

TOOLCHAIN = Toolchain(Path("/tools/bin"), Path("/tools/rcrt1.o"), (), "key")


def step(python: Source = PYTHON, zlib: Source = ZLIB) -> BuildCPython:
    return BuildCPython(python, zlib, recipe("balanced"), TOOLCHAIN, "x86_64")


def test_missing_make_is_reported_before_anything_is_fetched(tmp_path: Path) -> None:
    """The error names make and its package; nothing was downloaded or configured before."""
    programs = Programs(missing="make")

    with pytest.raises(ToolError, match="make: not installed") as caught:
        context(tmp_path, programs).build(step())

    assert "apt-get install make" in caught.value.hint
    assert [] == programs.calls
    assert [] == list((tmp_path / "tmp").iterdir())


@pytest.mark.parametrize("names", [[*ZLIB_FILES, "zlib.h"], list(ZLIB_FILES[1:])])
def test_zlib_with_other_files_is_rejected(tmp_path: Path, names: list[str]) -> None:
    """The compiled files must be the pinned ones, all of them, whatever the tarball."""
    zlib = zlib_of(tarball(tmp_path / "z.tar.gz", names), "0" * 64)
    programs = Programs()

    with pytest.raises(ToolError, match=r"z\.tar\.gz: its C files are not zlib 1's"):
        build.compile_zlib(
            zlib, recipe("size"), TOOLCHAIN, tmp_path, context(tmp_path / "cache", programs)
        )

    assert [] == programs.calls


def test_zlib_is_compiled_a_file_at_a_time(tmp_path: Path) -> None:
    """Other files of the tarball are not compiled, and do not change the digest."""
    files_sha256 = digest_of(tmp_path)
    names = [*ZLIB_FILES, "zlib.h", "gzlib.c", "README"]
    zlib = zlib_of(tarball(tmp_path / "z.tar.gz", names), files_sha256)
    programs = Programs()

    build.compile_zlib(
        zlib, recipe("size"), TOOLCHAIN, tmp_path, context(tmp_path / "cache", programs)
    )

    assert [*["cc"] * len(ZLIB_FILES), "ar"] == programs.names
    assert "-Os" in programs.calls[0]


def test_directory_is_built_and_described(tmp_path: Path) -> None:
    """The calls of configure and make with their levels; the interpreter, archives in order."""
    make_cpython(tmp_path / "cpython")
    files_sha256 = digest_of(tmp_path)
    zlib = zlib_of(tarball(tmp_path / "z.tar.gz", [*ZLIB_FILES, "zlib.h"]), files_sha256)
    envs: dict[str, Any] = {}

    def act(words: list[str], options: dict[str, Any]) -> bytes:
        if words[0] == "./configure":
            envs.update(options["env"])
            for _ in range(3):
                options["on_line"]("checking for stdio.h... yes")
        if words[0].endswith("/ar"):
            (options["cwd"] / "libz.a").write_text("zlib")
        return b""

    programs = Programs(act)
    python = Source(name="CPython", version="", sha256="", origin=str(tmp_path / "cpython"))
    ctx = context(tmp_path / "cache", programs)

    made = ctx.build(step(python, zlib))

    makes = [words for words in programs.calls if words[0] == "make"]
    assert [["--version"], ["CFLAGSFORSHARED=-O2", "Python/ceval.o"],
            ["CFLAGSFORSHARED=-Oz", "Parser/parser.o"], ["python"], ["pybuilddir.txt"]] == [
        words[3:] or words[1:] for words in makes
    ]  # fmt: skip
    assert ("/tools/bin/cc", "yes", "n/a") == (
        envs["CC"], envs["ac_cv_file__dev_ptmx"], envs["py_cv_module__testcapi"]
    )  # fmt: skip
    assert ("3.13", "x86_64", "program") == (
        made.interpreter.version, made.interpreter.runs_on, made.interpreter.python.read_text()
    )  # fmt: skip
    stdlib = made.interpreter.stdlib
    assert {"os.py", "_sysconfigdata__linux_.py"} == {file.name for file in stdlib.iterdir()}
    archives = [file.name for file in made.runtime.archives]
    assert ["0-libpython3.13.a", "1-libHacl.a", "2-libz.a"] == archives
    assert {
        "_struct": "PyInit__struct", "builtins": "NULL", "gc": "NULL", "sys": "NULL"
    } == dict(made.runtime.builtins)  # fmt: skip
    sources = [file for file in made.runtime.sources.rglob("*") if file.is_file()]
    assert {"_ssl": ("_ssl.c",)} == made.runtime.library_modules
    assert {"_ssl.c", "_ssl.h", "misc.c", "modules.json"} == {file.name for file in sources}
    assert ctx.build(step(python, zlib)) == made
    assert len(makes) == len([words for words in programs.calls if words[0] == "make"])


def test_source_without_a_version_is_rejected(tmp_path: Path) -> None:
    """A tree that is not CPython is named."""
    make_cpython(tmp_path)
    (tmp_path / "Include" / "patchlevel.h").write_text("")

    with pytest.raises(ToolError, match=r"Include/patchlevel\.h names no version"):
        build.collect(tmp_path, tmp_path, tmp_path / "out", recipe("size"))


def test_link_input_is_the_archives_and_the_chosen_modules() -> None:
    """Only wanted modules are in the table, beside the header's folder and a stack size."""
    runtime = Runtime("x86_64", (Path("/a.a"),), Path("/i"), {"sys": "NULL", "_io": "PyInit"}, "k")

    found = build.link_input(runtime, ["_io"])

    assert ({"_io": "PyInit"}, (Path("/a.a"),), (Path("/i"),), ("k",)) == (
        found.inittab, found.archives, found.include, found.key
    )  # fmt: skip
    assert found.stack_bytes == build.STACK_BYTES


@pytest.mark.parametrize(
    ("optimize", "levels"),
    [("speed", ("-O2", [], "-O2")), ("balanced", ("-Os", ["-O2", "-Oz"], "-O2")),
     ("size", ("-Os", [], "-Os"))],
)  # fmt: skip
def test_recipe(optimize: Any, levels: tuple[str, list[str], str]) -> None:
    """The setting chooses the level of each part."""
    found = recipe(optimize)

    assert levels == (found.level, list(found.object_levels), found.zlib_level)


@pytest.mark.parametrize(
    ("makefile", "made"),
    [
        ("PYTHON_OBJS= \\\n\t\tPython/ast.o \\\n\t\tPython/ast_opt.o \\\n", ["Python/ast_opt.o"]),
        ("PYTHON_OBJS=\tPython/ast_preprocess.o\n", ["Python/ast_preprocess.o"]),
        # A rule without a variable, for a module that configure left out.
        ("Modules/_decimal/_decimal.o: Modules/_decimal/_decimal.c\n", []),
    ],
)
def test_recipe_of_another_cpython_line(tmp_path: Path, makefile: str, made: list[str]) -> None:
    """A missing file of another CPython line is not passed to make, which would fail."""
    (tmp_path / "Makefile").write_text(makefile)

    objects = ("Python/ast_opt.o", "Python/ast_preprocess.o", "Modules/_decimal/_decimal.o")
    assert build.made_by(tmp_path, objects) == made
