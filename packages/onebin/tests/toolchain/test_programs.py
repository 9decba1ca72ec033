"""A packed program behaves as under an ordinary interpreter: this one runs each case as well."""

import ast
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from .conftest import PROJECTS, Build, OnebinRun

pytestmark = [pytest.mark.toolchain, pytest.mark.xdist_group("programs")]

SOURCE = PROJECTS / "programs" / "src"
METHODS = ("fork", "spawn", "forkserver")
SCRIPT = """\
import sys
sys.path.insert(1, {source!r})
from programs import main
if __name__ == "__main__":
    if sys.stdout is not None:
        sys.stdout.reconfigure(line_buffering=True)  # as a packed program has it
    sys.exit(main())
"""
CONTAINED = [
    "timeout", "-k", "1", "60", "unshare", *([] if os.geteuid() == 0 else ["-Ur"]),
    "-p", "-f", "--mount-proc", "--kill-child", "prlimit", "--nproc=2000",
]  # fmt: skip

# Arguments of the cases that take some.
ARGUMENTS: dict[str, list[list[str]]] = {
    **{name: [[value] for value in (
        "none", "zero", "three", "text", "empty", "object", "large", "negative", "true", "float",
        "tuple", "huge", "broken",
    )] for name in ("returned", "exited", "raised_exit")},
    "killed": [[str(number)] for number in (1, 2, 9, 11, 13, 15)],
    "bytes_as_arguments": [["a", "", "ä", "x y", "-c", "--help"]],
    "arguments": [["-c", "-m", "--version", "-h", "--", "-"]],
}  # fmt: skip

# What a case is run with beside nothing at all: stdin, environment, descriptors.
SETTINGS: dict[str, dict[str, Any]] = {
    "reads": {"input": b"a\r\nb\n"},
    "reads_lines": {"input": "ä\nlast".encode()},
    "prompts": {"input": b"me\n"},
    "change_environment": {"env": {"REMOVED": "1", "KEPT": "2"}},
    "home": {"env": {"HOME": "/nonexistent"}},
}
# The shell's line that starts a program which finds its process otherwise than usual.
STARTS: dict[str, str] = {
    "stdout closed": 'exec "$@" >&-',
    "stdin closed": 'exec "$@" <&-',
    "stderr closed": 'exec "$@" 2>&-',
    "all closed": '"$@" <&- >&- 2>&-; s=$?; cat found 2>/dev/null; exit $s',
    "stdout full": 'exec "$@" >/dev/full',
    "stderr full": 'exec "$@" 2>/dev/full',
    # Its reader is gone before the program starts, which that of a pipeline may not be.
    "stdout a closed pipe": (
        '[ -p pipe ] || mkfifo pipe; exec 4<>pipe 5>pipe 4>&-; "$@" >&5 5>&-; echo "status $?" >&2'
    ),
    "no environment": 'exec env -i "$@"',
    "locale C": 'LC_ALL=C exec "$@"',
    "locale Latin-1": 'LC_ALL=de_DE.ISO-8859-1 LANG=de_DE exec "$@"',
    "signals ignored": "trap '' INT TERM PIPE HUP; exec \"$@\"",
    "few descriptors": 'ulimit -n 16; exec "$@"',
    "small stack": 'ulimit -s 512; exec "$@"',
    "from nowhere": 'mkdir -p gone; cd gone; rmdir ../gone; exec "$@"',
    "from a folder of that name": 'mkdir -p x/programs; cd x; exec "$@"',
    "umask 777": 'umask 777; exec "$@"',
    "no place for temporary files": (
        "for place in /tmp /var/tmp; do mount --bind $place $place"
        ' && mount -o remount,bind,ro $place || exit; done; cd /proc; exec "$@"'
    ),
    "PYTHON variables": 'PYTHONSTARTUP=/nothing PYTHONINSPECT= exec "$@"',
}
STARTED = (
    "text", "closed_streams", "reads", "full_at_end", "errors_are_unbuffered", "uncaught",
    "at_exit", "run_code", "waits_for_threads", "surrogates", "broken_pipe", "deep_recursion",
    "found_closed", "encodings", "temporary",
)  # fmt: skip
DIFFERENT: dict[tuple[str, str], str] = {}
"""What a packed program does otherwise on purpose, with the reason."""


def cases(*files: str) -> Iterator[Any]:
    """Each public function of the project's modules *files*, with each of its arguments."""
    for file in files:
        tree = ast.parse((SOURCE / "programs" / f"{file}.py").read_text("utf-8"))
        for node in tree.body:
            if isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
                by_method = [argument.arg for argument in node.args.args] == ["method"]
                many = [[method] for method in METHODS] if by_method else [[]]
                for words in ARGUMENTS.get(node.name, many):
                    yield pytest.param(node.name, words, id=" ".join([node.name, *words]))


Run = Callable[..., tuple[str, int, str]]


