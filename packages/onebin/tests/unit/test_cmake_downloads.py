"""Downloads of a CMake project: those that every build makes, by its file alone."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onebin.distributions import cmake_downloads

SETUP = "subprocess.check_call(['cmake', '..', '-DGIVEN=OFF'])"
GET = "FetchContent_Declare(dep GIT_REPOSITORY https://h.invalid/dep.git)\n"
USE = "FetchContent_MakeAvailable(dep)\n"
FETCH = GET + USE


def fetches(tree: Path, text: str, *, place: str = "", setup: str = SETUP) -> bool:
    (tree / place).mkdir(exist_ok=True)
    (tree / place / "CMakeLists.txt").write_text(text)
    (tree / "setup.py").write_text(setup)
    found = cmake_downloads.first(tree)
    if found:
        assert ("dep", "h.invalid" in found.address) == (found.name.lower(), True)
    return found is not None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (FETCH, True),
        (FETCH.lower(), True),
        ("# " + FETCH.replace("\n", "\n# "), False),
        ("#[[\n" + FETCH + "]]", False),
        (GET, False),
        (USE + GET, False),
        ("FetchContent_Declare(dep SOURCE_DIR ${CMAKE_SOURCE_DIR}/dep)\n" + USE, False),
        ("FetchContent_Declare(dep URL https://h.invalid/d FIND_PACKAGE_ARGS)\n" + USE, False),
        ('ExternalProject_Add(dep URL "https://h.invalid/d.tar.gz")', True),
        ("ExternalProject_Add(dep URL https://h.invalid/d EXCLUDE_FROM_ALL ON)", False),
        (f"function(get)\n{FETCH}endfunction()\nget()", False),
        (f"if(WIN32)\n{FETCH}endif()", False),
        (f"if(NOT WIN32)\n{FETCH}endif()", True),
        (f"if(WIN32)\nelse()\n{FETCH}endif()", True),
        (f"if(UNIX AND NOT APPLE)\n{FETCH}endif()", True),
        (f"if(UNKNOWN)\n{FETCH}endif()", False),
        (f"if(NOT UNKNOWN)\n{FETCH}endif()", False),
        (f"if(UNKNOWN)\nelse()\n{FETCH}endif()", False),
        (f"if(NOT TARGET dep)\n{FETCH}endif()", False),
        (f"if((A) OR (B))\n{FETCH}endif()", False),
        (f'option(OWN "own" ON)\nif(OWN)\n{FETCH}endif()', True),
        (f'option(OWN "own")\nif(OWN)\n{FETCH}endif()', False),
        (f'option(GIVEN "by setup.py" ON)\nif(GIVEN)\n{FETCH}endif()', False),
        (f'set(HOW "get" CACHE STRING "x")\nif(HOW STREQUAL "get")\n{FETCH}endif()', True),
        (f'set(HOW "get")\nif(HOW STREQUAL "find")\nelseif(HOW)\n{FETCH}endif()', False),
        (f"find_package(dep)\nset(HAS ${{dep_FOUND}})\nif(NOT HAS)\n{FETCH}endif()", False),
        ("if(", False),
        (")))" + FETCH, True),
    ],
)
def test_project(text: str, *, expected: bool, tmp_path: Path) -> None:
    assert expected == fetches(tmp_path, text)


@pytest.mark.parametrize(
    ("place", "setup", "expected"),
    [
        ("", "setup()", False),
        ("", "FETCHCONTENT_SOURCE_DIR_DEP cmake", False),
        ("lib", "run(['cmake', 'lib'])", True),
        ("lib", "run(['cmake', 'library'])", False),
        ("third_party", SETUP, False),
    ],
)
def test_project_that_no_build_runs(
    place: str, setup: str, *, expected: bool, tmp_path: Path
) -> None:
    """A library's own project may be there, of which setup.py compiles the sources alone."""
    assert expected == fetches(tmp_path, FETCH, place=place, setup=setup)


LEAVES = st.sampled_from([("ON", True), ("OFF", False), ("UNIX", True), ("APPLE", False)])


@given(st.lists(st.tuples(st.sampled_from(["if", "not", "else", "elseif"]), LEAVES), max_size=6))
def test_nested_conditions(around: list[tuple[str, tuple[str, bool]]]) -> None:
    """Each is decided as CMake decides it; together they are an and."""
    heads = {
        "if": "if({})\n@\nendif()", "not": "if(NOT {})\n@\nendif()",
        "else": "if({})\nelse()\n@\nendif()",
        "elseif": "if(OFF)\nelseif({})\n@\nelse()\nendif()",
    }  # fmt: skip
    text, runs = "@", True
    for kind, (word, value) in around:
        text = text.replace("@", heads[kind].format(word))
        runs = runs and (value if kind in {"if", "elseif"} else not value)
    commands = [*cmake_downloads.commands(text.replace("@", FETCH))]

    assert 2 * len(around) + 2 <= len(commands)
    assert runs == bool([*cmake_downloads.downloads(Path("x"), text.replace("@", FETCH), "")])
