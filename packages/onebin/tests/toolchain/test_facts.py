"""Required abilities of the static CPython, each checked in a real executable."""

import subprocess
from pathlib import Path

import pytest

from onebin.model import DEFAULT_SERIES
from onebin.objects import reader as elf

from .conftest import PROJECTS, Ask, Build

pytestmark = pytest.mark.toolchain

SITE = f"/onebin/lib/python{DEFAULT_SERIES}/site-packages"


def test_host_names_are_encoded(ask: Ask) -> None:
    """The idna codec is in, with the tables it needs."""
    assert ["xn--bcher-kva.example", "bücher.example"] == ask("idna")


def test_a_name_given_as_text_resolves(ask: Ask) -> None:
    """``getaddrinfo`` imports the idna codec from C, in no Python source."""
    assert "127.0.0.1" == ask("resolve")


@pytest.mark.claim("hardened executable")
def test_strings_are_hashed_with_siphash_and_a_random_seed(ask: Ask) -> None:
    """A configure check gone wrong would choose FNV, which an attacker can collide."""
    first, second = ask("hashing"), ask("hashing")

    assert "siphash13" == first["algorithm"]
    assert first["randomized"] != second["randomized"]


def test_hashes_are_right(ask: Ask) -> None:
    """hashlib works without OpenSSL."""
    found = ask("hashing")

    assert found["sha256"].startswith("ba7816bf8f01cfea")
    assert "ba80a53f981c4d0d" == found["blake2b"]
    assert "3a985da74fe225b2" == found["sha3"]


def test_time_zone_can_be_set(ask: Ask) -> None:
    """``tzset`` exists and works, and so does ``strptime``, which C imports by itself."""
    assert ["XYZ", 3, 2026] == ask("zone")


def test_traceback_has_files_and_line_numbers(ask: Ask) -> None:
    """A caught exception is printed with its file and line."""
    source = (PROJECTS / "facts" / "facts.py").read_text().splitlines()
    number = 1 + next(n for n, line in enumerate(source) if 'ValueError("here")' in line)

    lines = ask("lines")

    assert f'  File "{SITE}/facts.py", line {number}, in lines' == lines[1]
    assert source[number - 1].strip() == lines[2].strip()
    assert "ValueError: here" == lines[-1]


def test_uncaught_exception_ends_with_status_1_and_its_place(build: Build) -> None:
    """The traceback on stderr has the place."""
    done = subprocess.run([build("facts"), "crash"], capture_output=True, text=True, check=False)

    assert 1 == done.returncode
    assert f'File "{SITE}/facts.py", line ' in done.stderr
    assert done.stderr.endswith("RuntimeError: on purpose\n")


def test_signals_reach_python(ask: Ask) -> None:
    """A handler runs for the signal containers are stopped with."""
    assert [15] == ask("signals")


def test_imports_inside_functions_are_there(ask: Ask) -> None:
    """``concurrent.futures.thread`` is imported at the first executor."""
    assert [1, 2] == ask("executor")
    assert 7 == ask("loop")


def test_deep_recursion_in_a_thread_is_an_exception(ask: Ask) -> None:
    """With musl's default stack it would be a segmentation fault."""
    assert ask("deep") in ([True], ["RecursionError"])


def test_random_and_uuid(ask: Ask) -> None:
    """The operating system's random numbers and UUIDs work."""
    assert [True, 32] == ask("chance")


def test_c_library_is_known_without_a_search(ask: Ask) -> None:
    """CPython reads its own file for that: here all of the program, with any text in it."""
    assert ["musl", "1", "musl1"] == ask("libc")


def test_sysconfig_has_no_facts_of_the_build_machine(ask: Ask) -> None:
    """zoneinfo reads its paths there; other values would describe the build machine."""
    assert [["/usr/share/zoneinfo"], 0] == ask("paths")


@pytest.mark.claim("isolated executable")
def test_environment_and_directory_change_nothing(ask: Ask, tmp_path: Path) -> None:
    """No variable and no file beside it can inject code (PEP 587, isolated)."""
    (tmp_path / "json.py").write_text("raise RuntimeError('taken from the path')")

    found = ask(
        "isolated", "--flag", PYTHONPATH=str(tmp_path), PYTHONHOME="/nowhere", PYTHONINSPECT="1"
    )

    assert [str(Path(SITE).parent), SITE] == found["path"]
    assert [1, 1, 1] == found["flags"]
    assert (1, "utf-8") == (found["utf8"], found["stdout"])
    assert ["isolated", "--flag"] == found["argv"]


@pytest.mark.claim("hardened executable")
def test_executable_is_static_and_hardened(build: Build) -> None:
    """No loader and no needed library; position independent, RELRO, no executable stack."""
    facts = elf.read(build("facts").read_bytes())

    assert facts.static, facts.reasons
    assert "static-pie" == facts.kind
    assert facts.relro
    assert not facts.executable_stack
    assert facts.bind_now
    assert facts.stack_protector
    assert 0 == facts.writable_code


def test_executable_has_no_path_of_the_build_machine(build: Build) -> None:
    """It has neither the cache's path, nor the home directory, nor the project's path."""
    for path in (Path.home(), Path(__file__).parents[4]):
        assert f"{path}/".encode() not in build("facts").read_bytes()
    # Sources of the standard library name it.
    assert b"/tmp/" not in build("namespace").read_bytes()
