"""Offers, at plan time: sources that cannot be built, compiled code that will be missing."""

import io
import os
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest

from onebin import distributions, render
from onebin.distributions import missing_libraries, obstacles, source, system_libraries
from onebin.distributions.build_tools import SETTING
from onebin.effects.context import Context
from onebin.effects.process import run
from onebin.effects.wheel_tags import is_compiled
from onebin.errors import ProjectError
from onebin.locks import requirements, resolving
from onebin.model import Distribution, Machine, Obstacle, Offer, Pin, Plan
from onebin.planning import plan as plan_of
from onebin.runtime import modules
from onebin.runtime.libraries import libraries

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


def built(plan: Plan, offers: Sequence[Offer | Obstacle], ctx: Context) -> Sequence[Distribution]:
    """Return what a build makes of *offers*."""
    return distributions.distributions(
        plan, offers, PYTHON, TOOLCHAIN, no_libraries, plain_interpreter, ctx
    )


@pytest.mark.parametrize(
    ("tag", "is_one"),
    [
        ("cp313-cp313-manylinux_2_28_x86_64", True),
        ("cp313-cp313-manylinux2014_x86_64.manylinux_2_17_x86_64", True),
        ("cp313-cp313-musllinux_1_2_x86_64", True),
        ("cp313-cp313-linux_x86_64", True),
        ("cp310-abi3-manylinux_2_28_x86_64", True),
        ("cp313-none-any", False),
        ("cp313-cp313t-manylinux_2_28_x86_64", False),
        ("cp312-cp312-manylinux_2_28_x86_64", False),
        ("cp314-abi3-manylinux_2_28_x86_64", False),
        ("cp313-cp313-manylinux_2_28_aarch64", False),
        ("cp313-cp313-macosx_11_0_x86_64", False),
        ("cp313-cp313-win_amd64", False),
        ("py3-none-any", False),
        ("cp313", False),
    ],
)
def test_wheel_with_compiled_code_for_this_platform(tag: str, *, is_one: bool) -> None:
    """The tags decide: interpreter, ABI, system and processor."""
    assert is_one is is_compiled(f"thing-1-{tag}.whl", "3.13", "x86_64")


PROGRAM = "py3-none-manylinux_2_28_x86_64"
COMPILED = "cp313-cp313-manylinux_2_28_x86_64"
RUST = {"pyproject.toml": '[build-system]\nrequires = ["maturin>=1"]\n'}
HUGE = {f"third_party/src/{n}.cc": "" for n in range(300)}
FLIT = {"pyproject.toml": '[build-system]\nrequires = []\nbuild-backend = "flit_core.buildapi"\n'}


