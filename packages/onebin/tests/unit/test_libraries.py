"""Libraries and the modules over them: recipes as values, calls, link input; nothing compiles."""

import struct
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from onebin.errors import ToolError
from onebin.model import BuiltLibrary, BuiltModule, Machine, Runtime, Source, Toolchain
from onebin.objects import archive
from onebin.runtime import modules
from onebin.runtime.libraries import libraries
from onebin.runtime.library import BuildLibrary, Command, Compile, Library, Patch, Text

from .fakes import Programs, context
from .small_sources import sha256_of, tarball

TOOLCHAIN = Toolchain(Path("/tools/bin"), Path("/tools/rcrt1.o"), (), "key")


def thing(tmp_path: Path, **fields: Any) -> Library:
    """A library of one tarball with a C file, a header and a template."""
    file = tarball(tmp_path / "thing.tar.gz", ["thing.c", "thing.h", "config.in"])
    source = Source(name="thing", version="1", sha256=sha256_of(file), origin=str(file))
    steps = (
        Text("config.h", template="config.in", replace={"x": "y"}),
        Command(("configure", "--host={triplet}", "-I{needs}/include"), "."),
        Compile("thing.a", ("thing.c",), ("-Os",)),
    )
    values = {"steps": steps, "headers": (("*.h", "below"),), "archives": ("thing.a",)}
    return Library(name="thing", source=source, license="MIT", **{**values, **fields})


def make_archive(words: list[str], options: dict[str, Any]) -> bytes:
    if words[0].endswith("/ar"):
        (options["cwd"] / words[2]).write_text("archive")
    return b""


@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
def test_every_module_has_its_libraries(machine: Machine) -> None:
    """Names agree, needs come first, every source is pinned and can be fetched."""
    found = libraries(machine)

    for module in modules.MODULES.values():
        assert set(module.libraries) <= found.keys()
    for name, library in found.items():
        assert name == library.name == library.source.name
        assert 64 == len(library.source.sha256)
        assert library.source.debian_file
        assert library.license
        assert set(library.needs) <= found.keys() - {name}


def test_recipe_is_followed(tmp_path: Path) -> None:
    """A text is filled, a command gets the target and the needs, C is compiled and collected."""
    (tmp_path / "n" / "include").mkdir(parents=True)
    (tmp_path / "n" / "include" / "need.h").write_text("need")
    (tmp_path / "n" / "need.a").write_text("need")
    need = BuiltLibrary(
        "need", Source(name="need", version="1", sha256="0"), "MIT", tmp_path / "n" / "include",
        (tmp_path / "n" / "need.a",), "need",
    )  # fmt: skip
    seen: list[str] = []

    def act(words: list[str], options: dict[str, Any]) -> bytes:
        if words[0] == "configure":
            seen.append((options["cwd"] / "config.h").read_text())
            folder = Path(words[2].removeprefix("-I")).parent
            seen.extend(sorted(str(f.relative_to(folder)) for f in folder.rglob("need*")))
            seen.append(options["env"]["CC"])
        return make_archive(words, options)

    programs = Programs(act)
    library = thing(tmp_path, needs=("need",))

    built = context(tmp_path / "cache", programs).build(
        BuildLibrary(library, (need,), TOOLCHAIN, "x86_64")
    )

    assert ["y", "include/need.h", "lib/need.a", "cc"] == seen
    assert ["configure", "cc", "ar"] == programs.names
    assert "--host=x86_64-linux-musl" == programs.calls[0][1]
    assert ["thing.a"] == [file.name for file in built.archives if file.is_file()]
    assert {"below/config.h", "below/thing.h"} == {
        str(file.relative_to(built.include)) for file in built.include.rglob("*.h")
    }


@pytest.mark.parametrize(
    ("fields", "error", "hint"),
    [
        ({"programs": ("perl",)}, "perl: not installed; thing is built with it",
         "apt-get install perl"),
        ({"headers": (("gone/*.h", ""),)}, "thing: its source has no gone/", ""),
    ],
)  # fmt: skip
def test_library_that_cannot_be_built(
    tmp_path: Path, fields: dict[str, Any], error: str, hint: str
) -> None:
    """A missing program is named before anything is fetched; so is a header that is gone."""

    def act(words: list[str], options: dict[str, Any]) -> bytes:
        if words[:2] == ["sh", "-c"]:
            raise ToolError("sh ended with status 127")
        return make_archive(words, options)

    ctx = context(tmp_path / "cache", Programs(act))

    with pytest.raises(ToolError, match=error) as caught:
        ctx.build(BuildLibrary(thing(tmp_path, **fields), (), TOOLCHAIN, "x86_64"))

    assert hint in caught.value.hint


@pytest.mark.parametrize(
    ("changes", "seen"),
    [
        ({"thing": "other"}, "other"),
        ({"thing": "both", "both": "neither"}, "neither"),
        ({"t": "T", "absent": ""}, "'absent' occurs 0 times"),
        ({"": "x"}, "occurs 6 times"),
    ],
)
def test_source_is_changed_where_the_recipe_fits(
    tmp_path: Path, changes: dict[str, str], seen: str
) -> None:
    """A change that a newer version of the library does not take is an error, no other result."""
    found = []

    def act(words: list[str], options: dict[str, Any]) -> bytes:
        if words[0] == "configure":
            found.append((options["cwd"] / "thing.c").read_text())
        return make_archive(words, options)

    steps = (Text("thing.c", "thing"), Patch("thing.c", changes), Command(("configure",)))
    library = thing(tmp_path, steps=steps, headers=(), archives=("thing.c",))
    try:
        built = context(tmp_path / "cache", Programs(act)).build(
            BuildLibrary(library, (), TOOLCHAIN, "x86_64")
        )
        assert built.changed_files == ("thing.c",)
    except ToolError as error:
        found.append(str(error))

    assert seen in found[-1]