@pytest.fixture(scope="module")
def script(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A console script as pip writes it."""
    path = tmp_path_factory.mktemp("bin") / "programs"
    path.write_text(SCRIPT.format(source=str(SOURCE)))
    return path


def run(command: list[str | Path], folder: Path, **settings: Any) -> tuple[str, int, str]:
    env = {"PATH": os.environ["PATH"], **settings.pop("env", {})}
    if "input" not in settings:
        settings["stdin"] = subprocess.DEVNULL
    done: subprocess.CompletedProcess[bytes] = subprocess.run(
        [*CONTAINED, *command], capture_output=True, check=False, cwd=folder, env=env, **settings
    )
    return done.stdout.decode("utf-8", "replace"), done.returncode, done.stderr.decode()


def last_words(errors: str) -> list[str]:
    """The lines of tracebacks without files, places and code, which differ on purpose."""
    kept = [line for line in errors.split("\n") if line and not line.startswith((" ", "\t"))]
    kept = [line for line in kept if "most recent call" not in line]
    # Of faulthandler: a module of onebin itself. Newer releases word ignored exceptions otherwise.
    kept = [line for line in kept if not line.startswith("Extension modules: _onebin ")]
    kept = [re.sub(r"^Exception ignored.*", "ignored", line) for line in kept]
    return [re.sub(r"0x[0-9a-f]+", "0x", line) for line in kept]


@pytest.mark.parametrize("start", STARTS)
@pytest.mark.parametrize("case", STARTED)
def test_started_in_any_way(
    build: Build, script: Path, tmp_path: Path, case: str, start: str
) -> None:
    """Streams that are closed, full or no text; no environment, no directory, few resources."""
    if (case, start) in DIFFERENT:
        pytest.skip(DIFFERENT[case, start])
    shell = ["sh", "-c", STARTS[start], "sh"]
    folders = [tmp_path / "ordinary", tmp_path / "packed"]
    for folder in folders:
        folder.mkdir()
    path = {"PYTHONPATH": str(SOURCE), "PYTHONCOERCECLOCALE": "0"}

    expected = run([*shell, sys.executable, "-X", "utf8", script, case], folders[0], env=path)
    found = run([*shell, build("programs"), case], folders[1])

    assert expected[:2] == found[:2], found[2]
    assert last_words(expected[2]) == last_words(found[2])


@pytest.mark.parametrize(("case", "words"), [*cases("endings", "processes", "streams", "threads")])
def test_as_under_an_ordinary_interpreter(
    build: Build, script: Path, tmp_path: Path, case: str, words: list[str]
) -> None:
    settings = SETTINGS.get(case, {})
    path = {"PYTHONPATH": str(SOURCE), "PYTHONCOERCECLOCALE": "0"}
    python = {**settings, "env": {**settings.get("env", {}), **path}}

    expected = run([sys.executable, "-X", "utf8", script, case, *words], tmp_path, **python)
    found = run([build("programs"), case, *words], tmp_path, **settings)

    assert expected[:2] == found[:2], found[2]
    assert last_words(expected[2]) == last_words(found[2])


@pytest.fixture(scope="module")
def pruned(onebin: OnebinRun, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same program pruned: it has another main."""
    root = tmp_path_factory.mktemp("pruned")
    shutil.copytree(PROJECTS / "programs", root / "project")
    with (root / "project" / "pyproject.toml").open("a") as file:
        file.write('[tool.onebin]\nprune = "reachable"\n')
    done = onebin("build", root / "project", "-o", root / "programs")
    assert 0 == done.returncode, done.stderr
    return root / "programs"


# A pruned program has no files and starts no interpreter.
NOT_PRUNED = frozenset({"change_environment", "found_closed"})


@pytest.mark.parametrize(
    ("case", "words"),
    [row for row in cases("endings", "streams", "threads") if row.values[0] not in NOT_PRUNED],
)
def test_a_pruned_program_as_well(
    pruned: Path, script: Path, tmp_path: Path, case: str, words: list[str]
) -> None:
    settings = SETTINGS.get(case, {})

    python = {**settings, "env": {**settings.get("env", {}), "PYTHONCOERCECLOCALE": "0"}}

    expected = run([sys.executable, "-X", "utf8", script, case, *words], tmp_path, **python)
    found = run([pruned, case, *words], tmp_path, **settings)

    assert expected[:2] == found[:2], found[2]
    assert last_words(expected[2]) == last_words(found[2])


# Those that start a Python, by a method of multiprocessing or by sys.executable.
STARTS_PYTHON: Final = [
    row for row in cases("processes") if row.values[1] or str(row.values[0]).startswith("run_")
]


@pytest.mark.parametrize(("case", "words"), STARTS_PYTHON)
def test_a_pruned_program_forks_or_names_what_is_missing(
    pruned: Path, script: Path, tmp_path: Path, case: str, words: list[str]
) -> None:
    """A child that is an interpreter cannot start: the error names the cause and the remedy."""
    found = run([pruned, case, *words], tmp_path)

    # The tracker of shared memory is a Python, by each method.
    if words == ["fork"] and case != "shared_memory":
        assert run([sys.executable, script, case, *words], tmp_path)[:2] == found[:2], found[2]
    else:
        assert found[1] == 1
        assert "FileNotFoundError: [Errno 2] sys.executable is empty: this program is" in found[2]


@pytest.mark.parametrize("start", STARTS)
@pytest.mark.parametrize("case", sorted({*STARTED} - {"run_code"} - NOT_PRUNED))
def test_a_pruned_program_started_in_any_way(
    pruned: Path, script: Path, tmp_path: Path, case: str, start: str
) -> None:
    shell = ["sh", "-c", STARTS[start], "sh"]

    expected = run([*shell, sys.executable, "-X", "utf8", script, case], tmp_path)
    found = run([*shell, pruned, case], tmp_path)

    assert expected[:2] == found[:2], found[2]
    assert last_words(expected[2]) == last_words(found[2])
