"""Programs: a clean environment, their output, and errors with its end."""

import contextlib
import sys
from pathlib import Path

import pytest

from onebin.effects.process import TAIL_LINES, Ended, clean_environment, run, run_for
from onebin.errors import ToolError

pytestmark = pytest.mark.claim("builds see no secrets")


def python(code: str) -> list[str]:
    return [sys.executable, "-c", code]


def test_output_is_returned() -> None:
    """What a program prints on stdout comes back as bytes, unchanged."""
    assert b"a\n\xff" == run(python(r"import sys; sys.stdout.buffer.write(b'a\n\xff')"))


def test_stdin_is_fed_and_never_the_callers() -> None:
    """A program gets the given input, or none."""
    code = "import sys; print(sys.stdin.read().upper(), end='')"

    assert b"ABC" == run(python(code), stdin=b"abc")
    assert b"" == run(python(code))


def test_lines_are_reported_as_they_come() -> None:
    """Both streams of a long program become progress lines."""
    lines: list[str] = []

    run(python("import sys; print('out'); print('err', file=sys.stderr)"), on_line=lines.append)

    assert ["err\n", "out\n"] == sorted(lines)


@pytest.mark.parametrize("follow", [False, True])
def test_failure_shows_the_end_of_the_output(follow: bool) -> None:  # noqa: FBT001
    """The last lines and the status are kept, the first thousand lines are dropped."""
    code = "import sys; print('\\n'.join(str(n) for n in range(1000))); sys.exit(7)"

    with pytest.raises(ToolError, match="status 7") as caught:
        run(python(code), on_line=(lambda _: None) if follow else None)

    assert "999" == caught.value.detail.splitlines()[-1]
    assert TAIL_LINES == len(caught.value.detail.splitlines())


def test_signal_is_named() -> None:
    """The error has the signal's name."""
    with pytest.raises(ToolError, match="signal 9"):
        run(python("import os; os.kill(os.getpid(), 9)"))


def test_missing_program_is_named() -> None:
    """The error has the program's name."""
    with pytest.raises(ToolError, match="no-such-program: no such program"):
        run(["no-such-program"])


CALLERS: dict[str, str] = {
    "PATH": "/bin",
    "HOME": "/home/me",
    "TMPDIR": "/var/tmp",
    # Changes the result.
    "CFLAGS": "-O0",
    "PYTHONPATH": "/x",
    "PYTHONSTARTUP": "/x.py",
    "LD_PRELOAD": "/x.so",
    "LC_ALL": "de_DE",
    "TZ": "Asia/Tokyo",
    "GIT_DIR": "/x/.git",
    "MAKEFLAGS": "-e",
    # Holds secrets.
    "PIP_INDEX_URL": "https://me:secret@index.example/simple",
    "PIP_CONFIG_FILE": "/home/me/pip.conf",
    "https_proxy": "http://me:secret@proxy.example:3128",
    "NO_PROXY": "localhost",
    "NETRC": "/home/me/.netrc",
    "REQUESTS_CA_BUNDLE": "/ca.pem",
    "SSL_CERT_FILE": "/ca.pem",
    "AWS_SECRET_ACCESS_KEY": "secret",
    "GITHUB_TOKEN": "secret",
    "TWINE_PASSWORD": "secret",
    "SSH_AUTH_SOCK": "/run/agent",
    "DOCKER_AUTH_CONFIG": "{}",
}
ALL_STEPS = {"PATH": "/bin", "HOME": "/home/me", "TMPDIR": "/var/tmp"}
FIXED = {"LC_ALL": "C.UTF-8", "TZ": "UTC"}
FETCHING = (
    "PIP_INDEX_URL", "PIP_CONFIG_FILE", "https_proxy", "NO_PROXY", "NETRC",
    "REQUESTS_CA_BUNDLE", "SSL_CERT_FILE",
)  # fmt: skip


def test_environment_is_clean() -> None:
    """Variables that change a result or hold a secret reach neither compiler nor back end."""
    assert ALL_STEPS | FIXED == clean_environment(CALLERS)


@pytest.mark.parametrize("place", ["missing", "file", ""])
def test_folder_for_temporary_files_is_one(tmp_path: Path, place: str) -> None:
    """Another one is not passed on: a compiler would fail where Python takes the next."""
    (tmp_path / "file").touch()
    text = str(tmp_path / place) if place else ""

    assert "TMPDIR" not in clean_environment({"TMPDIR": text})
    assert str(tmp_path) == clean_environment({"TMPDIR": str(tmp_path)})["TMPDIR"]


def test_step_that_fetches_sees_where_from() -> None:
    """Index, proxy and certificate variables reach pip and apt, which only download."""
    expected = ALL_STEPS | FIXED | {name: CALLERS[name] for name in FETCHING}

    assert expected == clean_environment(CALLERS, fetching=True)