@pytest.mark.sample(every=3)
@pytest.mark.parametrize(
    ("files", "settings", "outcome"),
    [
        ("pure", "", "pure"),
        ("source", "", "captured"),
        ("compiled", "", "expected a pure-Python wheel or a source distribution"),
        ("pure source", "", "pure"),
        ("pure source", 'from-source = ["Thing"]', "captured"),
        ("pure", 'from-source = ["thing"]', "expected a pure-Python wheel or a source"),
        ("compiled source", "", "captured"),
        ("compiled source", 'pure = ["thing"]', "captured"),
        ("compiled pure source", "", "captured"),
        ("compiled pure source", 'pure = ["Thing"]', "pure"),
        ("compiled pure", "", "pure: the index has no source distribution"),
        ("compiled pure unlocked", "", "pure: the index's file is not one the lock knows"),
        ("compiled pure rust", "", "pure: its build needs a Rust compiler (maturin)"),
        ("compiled pure rust", 'pure = ["thing"]', "pure"),
        ("compiled pure rust", 'from-source = ["thing"]', "needs a Rust compiler (maturin)"),
        ("compiled rust", "", "needs a Rust compiler (maturin)"),
        ("compiled pure flit", "", "pure: its source distribution is built without the compiled"),
        ("compiled pure flit", 'pure = ["thing"]', "pure"),
        ("compiled flit", "", "its source distribution is built without the compiled code"),
        ("compiled flit", 'pure = ["thing"]', "captured"),
        ("pure flit", 'from-source = ["thing"]', "captured"),
        ("program source", "", "its wheels bring programs, or shared libraries"),
        ("program source", 'from-source = ["thing"]', "captured"),
        ("program pure", "", "pure: its wheels bring programs, or shared libraries"),
        ("program pure", 'pure = ["thing"]', "pure"),
        ("program compiled source", "", "captured"),
        ("plain source", "", "captured"),
        ("plain pure", "", "pure"),
        ("plain", "", "expected a pure-Python wheel or a source distribution"),
        ("compiled huge", "", "its C and C++ code would be compiled for about 15 minutes"),
        ("compiled huge", 'from-source = ["thing"]', "captured"),
        ("compiled pure huge", "", "pure: its C and C++ code would be compiled for about 15"),
    ],
)
def test_form_of_a_distribution(
    put_wheel: Put, put_source: Put, tmp_path: Path, files: str, settings: str, outcome: str
) -> None:
    """As pip would install it, compiled from source, unless that cannot be or is not wanted."""
    makers = {
        "pure": lambda: put_wheel("thing"),
        "compiled": lambda: put_wheel("thing", tag=COMPILED),
        "program": lambda: put_wheel("thing", tag=PROGRAM, more={"bin/thing": "\x7fELF"}),
        "plain": lambda: put_wheel("thing", tag=PROGRAM),
        "source": lambda: put_source("thing", **NEEDS_NOTHING),
        "unlocked": lambda: put_source("thing", **NEEDS_NOTHING),
        "rust": lambda: put_source("thing", **RUST),
        "flit": lambda: put_source("thing", **FLIT),
        "huge": lambda: put_source("thing", **NEEDS_NOTHING | HUGE),
    }
    pins = {name: makers[name]() for name in files.split()}
    hashes = [item for name, pin in pins.items() if name != "unlocked" for item in pin.hashes]
    pin = Pin("thing", "1", tuple(hashes))
    plan = project_plan(tmp_path / "project", [pin], settings)

    (found,) = distributions.offers(plan, "3.13", context(tmp_path / "cache", run))

    if isinstance(found, Obstacle):
        assert outcome in found.reason
        assert found.hint
        return
    provider, _, lacks = outcome.partition(": ")
    assert provider == found.provider
    has_more = "compiled" in files or bool(lacks)
    assert has_more is found.has_compiled
    assert lacks in found.lacks if lacks else not found.lacks
    lines = render.plan(msgspec.structs.replace(plan, offers=(found,))).splitlines()
    (line,) = (line for line in lines if line.startswith("thing "))
    assert (provider == "pure" and found.has_compiled) is ("without the compiled code" in line)


def test_build_warns_of_missing_compiled_code(put_wheel: Put, tmp_path: Path) -> None:
    """A line with reason and remedy, each time."""
    put_wheel("thing", tag=COMPILED)
    plan = project_plan(tmp_path / "project", [put_wheel("thing")])
    log = io.StringIO()
    ctx = context(tmp_path / "cache", run, log)
    offers = distributions.offers(plan, "3.13", ctx)

    for _ in range(2):
        built(plan, offers, ctx)

    assert 2 == log.getvalue().count("thing 1: without the compiled code")
    assert 2 == log.getvalue().count('tool.onebin.pure = ["thing"]')
    assert 2 == log.getvalue().count("the index has no source distribution")


@pytest.mark.parametrize("settings", ["", 'pure = ["thing"]'])
def test_build_that_leaves_compiled_code_out(
    put_wheel: Put, put_source: Put, tmp_path: Path, settings: str
) -> None:
    """An error with the setting that accepts it, and none with that setting."""
    put_wheel("thing", tag=COMPILED)
    pin = put_source("thing", **NEEDS_NOTHING)
    plan = project_plan(tmp_path / "project", [pin], settings)

    def act(words: list[str], options: dict[str, Any]) -> bytes:
        if words[0] != str(PYTHON.interpreter.python):
            return run(words, **options)
        what, _, out = words[4:7]
        Path(out, "result").write_text("" if what == "requires" else "thing-1-py3-none-any.whl\n")
        with zipfile.ZipFile(Path(out, "thing-1-py3-none-any.whl"), "w") as archive:
            archive.writestr("thing.py", "")
        return b""

    ctx = context(tmp_path / "cache", Programs(act))
    offers = distributions.offers(plan, "3.13", ctx)

    if settings:
        (made,) = built(plan, offers, ctx)
        assert () == made.extensions
        return
    with pytest.raises(ProjectError, match="thing 1: its build leaves out compiled code") as caught:
        built(plan, offers, ctx)
    assert 'tool.onebin.pure = ["thing"]' in caught.value.hint


