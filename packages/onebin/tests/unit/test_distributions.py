"""Distributions: offers and obstacles by an index's files, and the results of the steps."""

import struct
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest

from onebin import distributions
from onebin.distributions import captured, install, modules, source
from onebin.distributions.captured import CapturedBuild
from onebin.distributions.pure import PureWheel
from onebin.distributions.source import BuildSystem
from onebin.effects.context import Context
from onebin.effects.process import run
from onebin.errors import ProjectError, ToolError
from onebin.model import BuiltLibrary, Distribution, Extension, Obstacle, Offer, Pin, Plan, Source

from .conftest import Put
from .fakes import (
    NEEDS_NOTHING,
    PYTHON,
    TOOLCHAIN,
    Programs,
    context,
    no_libraries,
    plain_interpreter,
    project_plan,
)

PIN = Pin("thing", "1", ())


def test_offers_are_known_before_a_build(put_wheel: Put, put_source: Put, tmp_path: Path) -> None:
    """A real pip decides by file names; the result is kept, so the next plan needs no index."""
    pure, source = put_wheel("pure"), put_source("source", **NEEDS_NOTHING)
    shared = put_wheel("shared", tag="cp313-cp313-manylinux_2_28_x86_64")
    programs = Programs(lambda words, options: run(words, **options))
    ctx = context(tmp_path / "cache", programs)
    plan = project_plan(tmp_path / "project", [pure, source, shared])

    found = distributions.offers(plan, "3.13", ctx)

    assert ["pure", "Obstacle", "captured"] == [
        getattr(item, "provider", type(item).__name__) for item in found
    ]
    # The wheel and the source are fetched: what one loads, what the other is built with.
    assert 4 == len(programs.calls)
    assert found == distributions.offers(plan, "3.13", ctx)
    # A folder has no hashes: the files behind the obstacle may be others now.
    assert 5 == len(programs.calls)
    with pytest.raises(ProjectError, match="shared 1: expected a pure-Python wheel"):
        built(plan, found[1:2], ctx)
    (made,) = built(plan, found[:1], ctx)
    assert (made.code / "pure.py").is_file()
    assert ((), ()) == (made.extensions, made.unpinned)


def built(plan: Plan, offers: Sequence[Offer | Obstacle], ctx: Context) -> Sequence[Distribution]:
    """Return what a build makes of *offers*."""
    make = distributions.maker(plan, PYTHON, TOOLCHAIN, no_libraries, plain_interpreter, ctx)
    return distributions.distributions(plan, offers, make, ctx)


@pytest.mark.parametrize("key", ["from-source", "pure"])
def test_form_of_no_dependency(put_wheel: Put, tmp_path: Path, key: str) -> None:
    """A misspelled name is an error, not a setting without effect."""
    plan = project_plan(tmp_path / "p", [put_wheel("thing")], f'{key} = ["Thong"]')

    with pytest.raises(ProjectError, match=f"{key}: Thong is not among the dep") as caught:
        distributions.offers(plan, "3.13", context(tmp_path / "cache"))
    assert "known are thing" == caught.value.hint


def test_missing_wheel(put_wheel: Put, shelf: Path, tmp_path: Path) -> None:
    """The index may change between plan and build."""
    pin = put_wheel("thing")
    for file in shelf.iterdir():
        file.unlink()
    ctx = context(tmp_path / "cache", run)

    with pytest.raises(ProjectError, match="no pure-Python wheel any more"):
        ctx.build(PureWheel(pin, "3.13"))
    with pytest.raises(ProjectError, match="no source distribution any more"):
        ctx.build(captured_build(pin))


def captured_build(pin: Pin, *build_pins: Pin) -> CapturedBuild:
    return CapturedBuild(
        pin=pin, build_pins=build_pins, may_be_unpinned=False, level="-Os",
        interpreter=PYTHON.interpreter, runtime=PYTHON.runtime, toolchain=TOOLCHAIN,
        machine="x86_64",
    )  # fmt: skip


