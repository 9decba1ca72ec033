"""What a build may see of the machine: arguments of the compiler, programs, libraries."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from onebin.distributions import machine_programs, own_prefix
from onebin.model import BuiltLibrary, Package, Source
from onebin.runtime import sealing

ROOT = Path("/opt/a cache/onebin")

PLACES = st.sampled_from([*sealing.MACHINE, "/usr", "/work", "include", "/usr/libexec", str(ROOT)])

FOLDERS = st.builds(
    lambda place, below: place + below, PLACES, st.sampled_from(["", "/", "/x", "/x y/z"])
)

WORDS = st.one_of(
    st.tuples(st.sampled_from(sealing.FOLDER_FLAGS), FOLDERS).map(list),
    st.tuples(st.sampled_from(sealing.FOLDER_FLAGS), FOLDERS).map(lambda pair: ["".join(pair)]),
    st.sampled_from(["-O2", "a b.c", "-o", "/usr/include/a.c", "", "*", "-Wl,-I", "$x", "-lz"]).map(
        lambda word: [word]
    ),
    st.sampled_from(["-flto", "-flto=thin", "-march=native"]).map(lambda word: [word]),
)


def is_hidden(folder: str) -> bool:
    if folder.startswith(f"{ROOT}/"):
        return False
    return any(folder == place or folder.startswith(f"{place}/") for place in sealing.MACHINE)


def expected(words: list[list[str]]) -> list[str]:
    left: list[str] = []
    for group in words:
        flag = next((flag for flag in sealing.FOLDER_FLAGS if group[0].startswith(flag)), "")
        folder = group[-1] if len(group) == 2 else group[0].removeprefix(flag)
        if not (flag and is_hidden(folder)) and not group[0].startswith(("-flto", "-march")):
            left += group
    return left


@settings(max_examples=60)
@given(st.lists(WORDS, max_size=6))
def test_arguments_lose_the_machines_folders(words: list[list[str]]) -> None:
    """All else stays, in order, whatever it contains."""
    script = sealing.arguments_script(ROOT) + 'for word; do printf "%s\\0" "$word"; done'
    given_words = [word for group in words for word in group]

    done = subprocess.run(["sh", "-c", script, "cc", *given_words], capture_output=True, check=True)

    assert expected(words) == done.stdout.decode().split("\0")[:-1]


def test_programs_of_the_machine(tmp_path: Path) -> None:
    """File tools and shells, none that knows its libraries."""
    found = {file.name for file in machine_programs.links(tmp_path / "p").iterdir()}

    assert {"sh", "sed", "cat"} <= found
    assert not found & {"cc", "gcc", "pkg-config", "python3", "git"}
    assert not [name for name in found if name.endswith("-config")]


@pytest.mark.parametrize(
    ("arguments", "printed"),
    [
        ([], "all\n"),
        (["check"], "make check: left out\n"),
        (["-j2", "V=1", "test"], "make test: left out\n"),
        (["check", "install"], "install\n"),
        (["all", "install"], "all\ninstall\n"),
        (["NAME=a b", "name"], "a b\n"),
    ],
)
def test_make_leaves_tests_out(arguments: list[str], printed: str, tmp_path: Path) -> None:
    """A source's copy of a library is built; that it works is its authors' test."""
    goals = "all install check test"
    rules = "".join(f"{goal}:\n\t@echo {goal}\n" for goal in goals.split())
    (tmp_path / "Makefile").write_text(f"{rules}name:\n\t@echo $(NAME)\n")
    make = machine_programs.links(tmp_path / "p") / "make"
    if not make.exists():
        pytest.skip("no make here: apt-get install make")

    # Without the variables of a make that runs the tests.
    env = {"PATH": os.defpath}
    done = subprocess.run(
        [make, *arguments], cwd=tmp_path, env=env, capture_output=True, check=True
    )

    assert printed == done.stdout.decode()


@pytest.fixture
def prefix(tmp_path: Path) -> Path:
    include = tmp_path / "xml" / "include"
    (include / "libxml2").mkdir(parents=True)
    (include / "libxml2" / "tree.h").touch()
    (tmp_path / "xml" / "libxml2.a").touch()
    pinned = Source(name="libxml2", version="2.15.4", sha256="0")
    packages = (Package("libxml-2.0", ("xml2", "z"), "libxml2"),)
    library = BuiltLibrary(
        "libxml2", pinned, "MIT", include, (tmp_path / "xml" / "libxml2.a",), "k", packages
    )
    return own_prefix.write(tmp_path / "prefix", [library], python=Path(sys.executable))


@pytest.mark.sample(every=3)
@pytest.mark.parametrize(
    ("words", "status", "printed"),
    [
        ("--exists libxml-2.0", 0, ""),
        ("--exists zlib", 1, ""),
        ("--modversion zlib", 1, ""),
        ("--modversion libxml-2.0", 0, "2.15.4"),
        ("--cflags libxml-2.0", 0, "-I{}/include/libxml2"),
        ("--libs libxml-2.0", 0, "-L{}/lib -lxml2 -lz"),
        ("--cflags --libs libxml-2.0", 0, "-I{}/include/libxml2 -L{}/lib -lxml2 -lz"),
        ("--libs-only-L libxml-2.0 --keep-system-libs", 0, "-L{}/lib"),
        ("--libs-only-l libxml-2.0", 0, "-lxml2 -lz"),
        ("--variable=includedir libxml-2.0", 0, "{}/include/libxml2"),
        ("--variable prefix libxml-2.0", 0, "{}"),
        ("--variable=none libxml-2.0", 0, ""),
        ("--atleast-version=2.9 libxml-2.0", 0, ""),
        ("--atleast-version=2.16 libxml-2.0", 1, ""),
        ("--max-version 2.15.4 libxml-2.0", 0, ""),
        ("--exact-version=2.15 libxml-2.0", 1, ""),
        ("--exists libxml-2.0 >= 2.15", 0, ""),
        ("--exists libxml-2.0>=3", 1, ""),
        ("--exists libxml-2.0 zlib", 1, ""),
        ("--version", 0, "1.8.1"),
        ("--list-all", 0, "libxml-2.0 libxml-2.0 2.15.4"),
    ],
)
def test_questions_to_pkg_config(prefix: Path, words: str, status: int, printed: str) -> None:
    """As pkg-config(1) replies; a library of the machine is not there."""
    call: list[str | Path] = [prefix / "bin" / "pkg-config", *words.split()]
    done = subprocess.run(call, capture_output=True, text=True, check=False)

    assert (status, printed.replace("{}", str(prefix))) == (done.returncode, done.stdout.strip())


def test_files_of_a_prefix(prefix: Path) -> None:
    """Headers and archives are where compilers look."""
    assert (prefix / "include" / "libxml2" / "tree.h").is_file()
    assert (prefix / "lib" / "libxml2.a").exists()
