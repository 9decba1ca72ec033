"""Programs: a clean environment, their output, and errors that show its end."""

import sys

import pytest

from onebin.effects.process import TAIL_LINES, clean_environment, run
from onebin.errors import ToolError


def python(code: str) -> list[str]:
    return [sys.executable, "-c", code]


def test_output_is_returned() -> None:
    """What a program prints on stdout comes back as bytes, unchanged."""
    assert b"a\n\xff" == run(python(r"import sys; sys.stdout.buffer.write(b'a\n\xff')"))


def test_stdin_is_fed_and_never_the_callers() -> None:
    """A program gets what it is given, or nothing."""
    code = "import sys; print(sys.stdin.read().upper(), end='')"

    assert b"ABC" == run(python(code), stdin=b"abc")
    assert b"" == run(python(code))


def test_lines_are_told_as_they_come() -> None:
    """Both streams of a long program are its story."""
    lines: list[str] = []

    run(python("import sys; print('out'); print('err', file=sys.stderr)"), on_line=lines.append)

    assert ["err\n", "out\n"] == sorted(lines)


@pytest.mark.parametrize("follow", [False, True])
def test_failure_shows_the_end_of_the_output(follow: bool) -> None:  # noqa: FBT001
    """The last lines are kept, the status is named, the first thousand lines are not."""
    code = "import sys; print('\\n'.join(str(n) for n in range(1000))); sys.exit(7)"

    with pytest.raises(ToolError, match="status 7") as caught:
        run(python(code), on_line=(lambda _: None) if follow else None)

    assert "999" == caught.value.detail.splitlines()[-1]
    assert TAIL_LINES == len(caught.value.detail.splitlines())


def test_signal_is_named() -> None:
    """A program that was killed says by what."""
    with pytest.raises(ToolError, match="signal 9"):
        run(python("import os; os.kill(os.getpid(), 9)"))


def test_missing_program_is_named() -> None:
    """What is not installed is said by name."""
    with pytest.raises(ToolError, match="no-such-program: no such program"):
        run(["no-such-program"])


def test_environment_is_clean() -> None:
    """Compiler flags and Python settings of the caller do not reach a build; proxies do."""
    given = {
        "PATH": "/bin",
        "CFLAGS": "-O0",
        "PYTHONPATH": "/x",
        "LC_ALL": "de_DE",
        "https_proxy": "p",
        "PIP_CERT": "c",
    }

    assert {
        "PATH": "/bin",
        "https_proxy": "p",
        "PIP_CERT": "c",
        "LC_ALL": "C.UTF-8",
        "TZ": "UTC",
    } == clean_environment(given)


def test_programs_may_open_as_many_files_as_the_machine_allows() -> None:
    """The soft limit a shell sets by default is raised to the hard one, for children too."""
    code = (
        "import resource as r, sys; from onebin.effects.process import allow_open_files, run;"
        "hard = r.getrlimit(r.RLIMIT_NOFILE)[1]; r.setrlimit(r.RLIMIT_NOFILE, (256, hard));"
        "allow_open_files();"
        "ask = 'import resource as r; print(len(set(r.getrlimit(r.RLIMIT_NOFILE))))';"
        "print(run([sys.executable, '-c', ask]).decode())"
    )

    assert "1" == run(python(code)).decode().strip()