def relocatable(name: str) -> bytes:
    """A relocatable object of one section and one global symbol *name* (ELF64, x86-64)."""
    strings = b"\0" + name.encode() + b"\0"
    symbols = bytes(24) + struct.pack("<IBBHQQ", 1, 0x12, 0, 1, 0, 0)
    text, at = b"\xc3", 64
    rows = [bytes(64)]
    body = b""
    for kind, data, link, info, size in ((1, text, 0, 0, 0), (2, symbols, 3, 1, 24),
                                         (3, strings, 0, 0, 0)):  # fmt: skip
        fields = (0, kind, 0, 0, at + len(body), len(data), link, info, 1, size)
        rows.append(struct.pack("<IIQQQQIIQQ", *fields))
        body += data
    head = struct.pack(
        "<16sHHIQQQIHHHHHH", b"\x7fELF\x02\x01\x01" + bytes(9), 1, 62, 1, 0, 0, at + len(body),
        0, 64, 0, 0, 64, len(rows), 0,
    )  # fmt: skip
    return head + body + b"".join(rows)


def wheel(path: Path, files: Mapping[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return path


def test_captured_objects_become_extensions(tmp_path: Path) -> None:
    """By dotted name, each with a unique symbol; the code stays, the object goes."""
    files = {
        "pkg/__init__.py": b"",
        "pkg/_c.cpython-313-x86_64-linux-musl.so": relocatable("PyInit__c"),
        "pkg/__init__.cpython-313-x86_64-linux-musl.so": relocatable("PyInit_pkg"),
        "0f__mypyc.so": relocatable("PyInit_0f__mypyc"),
        "top.so": relocatable("PyInit_top"),
    }
    native = install.Native(("c++", "png"), (Pin("tool", "1", ("x",)),))
    install.wheel(PIN, wheel(tmp_path / "w.whl", files), tmp_path, native)

    made = install.load(PIN, tmp_path)

    assert [
        ("0f__mypyc", "PyInit_0f__mypyc"), ("pkg._c", "PyInit_pkg___c"), ("top", "PyInit_top")
    ] == [(item.module, item.symbol) for item in made.extensions]  # fmt: skip
    assert b"PyInit_pkg___c" in made.extensions[1].object.read_bytes()
    assert [] == list(made.code.rglob("*.so"))
    assert (("c++", "png"), native.unpinned) == (made.extensions[0].libraries, made.unpinned)
    assert install.needs_cxx(made.extensions)
    with pytest.raises(ProjectError, match="1: its C module 0f__mypyc needs the system library"):
        install.link_input(made.extensions)


DATA = ("x.sort.js", "icons/a.solid.svg", "bun.solver.lib.js", "b.so.txt", ".sold", "c.so.1.map")


def test_files_whose_names_resemble_a_shared_object_stay(tmp_path: Path) -> None:
    """They are data; nothing of them is loaded."""
    install.wheel(PIN, wheel(tmp_path / "w.whl", dict.fromkeys(DATA, b"text")), tmp_path)

    made = install.load(PIN, tmp_path)

    assert () == made.extensions
    assert sorted(DATA) == sorted(
        str(file.relative_to(made.code)) for file in made.code.rglob("*") if file.is_file()
    )


def built_library(name: str) -> BuiltLibrary:
    pinned = Source(name=name, version="1", sha256="0" * 64)
    return BuiltLibrary(name, pinned, "MIT", Path("/h"), (Path(f"/{name}.a"),), name)


def test_libraries_of_extensions_are_linked_once() -> None:
    """What an extension names with -l must be there for this very one."""
    yaml = built_library("LibYAML")
    with_it = Extension("a", Path("/a.o"), "PyInit_a", ("yaml", "z"), (yaml,))
    other = Extension("b", Path("/b.o"), "PyInit_b", ("yaml",), (yaml,))

    assert (Path("/LibYAML.a"),) == install.link_input([with_it, other]).archives
    for built in ((), (built_library("libffi"),)):
        without = msgspec.structs.replace(with_it, built=built)
        with pytest.raises(ProjectError, match="C module a needs the system library yaml"):
            install.link_input([other, without])


def test_extensions_for_the_linker() -> None:
    """Objects in order, and their modules; C++'s own library is allowed."""
    extensions = [
        Extension("b", Path("/b.o"), "PyInit_b"), Extension("a", Path("/a.o"), "PyInit_a", ("c++",))
    ]  # fmt: skip

    parts = install.link_input(extensions)

    assert (Path("/b.o"), Path("/a.o")) == parts.objects
    assert {"a": "PyInit_a", "b": "PyInit_b"} == parts.inittab
    assert not install.needs_cxx(extensions[:1])


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"pkg/x.so": b"\x7fELF\x02\x01\x01" + bytes(200)}, r"the shared object pkg/x\.so"),
        ({"x.so.1": b"text"}, r"contains the shared object x\.so\.1"),
        ({"libx.y.so.1.2.30": b"text"}, r"contains the shared object libx\.y\.so\.1\.2\.30"),
        ({"bad-name.so": relocatable("PyInit_x")}, "is not a module's name"),
        ({"x.so": relocatable("PyInit_other")}, "thing 1, x: .*PyInit_x"),
    ],
)
def test_wheel_that_cannot_be_linked(
    tmp_path: Path, files: Mapping[str, bytes], message: str
) -> None:
    """A shared object, and an object without a module, are named in the error."""
    with pytest.raises(ProjectError, match=message):
        install.wheel(PIN, wheel(tmp_path / "w.whl", files), tmp_path)