def test_source_from_elsewhere_is_the_same_library(tmp_path: Path) -> None:
    """A key names contents: where the tarball is does not matter."""
    library = thing(tmp_path)
    moved = msgspec.structs.replace(
        library, source=msgspec.structs.replace(library.source, origin="auto", folder="/x")
    )

    keys = [BuildLibrary(item, (), TOOLCHAIN, "x86_64").key() for item in (library, moved)]

    assert keys[0] == keys[1]


def test_module_is_compiled_with_its_libraries_headers(tmp_path: Path) -> None:
    """Every source by itself; found headers of the library; the initializer by name."""
    library = BuiltLibrary(
        "SQLite", Source(name="SQLite", version="1", sha256="0"), "blessing", Path("/sqlite/h"),
        (), "k",
    )  # fmt: skip
    runtime = Runtime(
        "x86_64", (), Path("/h"), {}, "key", tmp_path, {"_sqlite3": ("_sqlite/a.c", "_sqlite/b.c")}
    )

    def act(words: list[str], _: dict[str, Any]) -> bytes:
        Path(words[-1]).write_text("object")
        return b""

    programs = Programs(act)
    step = modules.CompileModule(modules.MODULES["_sqlite3"], (library,), runtime, "-Os", TOOLCHAIN)

    built = context(tmp_path / "cache", programs).build(step)

    assert ["_sqlite_a.c.o", "_sqlite_b.c.o"] == [file.name for file in built.objects]
    assert "PyInit__sqlite3" == built.symbol
    for words in programs.calls:
        assert "-DPY_SQLITE_HAVE_SERIALIZE=1" in words
        assert "/sqlite/h" in words


def built(name: str, *names: str) -> BuiltModule:
    every = libraries("x86_64")
    found = tuple(
        BuiltLibrary(n, every[n].source, "MIT", Path(f"/{n}"), (Path(f"/{n}.a"),), n) for n in names
    )
    return BuiltModule(name, f"PyInit_{name}", (Path(f"/{name}.o"),), found)


@pytest.mark.parametrize(
    ("given", "archives", "wraps", "sources"),
    [
        ([], [], [], []),
        ([built("_bz2", "bzip2")], ["/bzip2.a"], [], []),
        ([built("_hashlib", "OpenSSL"), built("_ssl", "OpenSSL")], ["/OpenSSL.a"],
         ["X509_get_default_cert_file"], ["trust.c"]),
        ([built("_ctypes", "libffi")], ["/libffi.a"], [], ["dl.c", "symbols.s"]),
    ],
)  # fmt: skip
def test_only_reached_libraries_are_linked(
    given: list[BuiltModule], archives: list[str], wraps: list[str], sources: list[str]
) -> None:
    """Each archive once; the C that OpenSSL and ctypes need only with them."""
    runtime = Runtime("x86_64", (), Path("/h"), {}, "key")

    found = modules.link_input(given, runtime, TOOLCHAIN)

    assert (archives, wraps, sources) == (
        list(map(str, found.archives)), list(found.wraps), [item.name for item in found.sources]
    )  # fmt: skip
    assert {module.name: module.symbol for module in given} == found.inittab


def archive_of(names: list[str], magic: bytes = archive.MAGIC) -> bytes:
    """The smallest archive with a symbol table, as GNU ar writes it."""
    table = struct.pack(f">I{len(names)}I", len(names), *([0] * len(names)))
    table += b"".join(name.encode() + b"\0" for name in names)
    return (
        magic
        + b"/               0           0     0     0       "
        + (str(len(table)).ljust(10).encode() + b"`\n" + table)
    )


@given(st.lists(st.text(st.characters(codec="ascii", exclude_characters="\0"), min_size=1)))
def test_symbols_of_an_archive(tmp_path: Path, names: list[str]) -> None:
    """Every name of the table, in any number."""
    file = tmp_path / "a.a"
    file.write_bytes(archive_of(names))

    assert set(names) == archive.symbols(file)


@given(st.integers(0, 80), st.binary(max_size=4))
def test_archive_that_is_cut_or_none(tmp_path: Path, length: int, tail: bytes) -> None:
    """One kind of error, whatever is left of it."""
    file = tmp_path / "a.a"
    file.write_bytes(archive_of(["PyList_New", "PyDict_New"])[:length] + tail)

    with pytest.raises(archive.ArchiveError, match=r"a\.a: "):
        archive.symbols(file)


def test_names_that_ctypes_finds(tmp_path: Path) -> None:
    """Python's API and libc; no initializer, which would link its module; nothing internal."""
    python, libc, runtime_of_c = (tmp_path / name for name in ("p.a", "0-libc.a", "compiler_rt.a"))
    python.write_bytes(archive_of(["PyList_New", "PyInit__ssl", "_Py_Dealloc", "XML_Parse"]))
    libc.write_bytes(archive_of(["qsort", "_exit", "__stack_chk_fail"]))
    runtime_of_c.write_bytes(archive_of(["__muloti4", "strlen"]))
    runtime = Runtime("x86_64", (python,), Path("/h"), {}, "key")
    toolchain = msgspec.structs.replace(TOOLCHAIN, libraries=(libc, runtime_of_c))

    found = modules.link_input([built("_ctypes", "libffi")], runtime, toolchain)

    lines = found.sources[1].text.splitlines()
    assert [".quad PyList_New", ".quad _exit", ".quad qsort", ".quad strlen"] == [
        line for line in lines if line.startswith(".quad")
    ]
    assert ".long 4" in lines
