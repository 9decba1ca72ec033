"""The runtime step: what it refuses before it builds, and how it compiles; no compiler runs."""

import hashlib
import io
import tarfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from onebin.effects.fetch import digest
from onebin.errors import ToolError
from onebin.model import Runtime, Source, Toolchain
from onebin.runtime import build
from onebin.runtime.build import BuildCPython
from onebin.runtime.recipe import ZLIB_FILES, recipe
from onebin.runtime.sources import PYTHON, ZLIB

from .fakes import Programs, context

TOOLCHAIN = Toolchain(Path("/tools/bin"), Path("/tools/rcrt1.o"), (), "key")


def step(python: Source = PYTHON, zlib: Source = ZLIB) -> BuildCPython:
    return BuildCPython(python, zlib, recipe("balanced"), TOOLCHAIN, "x86_64")


def test_missing_make_is_reported_before_anything_is_fetched(tmp_path: Path) -> None:
    """One line names it and how to get it; nothing was downloaded or configured by then."""
    programs = Programs(missing="make")

    with pytest.raises(ToolError, match="make: not installed") as caught:
        context(tmp_path, programs).build(step())

    assert "apt-get install make" in caught.value.hint
    assert [] == programs.calls
    assert [] == list((tmp_path / "tmp").iterdir())


def tarball(path: Path, names: Sequence[str]) -> Path:
    with tarfile.open(path, "w:gz") as tar:
        for name in names:
            info = tarfile.TarInfo(f"zlib-1/{name}")
            info.size = 1
            tar.addfile(info, io.BytesIO(b"x"))
    return path


def zlib_of(file: Path, files_sha256: str) -> Source:
    sha256 = hashlib.sha256(file.read_bytes()).hexdigest()
    return Source(
        name="zlib", version="1", sha256=sha256, origin=str(file), files_sha256=files_sha256
    )


@pytest.mark.parametrize("names", [[*ZLIB_FILES, "zlib.h"], list(ZLIB_FILES[1:])])
def test_zlib_with_other_files_is_refused(tmp_path: Path, names: list[str]) -> None:
    """Of any tarball, the compiled files must be the pinned ones, and all of them."""
    zlib = zlib_of(tarball(tmp_path / "z.tar.gz", names), "0" * 64)
    programs = Programs()

    with pytest.raises(ToolError, match=r"z\.tar\.gz: its C files are not zlib 1's"):
        build.compile_zlib(
            zlib, recipe("size"), TOOLCHAIN, tmp_path, context(tmp_path / "cache", programs)
        )

    assert [] == programs.calls


def digest_of(folder: Path) -> str:
    for name in (*ZLIB_FILES, "zlib.h"):
        (folder / name).write_text("x")
    return digest(folder / name for name in (*ZLIB_FILES, "zlib.h"))


def test_zlib_is_compiled_a_file_at_a_time(tmp_path: Path) -> None:
    """Files beside the chosen ones are no part of it, nor of its digest."""
    files_sha256 = digest_of(tmp_path)
    names = [*ZLIB_FILES, "zlib.h", "gzlib.c", "README"]
    zlib = zlib_of(tarball(tmp_path / "z.tar.gz", names), files_sha256)
    programs = Programs()

    build.compile_zlib(
        zlib, recipe("size"), TOOLCHAIN, tmp_path, context(tmp_path / "cache", programs)
    )

    assert [*["cc"] * len(ZLIB_FILES), "ar"] == programs.names
    assert "-Os" in programs.calls[0]


CONFIG_C = """
extern PyObject* PyInit__struct(void);
struct _inittab _PyImport_Inittab[] = {
    {"_struct", PyInit__struct},
    {"builtins", NULL},
    {"sys", NULL},
"""


def make_cpython(folder: Path) -> None:
    """A source tree as small as one can be, that looks as if it had been built."""
    texts = {
        "Makefile": "Python/ceval.o Parser/parser.o",
        "pybuilddir.txt": "build/lib.linux\n",
        "build/lib.linux/_sysconfigdata__linux_.py": "build_time_vars = {}",
        "Lib/os.py": "x = 1",
        "Lib/test/test_os.py": "x = 1",
        "Include/Python.h": "",
        "Include/patchlevel.h": "#define PY_MAJOR_VERSION 3\n#define PY_MINOR_VERSION 13\n",
        "pyconfig.h": "",
        "python": "program",
        "libpython3.13.a": "archive",
        "Modules/_hacl/libHacl.a": "archive",
        "Modules/config.c": CONFIG_C,
    }
    for name, text in texts.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)


def test_directory_is_built_and_described(tmp_path: Path) -> None:
    """Calls of configure and make with their levels; the interpreter, and archives in order."""
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
    assert {"_struct": "PyInit__struct", "builtins": "NULL", "sys": "NULL"} == dict(
        made.runtime.builtins
    )
    assert ctx.build(step(python, zlib)) == made
    assert len(makes) == len([words for words in programs.calls if words[0] == "make"])


def test_source_without_a_version_is_refused(tmp_path: Path) -> None:
    """A tree that is not CPython is named."""
    make_cpython(tmp_path)
    (tmp_path / "Include" / "patchlevel.h").write_text("")

    with pytest.raises(ToolError, match=r"Include/patchlevel\.h names no version"):
        build.collect(tmp_path, tmp_path, tmp_path / "out", recipe("size"))


def test_link_input_is_the_archives_and_the_chosen_modules() -> None:
    """Only modules that are wanted are in the table; the header's folder and a stack come along."""
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
    """What is compiled how, by the setting."""
    found = recipe(optimize)

    assert levels == (found.level, list(found.object_levels), found.zlib_level)


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
    assert build.made_by(tmp_path, objects) == made