def back_end(
    made: str, *, further: str = "", libraries: str = "", has_program: bool = False
) -> Programs:
    """A real pip with a build back end that produces *made*."""

    def act(words: list[str], options: dict[str, Any]) -> bytes:
        if words[0] != "/python":
            return run(words, **options)
        hook, what, _, out = words[3:7]
        assert hook.endswith("build_wheel.py")
        options["on_line"]('warning: build_ext: building extension "pkg._d" failed: cc')
        assert (Path(options["env"]["PATH"].partition(":")[0]) / "tool").exists() is has_program
        result = Path(out, "result")
        result.write_text(further if what == "requires" else f"{made}\n")
        if what == "wheel" and made == "thing-1-py3-none-any.whl":
            wheel(Path(out, made), {"thing.py": b"", "_c.so": relocatable("PyInit__c")})
            if libraries:
                Path(options["env"]["ONEBIN_LIBRARIES"]).write_text(libraries)
        return b""

    return Programs(act)


def test_source_is_built_by_its_back_end(put_wheel: Put, put_source: Put, tmp_path: Path) -> None:
    """Static and dynamic requirements, libraries, and an isolated environment."""
    program = {"tool-1.data/scripts/tool": "#!python\n"}
    tool, later = put_wheel("tool", more=program), put_wheel("later")
    toml = '[build-system]\nrequires = ["tool"]\nbuild-backend = "backend"\nbackend-path = ["."]'
    pin = put_source("thing", **{"pyproject.toml": toml})
    programs = back_end(
        "thing-1-py3-none-any.whl", further="later\n", has_program=True,
        libraries="_c.so c++\n_c.so c++\nconftest.so none\n",
    )  # fmt: skip

    made = context(tmp_path / "cache", programs).build(captured_build(pin, tool, later))

    assert ("pkg._d",) == made.lost
    assert [("_c", ("c++",))] == [(item.module, item.libraries) for item in made.extensions]
    assert () == made.unpinned
    calls = [words for words in programs.calls if words[0] == "/python"]
    assert ["requires", "wheel"] == [words[4] for words in calls]
    assert ["backend", "."] == calls[0][-2:]


@pytest.mark.parametrize("made", ["", "/etc/passwd", "../x.whl", "thing.tar.gz"])
def test_build_that_makes_no_wheel(
    put_wheel: Put, put_source: Put, tmp_path: Path, made: str
) -> None:
    """The back end returns a file's name; anything else is an error."""
    pin = put_source("thing", **{"setup.py": ""})

    with pytest.raises(ProjectError, match="expected a wheel"):
        context(tmp_path / "cache", back_end(made)).build(
            captured_build(pin, put_wheel("setuptools"))
        )


