"""Distributions: offers and obstacles by an index's files, and the results of the steps."""

import struct
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from onebin import distributions
from onebin.distributions import captured, install
from onebin.distributions.captured import BuildSystem, CapturedBuild
from onebin.distributions.pure import PureWheel
from onebin.effects.index import IndexFile
from onebin.effects.process import run
from onebin.errors import ProjectError, ToolError
from onebin.inputs.directory import Directory
from onebin.model import (
    CPython,
    Extension,
    Interpreter,
    Obstacle,
    Offer,
    Pin,
    Plan,
    Runtime,
    Toolchain,
)
from onebin.planning import plan as plan_of

from .conftest import Put
from .fakes import Programs, context

PIN = Pin("thing", "1", ())
NEEDS_NOTHING = {"pyproject.toml": "[build-system]\nrequires = []\n"}
TOOLCHAIN = Toolchain(Path("/t/bin"), Path("/t/rcrt1.o"), (), "key")
PYTHON = CPython(
    Interpreter(Path("/python"), Path("/home"), Path("/stdlib"), "x86_64", "3.13", "k"),
    Runtime("x86_64", (), Path("/include"), {}, "k"),
)


@pytest.mark.parametrize(
    ("names", "from_source", "offer"),
    [
        (["thing-1-py3-none-any.whl"], False, ("pure", "thing-1-py3-none-any.whl")),
        (["thing-1-py2.py3-none-any.whl"], False, ("pure", "thing-1-py2.py3-none-any.whl")),
        (["thing-1.tar.gz", "thing-1-py3-none-any.whl"], False,
         ("pure", "thing-1-py3-none-any.whl")),
        (["thing-1.tar.gz", "thing-1-py3-none-any.whl"], True, ("captured", "thing-1.tar.gz")),
        (["thing-1-cp313-cp313-manylinux_2_28_x86_64.whl", "thing-1.tar.gz"], False,
         ("captured", "thing-1.tar.gz")),
        (["thing-1-py2-none-any.whl", "thing-1.tgz"], False, ("captured", "thing-1.tgz")),
        (["no wheel.whl", "thing-1.tar.xz"], False, ("captured", "thing-1.tar.xz")),
        (["thing-1-cp313-cp313-manylinux_2_28_x86_64.whl"], False, None),
        (["thing-1-py3-none-any.whl"], True, None),
        ([], False, None),
    ],
)  # fmt: skip
def test_offer_or_obstacle(
    names: Sequence[str], *, from_source: bool, offer: tuple[str, str] | None
) -> None:
    """A pure wheel if available, else a source distribution, else the reason and a hint."""
    files = [IndexFile(name) for name in names]

    found = distributions.best(PIN, files, from_source=from_source, python="3.13")

    if offer:
        assert Offer(PIN, *offer) == found
    else:
        assert isinstance(found, Obstacle)
        assert "thing 1: expected a pure-Python wheel or a source distribution" in found.reason
        assert all(name in found.reason for name in names)
        assert "choose another version" in found.hint


def project_plan(root: Path, pins: Sequence[Pin], settings: str = "") -> Plan:
    root.mkdir(exist_ok=True)
    names = ", ".join(f'"{pin.name}"' for pin in pins)
    (root / "app.py").write_text("def main(): ...")
    (root / "pyproject.toml").write_text(
        f'[project]\nname = "app"\nscripts = {{ app = "app:main" }}\ndependencies = [{names}]\n'
        f"[tool.onebin]\n{settings}"
    )
    lines = [f"{pin.name}=={pin.version} --hash={pin.hashes[0]}\n" for pin in pins]
    return plan_of(Directory(root).project(), machine="x86_64", lock="".join(lines))


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
    assert 4 == len(programs.calls)  # the source is fetched, for its build requirements
    assert found == distributions.offers(plan, "3.13", ctx)
    assert 5 == len(programs.calls)  # obstacles are not cached: they may disappear
    with pytest.raises(ProjectError, match="shared 1: expected a pure-Python wheel"):
        distributions.distributions(plan, found[1:2], PYTHON, TOOLCHAIN, ctx)
    (made,) = distributions.distributions(plan, found[:1], PYTHON, TOOLCHAIN, ctx)
    assert (made.code / "pure.py").is_file()
    assert ((), ()) == (made.extensions, made.unpinned)


def test_from_source_without_such_a_dependency(put_wheel: Put, tmp_path: Path) -> None:
    """A misspelled name is an error, not a setting without effect."""
    plan = project_plan(tmp_path / "p", [put_wheel("thing")], 'from-source = ["Thong"]')

    with pytest.raises(ProjectError, match="Thong is not among the dependencies") as caught:
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
        "top.so": relocatable("PyInit_top"),
    }
    native = install.Native(("c++", "png"), (Pin("tool", "1", ("x",)),))
    install.wheel(PIN, wheel(tmp_path / "w.whl", files), tmp_path, native)

    made = install.load(PIN, tmp_path)

    assert [("pkg._c", "PyInit_pkg___c"), ("top", "PyInit_top")] == [
        (item.module, item.symbol) for item in made.extensions
    ]
    assert b"PyInit_pkg___c" in made.extensions[0].object.read_bytes()
    assert [] == list(made.code.rglob("*.so"))
    assert (("c++", "png"), native.unpinned) == (made.extensions[0].libraries, made.unpinned)
    assert install.needs_cxx(made.extensions)
    with pytest.raises(ProjectError, match=r"pkg\._c: needs the system library png"):
        install.link_input(made.extensions)


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


def back_end(made: str, *, further: str = "", libraries: str = "") -> Programs:
    """A real pip with a build back end that produces *made*."""

    def act(words: list[str], options: dict[str, Any]) -> bytes:
        if words[0] != "/python":
            return run(words, **options)
        hook, what, _, out = words[3:7]
        assert hook.endswith("build_wheel.py")
        options["on_line"]("building")
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
    tool, later = put_wheel("tool"), put_wheel("later")
    toml = '[build-system]\nrequires = ["tool"]\nbuild-backend = "backend"\nbackend-path = ["."]'
    pin = put_source("thing", **{"pyproject.toml": toml})
    programs = back_end("thing-1-py3-none-any.whl", further="later\n", libraries="c++\nc++\n")

    made = context(tmp_path / "cache", programs).build(captured_build(pin, tool, later))

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
    assert BuildSystem() == captured.build_system(tmp_path, of="thing 1")
    (tmp_path / "pyproject.toml").write_text("[project]\nname = 'thing'")
    assert BuildSystem() == captured.build_system(tmp_path, of="thing 1")


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
        captured.build_system(tmp_path, of="thing 1")


@pytest.mark.parametrize(("optimize", "level"), [("speed", "-O2"), ("balanced", "-Os")])
def test_providers_give_steps(tmp_path: Path, optimize: str, level: str) -> None:
    """Each provider makes its step from an offer and the plan."""
    plan = project_plan(tmp_path / "p", [], f'optimize = "{optimize}"')

    step = captured.Captured().step(Offer(PIN, "captured", "x"), plan, PYTHON, TOOLCHAIN)

    assert (level, PIN, False) == (step.level, step.pin, step.may_be_unpinned)
