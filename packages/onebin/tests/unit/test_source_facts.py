"""Facts of a source, by its files alone: libraries, switches, requirements, obstacles."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from onebin.distributions import missing_libraries, obstacles, source, system_libraries
from onebin.model import Machine, Pin
from onebin.runtime import modules
from onebin.runtime.libraries import libraries

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


READS = "os.getenv('THING_USE_CYTHON')"


@pytest.mark.parametrize(
    ("files", "requires", "expected"),
    [
        ({"setup.py": READS}, ("setuptools", "Cython>=3"), {"THING_USE_CYTHON": "1"}),
        ({"setup.py": f"{READS}\nsetup_requires=['Cython>=3']"}, (), {"THING_USE_CYTHON": "1"}),
        ({"setup.py": READS, "setup.cfg": "setup_requires = cython"}, (),
         {"THING_USE_CYTHON": "1"}),
        ({"setup.py": f"{READS}\nimport Cython"}, (), {}),
        ({"setup.py": "getenv('THING_USE_MYPYC')"}, ("setuptools", "cython"), {}),
        ({"setup.py": "getenv('THING_WITH_SPEEDUPS')"}, (), {"THING_WITH_SPEEDUPS": "1"}),
    ],
)  # fmt: skip
def test_variable_for_the_authors_machine(
    tmp_path: Path, files: dict[str, str], requires: tuple[str, ...], expected: dict[str, str]
) -> None:
    """It is set only if the tool that it calls comes: else the source has what the tool made."""
    for name, text in files.items():
        (tmp_path / name).write_text(text)

    assert expected == source.switches(tmp_path, source.BuildSystem(requires or ("setuptools",)))


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


PROGRAMS = [
    ("subprocess.run(['cmake', folder])", (), ("setuptools", "cmake")),
    (
        "check_call(('/usr/bin/cmake', '..'), cwd=x)\nsystem('ninja -C x')",
        (),
        ("setuptools", "cmake", "ninja"),
    ),
    ("self.spawn(['cmake'])", ("setuptools", "cmake>=3.18"), ("setuptools", "cmake>=3.18")),
    ("run(['cmake'])", ("scikit-build",), ("scikit-build",)),
    ("run(['make', 'cmake'])\nrun([cmake])\nrun([])\nrun('')\nrun()", (), ("setuptools",)),
    ("tool = shutil.which('cmake') or sys.exit(1)", (), ("setuptools", "cmake")),
    ("print(['cmake'])\nfunctions[0](['cmake'])", (), ("setuptools",)),
    ("if sys.platform == 'win32':\n    run(['cmake'])", (), ("setuptools",)),
    ("if USE_CMAKE:\n    run(['cmake'])", (), ("setuptools",)),
]


@pytest.mark.parametrize(("script", "requires", "expected"), PROGRAMS)
def test_programs_that_setup_py_expects_on_the_machine(
    tmp_path: Path, script: str, requires: tuple[str, ...], expected: tuple[str, ...]
) -> None:
    """A build has its requirements alone, so they become some."""
    (tmp_path / "setup.py").write_text(script)

    system = source.BuildSystem(requires or ("setuptools",))

    assert expected == source.requirements(tmp_path, system)
    other = source.BuildSystem(requires, "own")
    assert requires == source.requirements(tmp_path, other)


def test_requirements_in_setup_py(tmp_path: Path) -> None:
    """The plan knows them as far as they are text: those without a wheel are built in turn."""
    (tmp_path / "setup.py").write_text("setup(setup_requires=['cffi>=1', 'x; a<2', NAME])")

    assert ("setuptools", "cffi>=1", "x; a<2") == source.requirements(
        tmp_path, source.BuildSystem()
    )


CURL = {"setup.py": "libraries=['curl']"}

OWN = "setup(ext_modules=[Extension('a._c', [])])"

FETCHES = "FetchContent_Declare(dep URL https://h.invalid/x)\nFetchContent_MakeAvailable(dep)"

PARSER_H = '#include "tree_sitter/parser.h"\n'

PARSER = "void *tree_sitter_x_external_scanner_create(void);"

SOURCES = [
    ({"a.c": "#include <libpq-fe.h>", "setup.py": "pg_config"}, "PostgreSQL's libpq"),
    ({"a.h": "#ifndef A_H\n#define A_H\n#include <ldap.h>\n#endif", "x.cfg": "ldap"}, "OpenLDAP"),
    ({"a.pyx": "cdef extern from 'gmp.h':", "meson.build": "GMP"}, "GMP"),
    ({"a.pxi": "cdef extern from 'gmp.h' nogil:", "meson.build": "GMP"}, "GMP"),
    ({"x.pxd": "cdef extern from 'sqlfront.h':", "setup.py": "FreeTDS"}, "FreeTDS"),
    ({"x.h": "#include <lz4frame.h>", "CMakeLists.txt": "liblz4"}, "LZ4"),
    ({"x.h": "#include <lz4frame.h>", "CMakeLists.txt": "liblz4", "lz4libs/lz4frame.h": ""}, ""),
    ({"setup.py": "Extension('a', sources=['b.c', 'src/a.i'])"}, "runs SWIG (setup.py: src/a.i)"),
    ({"setup.apsw": "[build]\nfetch = True\n"}, "fetches sources while it runs (setup.apsw)"),
    ({"setup.apsw": "[build]\nfetch = False\n# fetch = True\n"}, ""),
    ({"setup.py": "Extension('a', sources=['src/a.i'])", "src/a_wrap.cpp": ""}, ""),
    ({"setup.py": "package_data={'a': ['src/a.i']}"}, ""),
    ({"setup.py": "sources=['a.i']", "pyproject.toml": "swig"}, ""),
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
    ({"setup.py": OWN, "lib/l.py": "CDLL(s)", "lib/x.py": "load_raw('other._c')"}, "x.py loads"),
    ({"setup.py": OWN, "lib/l.py": "CDLL(s)", "lib/x.py": "load_raw('other.a._c')"}, ""),
    ({"setup.py": OWN, "a/x.py": "s = find_spec('_c')\ncdll.LoadLibrary(s.origin)"}, "x.py loads"),
    ({"setup.py": OWN, "a/x.py": "from a import _c\nPyDLL(_c.__file__)"}, "a/x.py loads"),
    ({"setup.py": OWN, "a/x.py": "find_spec('_d')\nCDLL(json.__file__)"}, ""),
    ({"setup.py": OWN, "a/x.py": "find_spec('a._c')", "a/y.py": "CDLL(None)"}, ""),
    ({"setup.py": "['cmake', '.']", "CMakeLists.txt": FETCHES}, "fetches dep from 'https://h"),
    ({"src/parser.c": PARSER}, "calls tree_sitter_x_external_scanner_create, which no file"),
    ({"src/parser.c": "void *tree_sitter_x_free(void);"}, ""),
    ({"src/parser.c": PARSER_H}, "includes tree_sitter/parser.h, which its source distribution"),
    ({"src/parser.c": PARSER_H, "src/tree_sitter/parser.h": ""}, ""),
    ({"src/parser.c": PARSER, "src/scanner.cc": "// of macros"}, ""),
    ({"src/parser.c": PARSER, "src/all.c": PARSER}, ""),
]  # fmt: skip


@pytest.mark.parametrize(("files", "reason"), SOURCES)
def test_source_that_rules_a_static_executable_out(
    tmp_path: Path, files: dict[str, str], reason: str
) -> None:
    """What every build of it needs; a condition, a copy in the tree and tests are none of that."""
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)

    requires = ("swig",) if "pyproject.toml" in files else ()
    found = obstacles.of_source(Pin("thing", "1", ()), tmp_path, source.BuildSystem(requires))

    if not reason:
        assert found is None
        return
    assert found is not None
    assert reason in found.reason
    assert found.hint


CRC = "#include <crc32c/crc32c.h>\n"

LINKED = "def c():\n    setup(ext_modules=[Extension('a', [s], libraries=['z', 'crc32c'])])\n"

LINUX = "if sys.platform == 'darwin':\n    X\nelif os.name == 'posix':\n    Y\n"

LIBRARY = "Extension(libraries=['crc32c'])"

NAMED = [
    ({"setup.py": LINKED, "src/a.c": CRC}, "crc32c (crc32c/crc32c.h)"),
    ({"setup.py": LINKED, "a.pyx": "cdef extern from 'crc32c.h':"}, "crc32c (crc32c.h)"),
    ({"setup.py": LINKED, "a.c": "#include <libcrc32c.h>"}, "crc32c (libcrc32c.h)"),
    ({"setup.py": LINKED, "a.c": CRC, "lib/crc32c.h": ""}, ""),
    ({"setup.py": LINKED, "a.c": f"#ifdef X\n{CRC}#endif"}, ""),
    ({"setup.py": LINKED, "a.c": "#include <other.h>\n#include <zlib.h>"}, ""),
    ({"setup.py": LINKED, "tests/a.c": CRC}, ""),
    ({"setup.py": "if X:\n    Extension(libraries=['crc32c'])", "a.c": CRC}, ""),
    ({"setup.py": "Extension('a', libraries=['pthread', NAME, 1])", "a.c": "#include <pthread.h>"},
     ""),
    ({"setup.py": LINUX.replace("Y", "pass").replace("X", LIBRARY), "a.c": CRC}, ""),
    ({"setup.py": LINUX.replace("X", "pass").replace("Y", LIBRARY), "a.c": CRC},
     "crc32c (crc32c/crc32c.h)"),
    ({"setup.py": "libraries=['crc32c']", "a.c": CRC}, ""),
    ({"setup.py": "print 'libraries'", "a.c": CRC}, ""),
    ({"a.c": CRC}, ""),
]  # fmt: skip


@pytest.mark.parametrize(("files", "expected"), NAMED)
def test_library_that_an_extension_is_linked_with(
    tmp_path: Path, files: dict[str, str], expected: str
) -> None:
    """It is named in every case, its header is included in every case, and nothing brings it."""
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)

    found = missing_libraries.linked(tmp_path)

    assert expected == (f"{found.name} ({found.header})" if found else "")


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