def test_build_that_fails(put_wheel: Put, put_source: Put, tmp_path: Path) -> None:
    """The error names the distribution and has the back end's output."""
    pin = put_source("thing", **{"setup.py": ""})

    def act(words: list[str], options: dict[str, Any]) -> bytes:
        if words[0] == "/python":
            raise ToolError("python ended with status 1", detail="error: x.c")
        return run(words, **options)

    with pytest.raises(ToolError, match="thing 1: does not build") as caught:
        context(tmp_path / "cache", Programs(act)).build(
            captured_build(pin, put_wheel("setuptools"))
        )
    assert "error: x.c" == caught.value.detail


def test_default_build_system(tmp_path: Path) -> None:
    """A tree with only setup.py is built by setuptools (PEP 517)."""
    assert BuildSystem() == source.build_system(tmp_path, of="thing 1")
    (tmp_path / "pyproject.toml").write_text("[project]\nname = 'thing'")
    assert BuildSystem() == source.build_system(tmp_path, of="thing 1")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[build-system]\nrequires = 1", "cannot be read"),
        ("[", "cannot be read"),
        ('[build-system]\nbuild-backend = "a b"', "is not an object's name"),
        ('[build-system]\nbuild-backend = "x"\nbackend-path = ["../x"]', "backend-path"),
    ],
)
def test_invalid_build_system(tmp_path: Path, text: str, message: str) -> None:
    """Its texts become code and paths: each is valid, or refused."""
    (tmp_path / "pyproject.toml").write_text(text)

    with pytest.raises(ProjectError, match=message):
        source.build_system(tmp_path, of="thing 1")


@pytest.mark.parametrize(("optimize", "level"), [("speed", "-O2"), ("balanced", "-Os")])
def test_providers_give_steps(tmp_path: Path, optimize: str, level: str) -> None:
    """Each provider makes its step from an offer and the plan."""
    plan = project_plan(tmp_path / "p", [], f'optimize = "{optimize}"')

    step = captured.Captured().step(Offer(PIN, "captured", "x"), plan, PYTHON, TOOLCHAIN, (), ())

    assert (level, PIN, False) == (step.level, step.pin, step.may_be_unpinned)


@pytest.mark.parametrize(
    ("file", "text", "name"),
    [
        ("setup.py", 'setup(ext_modules=[Extension(\n    "_fast", ["src/fast.c"])])', "_fast"),
        ("setup.py", "CUDAExtension(name='_fast.inner')", "_fast"),
        ("setup.py", '{"name": "_fast"}', "_fast"),
        ("pyproject.toml", '[[tool.setuptools.ext-modules]]\nname = "_fast"', "_fast"),
        ("a/meson.build", "py.extension_module('_fast', 'fast.c')", "_fast"),
        ("CMakeLists.txt", "Python_add_library(_fast MODULE fast.c)", "_fast"),
        ("a/CMakeLists.txt", "pybind11_add_module(_fast fast.cc)", "_fast"),
        ("src/_fast.c", "", "_fast"),
        ("README.md", 'Extension("_fast")', ""),
    ],
)
def test_names_of_a_source(tmp_path: Path, file: str, text: str, name: str) -> None:
    """Its files, and the extensions that its build makes of files with other names."""
    (tmp_path / file).parent.mkdir(exist_ok=True)
    (tmp_path / file).write_text(text)

    assert ("_fast" in modules.names_in(tmp_path)) is bool(name)


@pytest.mark.parametrize(
    ("files", "names"),
    [
        (["src/app/a.py"], {"app", "a"}),
        (["src/__init__.py", "src/a.py"], {"src", "a", "__init__"}),
        (["src/lib.c"], {"lib"}),
    ],
)
def test_a_folder_of_modules_is_none_itself(
    tmp_path: Path, files: list[str], names: set[str]
) -> None:
    """No program can import src, unless it is a package."""
    for name in files:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("")

    assert names == {*modules.names_in(tmp_path)}