INCLUDES = [
    ("#include <yaml.h>", {"LibYAML"}),
    ('#  include "ffi.h"', {"libffi"}),
    ('cdef extern from "libxml/tree.h":', {"libxml2"}),
    ("cdef extern from '<zlib.h>' nogil:", {"zlib"}),
    ("#include <openssl/ssl.h>\n#include <bzlib.h>", {"OpenSSL", "bzip2"}),
    ("#include <my/yaml.h>\n#include <yaml.hpp>\n#include <notyaml.h>", set()),
    ("// yaml.h", set()),
]


@pytest.mark.parametrize("name", ["a.c", "deep/er/a.pyx", "a.hpp", "a.txt"])
@pytest.mark.parametrize(("text", "libraries"), INCLUDES)
def test_libraries_of_a_source(tmp_path: Path, name: str, text: str, libraries: set[str]) -> None:
    """A library is wanted where its header is included, in C, C++ or Cython."""
    (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / name).write_text(text)

    expected = set() if name.endswith(".txt") else libraries
    assert tuple(sorted(expected)) == system_libraries.wanted(tmp_path)


def test_bundled_library_is_not_wanted(tmp_path: Path) -> None:
    """A folder of its headers is the library; a single header may be for another system."""
    (tmp_path / "a.c").write_text("#include <openssl/ssl.h>\n#include <ffi.h>\n")
    for name in ("third_party/include/openssl/ssl.h", "windows/ffi.h"):
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).touch()

    assert ("libffi",) == system_libraries.wanted(tmp_path)


@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
def test_every_library_of_a_header_has_a_recipe(machine: Machine) -> None:
    """Two tables of two rooms: the names are the same, needs come behind what needs them."""
    named = {*system_libraries.HEADERS.values(), *system_libraries.LINKED.values()}

    assert set() == named - set(libraries(machine))
    order = modules.with_needs(sorted(named), machine)
    assert named == set(order)
    for name in order:
        assert all(order.index(need) > order.index(name) for need in libraries(machine)[name].needs)


@pytest.mark.parametrize(
    ("setup", "expected"),
    [
        ('os.getenv("THING_USE_CYTHON") == "1"', {"THING_USE_CYTHON": "1"}),
        ("os.environ.get('TOMLI_USE_MYPYC', '0')", {"TOMLI_USE_MYPYC": "1"}),
        ('os.environ["BUILD_EXTENSION"]', {"BUILD_EXTENSION": "1"}),
        ('environ.get(\n    "A_USE_PGO", "1")', {"A_USE_PGO": "0"}),
        ('os.environ.get("THING_NO_EXTENSIONS")', {}),
        ('os.environ.get("USE_SYSTEM_DEPS"), os.environ.get("PATH")', {}),
        ('print("THING_USE_CYTHON")', {}),
    ],
)
@pytest.mark.parametrize("file", ["setup.py", "hooks/backend.py"])
def test_variables_that_switch_compiling_on(
    tmp_path: Path, file: str, setup: str, expected: dict[str, str]
) -> None:
    """setup.py and a back end in the tree read them; other modules' are none of the build."""
    for name, text in ((file, setup), ("thing.py", 'os.getenv("OTHER_USE_CYTHON")')):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)

    system = source.BuildSystem(backend_path=("hooks",))
    assert expected == source.switches(tmp_path, system)