def test_program_gets_the_variables_of_its_step(monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment of a real program, with and without network access."""
    for name, value in CALLERS.items():
        if name not in {"PATH", "TMPDIR", "LD_PRELOAD"}:
            monkeypatch.setenv(name, value)
    show = python("import os; print(*sorted(os.environ))")

    assert "PIP_INDEX_URL" not in run(show).decode().split()
    assert "secret" not in run(python("import os; print(os.environ)")).decode()
    assert {*FETCHING} <= set(run(show, fetching=True).decode().split())
    assert "GITHUB_TOKEN" not in run(show, fetching=True).decode().split()


@pytest.mark.parametrize("follow", [False, True])
def test_passwords_are_not_in_messages(monkeypatch: pytest.MonkeyPatch, *, follow: bool) -> None:
    """Arguments, output and progress lines are shown without the password of an address."""
    address = "https://me:pa55word@index.example/simple"
    monkeypatch.setenv("PIP_EXTRA_INDEX_URL", f"https://index.example {address}")
    code = f"import sys; print('reading {address} with pa55word'); sys.exit('\\x1b]0;title')"
    lines: list[str] = []

    with pytest.raises(ToolError) as caught:
        run(python(code), on_line=lines.append if follow else None)

    text = "".join([str(caught.value), caught.value.detail, *lines])
    assert "pa55word" not in text
    assert "me:" not in text
    assert "https://****@index.example/simple with ****" in caught.value.detail
    assert "\x1b" not in text


def test_programs_may_open_as_many_files_as_the_machine_allows() -> None:
    """The soft limit of a shell is raised to the hard one, for children as well."""
    code = (
        "import resource as r, sys; from onebin.effects.process import allow_open_files, run;"
        "hard = r.getrlimit(r.RLIMIT_NOFILE)[1]; r.setrlimit(r.RLIMIT_NOFILE, (256, hard));"
        "allow_open_files();"
        "code = 'import resource as r; print(len(set(r.getrlimit(r.RLIMIT_NOFILE))))';"
        "print(run([sys.executable, '-c', code]).decode())"
    )

    assert "1" == run(python(code)).decode().strip()


def test_output_without_line_ends_is_not_held() -> None:
    """A followed program's output comes in bounded pieces, and the last are kept."""
    longest = 0

    def note(line: str) -> None:
        nonlocal longest
        longest = max(longest, len(line))

    with pytest.raises(ToolError, match="status 1") as caught:
        run(python("print('x' * (4 << 20), end=''); raise SystemExit(1)"), on_line=note)

    assert 1 << 16 == longest
    assert len(caught.value.detail) <= TAIL_LINES << 16


def is_running(*, process: int = 0, group: int = 0) -> bool:
    """A process without a parent that waits for it may stay a zombie."""
    for file in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            fields = file.read_text().rpartition(") ")[2].split()
            wanted = process == int(file.parent.name) if process else group == int(fields[2])
            if wanted and fields[0] not in "ZX":
                return True
    return False


def run_python(code: str, seconds: float, tmp_path: Path) -> Ended:
    return run_for(
        python(code), env={"NAME": "value"}, cwd=tmp_path, seconds=seconds, on_line=lambda _: None
    )


def test_a_program_with_a_time_limit(tmp_path: Path) -> None:
    """Its status, and the end of its output; of the caller's environment only what all get."""
    done = run_python("import os; print(os.environ['NAME'], os.getcwd()); exit(3)", 60, tmp_path)

    assert Ended(3, in_time=True, output=f"value {tmp_path}\n") == done


@pytest.mark.parametrize(
    "code",
    [
        "import time; print('began', flush=True); time.sleep(900)",
        # It ignores the signal; its child goes on.
        "import signal as s; s.signal(15, s.SIG_IGN); print('began', flush=True); s.pause()",
        "import os; print('began', flush=True); os.spawnlp(os.P_WAIT, 'sleep', 'sleep', '900')",
    ],
)
def test_a_program_is_ended_with_all_it_started(
    code: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("onebin.effects.process.GRACE_SECONDS", 0.3)
    group: list[int] = []

    done = run_for(
        python(f"import os; print(os.getpgid(0), flush=True)\n{code}"),
        env={}, cwd=tmp_path, seconds=1.5,
        on_line=lambda line: group.append(int(line)) if line.strip().isdigit() else None,
    )  # fmt: skip

    assert (False, True) == (done.in_time, "began" in done.output)
    assert not is_running(group=group[0])


def test_what_a_program_leaves_behind_is_ended(tmp_path: Path) -> None:
    """A child in the background ends with the command."""
    code = (
        "import subprocess, sys\n"
        "p = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(900)'])\nprint(p.pid)"
    )
    done = run_python(code, 60, tmp_path)

    assert (0, True) == (done.status, done.in_time)
    assert not is_running(process=int(done.output))
