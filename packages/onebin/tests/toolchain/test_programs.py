"""A packed program behaves as under an ordinary interpreter: this one runs each case as well."""

import ast
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from .conftest import PROJECTS, Build

pytestmark = [pytest.mark.toolchain, pytest.mark.xdist_group("programs")]

SOURCE = PROJECTS / "programs" / "src"
METHODS = ("fork", "spawn", "forkserver")
SCRIPT = """\
import sys
from programs import main
if __name__ == "__main__":
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
    "change_environment": {"env": {"REMOVED": "1", "PATH": os.environ["PATH"]}},
    "home": {"env": {"HOME": "/nonexistent"}},
}
DIFFERENT = {
    "run_missing_module": "the interpreter's path is part of the message",
}


def cases() -> Iterator[Any]:
    """Each public function of the project's modules, with each of its arguments."""
    for file in ("endings", "processes", "streams", "threads"):
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
    path.write_text(SCRIPT)
    return path


def run(command: list[str | Path], folder: Path, **settings: Any) -> tuple[str, int, str]:
    env = {"PATH": os.environ["PATH"], **settings.pop("env", {})}
    settings = {"stdin": subprocess.DEVNULL} | settings if "input" not in settings else settings
    done = subprocess.run(
        [*CONTAINED, *command], capture_output=True, check=False, cwd=folder, env=env, **settings
    )
    return done.stdout.decode("utf-8", "replace"), done.returncode, done.stderr.decode()


def last_words(errors: str) -> list[str]:
    """The lines of tracebacks without files, places and code, which differ on purpose."""
    kept = [line for line in errors.split("\n") if line and not line.startswith((" ", "\t"))]
    return [re.sub(r"0x[0-9a-f]+", "0x", line) for line in kept if "most recent call" not in line]


@pytest.mark.parametrize(("case", "words"), [*cases()])
def test_as_under_an_ordinary_interpreter(
    build: Build, script: Path, tmp_path: Path, case: str, words: list[str]
) -> None:
    settings = SETTINGS.get(case, {})
    python = {**settings, "env": {**settings.get("env", {}), "PYTHONPATH": str(SOURCE)}}

    expected = run([sys.executable, "-X", "utf8", script, case, *words], tmp_path, **python)
    found = run([build("programs"), case, *words], tmp_path, **settings)

    assert expected[:2] == found[:2], found[2]
    assert last_words(expected[2]) == last_words(found[2])