@pytest.mark.parametrize(("value", "is_idle"), [("false", True), ("true", False)])
def test_hook_that_is_idle_by_default(tmp_path: Path, value: str, *, is_idle: bool) -> None:
    """Hatchling runs it on request alone, as for the authors' wheels."""
    hook = "[tool.hatch.build.targets.wheel.hooks.mypyc]\nenable-by-default = "
    (tmp_path / "pyproject.toml").write_text(hook + value)

    assert is_idle is (
        "HATCH_BUILD_HOOKS_ENABLE" in source.switches(tmp_path, source.BuildSystem())
    )


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("if.env.THING_BUILD_EXTENSION = true", {"THING_BUILD_EXTENSION": "1"}),
        ("if.any.env.THING_BUILD_EXTENSION = true", {"THING_BUILD_EXTENSION": "1"}),
        ("if.any.env.CIBUILDWHEEL = true", {}),
        ("if.any.cmake-wheel = true", {}),
        ("if = 1", {}),
    ],
)
def test_override_of_scikit_build(tmp_path: Path, condition: str, expected: dict[str, str]) -> None:
    """A build that CMake makes on request alone is requested by the variable that it names."""
    text = f"[[tool.scikit-build.overrides]]\n{condition}\nwheel.cmake = true\n"
    (tmp_path / "pyproject.toml").write_text(text)

    assert expected == source.switches(tmp_path, source.BuildSystem())


def test_requirements_of_hooks(tmp_path: Path) -> None:
    """Hatchling requests them while it runs; the plan knows them by its table."""
    (tmp_path / "pyproject.toml").write_text(
        "[tool.hatch.build.hooks.a]\ndependencies = ['x', 1]\n"
        "[tool.hatch.build.targets.wheel.hooks.b]\ndependencies = ['y']\n"
        "[tool.hatch.build.targets.wheel.hooks.c]\ndependencies = 'z'\n"
    )
    hatchling = source.BuildSystem(("hatchling",), "hatchling.build")

    assert ("hatchling", "x", "y") == source.requirements(tmp_path, hatchling)
    assert ("setuptools",) == source.requirements(tmp_path, source.BuildSystem())


@pytest.mark.sample(every=3)
@pytest.mark.parametrize(
    ("system", "settings", "reason", "hint"),
    [
        ('requires = ["tool"]', "", "its build needs tool, which no build lock pins", SETTING),
        ('requires = ["tool"]', f"{SETTING} = true", "", ""),
        ('requires = ["absent"]', f"{SETTING} = true", "its build needs absent", "another version"),
        ('requires = ["shared"]', f"{SETTING} = true", "its build needs shared", "another version"),
        ('requires = ["own"]', f"{SETTING} = true", "", ""),
        (
            'requires = ["rusty"]',
            f"{SETTING} = true",
            "its build needs rusty 1: its build needs a Rust compiler",
            "Rust",
        ),
        (
            'requires = ["thing"]',
            f"{SETTING} = true",
            "needs itself (thing -> thing)",
            "pure-Python",
        ),
        ('requires = ["program"]', f"{SETTING} = true", "", ""),
        ('requires = ["setuptools_rust>=1"]', "", "a Rust compiler (setuptools-rust)", "Rust"),
        ('requires = []\nbuild-backend = "maturin"', "", "a Rust compiler (maturin)", "Rust"),
        ('requires = ["tool @ file:///a"]', f"{SETTING} = true", "its build requirements", ""),
        ('requires = "tool"', "", "its pyproject.toml cannot be read", ""),
        ('requires = []\nbuild-backend = "a b"', "", "is not an object's name", ""),
    ],
)
def test_source_that_cannot_be_built_is_an_obstacle(
    system: str, settings: str, reason: str, hint: str,
    put_wheel: Put, put_source: Put, tmp_path: Path,
) -> None:  # fmt: skip
    """The plan knows by the source's own file, before anything is compiled."""
    put_wheel("tool")
    put_wheel("shared", tag="cp313-cp313-manylinux_2_28_x86_64")
    put_wheel("program", tag=f"py3-none-manylinux_2_17_{os.uname().machine}")
    for name, files in (("own", NEEDS_NOTHING), ("rusty", RUST)):
        put_wheel(name, tag=COMPILED)
        put_source(name, **files)
    put_wheel("thing", tag=COMPILED)
    pin = put_source("thing", **{"pyproject.toml": f"[build-system]\n{system}\n"})
    plan = project_plan(tmp_path / "project", [pin], settings.replace("tool.onebin.", ""))

    (found,) = distributions.offers(plan, "3.13", context(tmp_path / "cache", run))

    if not reason:
        assert isinstance(found, Offer)
        from_source = ["own"] if "own" in system else []
        assert from_source == [item.pin.name for item in found.build_sources]
        return
    assert isinstance(found, Obstacle)
    assert found.reason.startswith("thing 1: ")
    assert reason in found.reason
    assert hint in found.hint


def test_build_requirements_are_pinned_by_the_first_build(
    put_wheel: Put, put_source: Put, tmp_path: Path
) -> None:
    """The index chooses what no lock pins; the lock then keeps it, each build by its own need."""
    ctx = context(tmp_path / "cache", run)
    for version in ("1", "2"):
        put_wheel("tool", version=version)
    old = put_source("old", **{"pyproject.toml": '[build-system]\nrequires = ["tool<2"]\n'})
    new = put_source("new", **{"pyproject.toml": '[build-system]\nrequires = ["tool"]\n'})
    root = tmp_path / "project"
    planned = written_plan(root, [old, new], "")

    offered = msgspec.structs.replace(planned, offers=distributions.offers(planned, "3.13", ctx))
    pinned = resolving.pin_build_requirements(offered, offered.new_build_pins, ctx)

    assert ["tool 1", "tool 2"] == [str(pin) for pin in pinned.build_pins]
    text = (root / "onebin-build.lock").read_text("utf-8")
    again = written_plan(root, [old, new], text)
    assert pinned.build_pins == again.build_pins
    put_wheel("tool", version="3")
    offers = distributions.offers(again, "3.13", ctx)
    used = [str(pin) for item in offers if isinstance(item, Offer) for pin in item.build_requires]
    assert ["tool 2", "tool 1"] == used
    assert () == msgspec.structs.replace(again, offers=offers).new_build_pins
    assert pinned is resolving.pin_build_requirements(pinned, pinned.build_pins, ctx)


def written_plan(root: Path, pins: Sequence[Pin], text: str) -> Plan:
    """Return the plan of a project whose build lock onebin writes; it has *text*."""
    planned = project_plan(root, pins)
    lock = "".join(f"{requirements.line(pin)}\n" for pin in pins)
    return plan_of(
        planned.project, machine="x86_64", lock=lock, build_lock=text,
        written_build_lock="onebin-build.lock",
    )  # fmt: skip


CURL = {"setup.py": "libraries=['curl']"}

OWN = "setup(ext_modules=[Extension('a._c', [])])"

SOURCES = [
    ({"a.c": "#include <libpq-fe.h>", "setup.py": "pg_config"}, "PostgreSQL's libpq"),
    ({"a.h": "#ifndef A_H\n#define A_H\n#include <ldap.h>\n#endif", "x.cfg": "ldap"}, "OpenLDAP"),
    ({"a.pyx": "cdef extern from 'gmp.h':", "meson.build": "GMP"}, "GMP"),
    ({"a.c": "#include <curl/curl.h>\n", **CURL}, "libcurl"),
    ({"a.c": "#include <curl/curl.h>\n"}, ""),
    ({"a.c": "#ifdef HAVE_CURL\n#include <curl/curl.h>\n#endif\n", **CURL}, ""),
    ({"a.c": "#if 1\n#if 1\n#endif\n#include <curl/curl.h>\n#endif\n", **CURL}, ""),
    ({"a.c": "#include <curl/curl.h>\n", "deps/include/curl/curl.h": "", **CURL}, ""),
    ({"tests/a.c": "#include <curl/curl.h>\n", **CURL}, ""),
    ({"deps/x/test cases/1/a.c": "#include <curl/curl.h>\n", **CURL}, ""),
    ({"deps/x/setup.py": "", "deps/x/src/a.c": "#include <curl/curl.h>\n", **CURL}, ""),
    ({"src/a.c": "#include <curl/curl.h>\n", **CURL}, "libcurl"),
    ({"meson.build": "project('thing', 'c',\n  'fortran',\n)"}, "Fortran compiler"),
    ({"meson.build": "project('thing', 'c')\nadd_languages('fortran', native: false)"}, "Fortran"),
    ({"meson.build": "project('x')\nadd_languages('fortran', required: false)"}, ""),
    ({"CMakeLists.txt": "project(thing LANGUAGES C Fortran)"}, "Fortran compiler"),
    ({"CMakeLists.txt": "project(thing LANGUAGES C)\n# Fortran"}, ""),
    ({"setup.py": OWN, "lib/l.py": "ffi.dlopen(s)", "lib/x.py": "load_raw('a._c')"}, "x.py loads"),
    ({"setup.py": OWN, "lib/l.py": "ffi.dlopen(s)", "lib/x.py": "load_raw('b')"}, ""),
    ({"setup.py": OWN, "lib/l.py": "", "lib/x.py": "load_raw('a._c')"}, ""),
    ({"setup.py": OWN, "lib/l.py": "CDLL(s)", "tests/x.py": "load_raw('a._c')"}, ""),
    ({"lib/l.py": "CDLL(s)", "lib/x.py": "load_raw('a._c')"}, ""),
]  # fmt: skip


@pytest.mark.parametrize(("files", "reason"), SOURCES)
def test_source_that_rules_a_static_executable_out(
    tmp_path: Path, files: dict[str, str], reason: str
) -> None:
    """What every build of it needs; a condition, a copy in the tree and tests are none of that."""
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)

    found = obstacles.of_source(Pin("thing", "1", ()), tmp_path, source.BuildSystem())

    if not reason:
        assert found is None
        return
    assert found is not None
    assert reason in found.reason
    assert found.hint


BACK_ENDS = [
    ('build-backend = "flit_core.buildapi"', "", (), False),
    ('build-backend = "uv_build"', "", (), False),
    ('build-backend = "hatchling.build"', "", (), False),
    ('build-backend = "hatchling.build"', "[tool.hatch.build.hooks.custom]", (), True),
    ('build-backend = "hatchling.build"', "[tool.hatch.build.targets.wheel.hooks.x]", (), True),
    ('build-backend = "poetry.core.masonry.api"', "", (), False),
    ('build-backend = "poetry.core.masonry.api"', '[tool.poetry]\nbuild = "b.py"', (), True),
    ('build-backend = "pdm.backend"', "", (), False),
    ('build-backend = "pdm.backend"', "[tool.pdm.build]\nrun-setuptools = true", (), True),
    ('build-backend = "pdm.backend"', "", ("pdm_build.py",), True),
    ('requires = ["setuptools"]', "", ("setup.py",), True),
    ('requires = ["setuptools", "wheel"]', "", (), False),
    ('requires = ["setuptools", "mypy"]', "", (), True),
    ('requires = ["setuptools"]', '[[tool.setuptools.ext-modules]]\nname = "x"', (), True),
    ('build-backend = "mesonpy"', "", (), True),
    ('build-backend = "own"\nbackend-path = ["."]', "", (), True),
]


@pytest.mark.parametrize(("system", "tables", "files", "expected"), BACK_ENDS)
def test_back_ends_that_can_compile(
    tmp_path: Path, system: str, tables: str, files: Sequence[str], *, expected: bool
) -> None:
    """The back end and its hooks decide; an unknown back end may."""
    (tmp_path / "pyproject.toml").write_text(f"[build-system]\n{system}\n{tables}\n")
    for name in files:
        (tmp_path / name).touch()

    read = source.build_system(tmp_path, of="thing 1")

    assert expected is source.can_compile(tmp_path, read)


def test_libraries_of_the_two_tables_differ() -> None:
    """No header is in both: a library is built here, or it is missing."""
    built = system_libraries.HEADERS

    for header in missing_libraries.BY_HEADER:
        assert header not in built
        assert f"{header.partition('/')[0]}/" not in built
    assert len(missing_libraries.LIBRARIES) == len(missing_libraries.BY_HEADER)
