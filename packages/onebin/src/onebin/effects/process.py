"""The one place where onebin starts a program."""

import contextlib
import os
import resource
import signal
import subprocess
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final, Protocol

import msgspec

from onebin import secret
from onebin.errors import ToolError

from . import index_settings
from .resident import Resident

TAIL_LINES: Final = 25
"""Lines of a failed program's output to show: a compiler's message, not a whole build log."""

MAX_LINE: Final = 1 << 16
"""Characters of a line that is followed: a longer one comes in pieces. A linker's call has some
ten thousand; a program without line ends would fill the memory."""

GRACE_SECONDS: Final = 5
"""From SIGTERM to SIGKILL: half of what an orchestrator gives."""

# The part of the caller's environment that a step may see. Everything else (CFLAGS, PYTHON*,
# LC_*) would make the result depend on the caller, or leak secrets to the code that is built.
INHERITED_ENV: Final = frozenset({"PATH", "HOME", "TMPDIR"})

# Variables that only a step that fetches may see: where from, and as which user. They hold the
# passwords of indexes and proxies, as do the files the first two name.
INHERITED_BY_FETCH: Final = frozenset(
    {
        "NETRC", "XDG_CONFIG_HOME",
        "http_proxy", "https_proxy", "no_proxy", "all_proxy",
        "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "ALL_PROXY",
    }
)  # fmt: skip
INHERITED_BY_FETCH_PREFIXES: Final = ("PIP_", "SSL_CERT_", "REQUESTS_CA_")


PIP: Final = Resident(Path(__file__).parent.parent / "target" / "pip_for_target.py")
"""Importing pip takes longer than most calls of it."""


class RunCommand(Protocol):
    """Start *argv*, wait for it and return its stdout."""

    def __call__(
        self,
        argv: Sequence[str | Path],
        *,
        cwd: Path | None = None,
        env: Mapping[str, str] | None = None,
        stdin: bytes | None = None,
        on_line: Callable[[str], None] | None = None,
        fetching: bool = False,
    ) -> bytes:
        """Run it.

        Args:
            argv: The program and its arguments; no shell is involved.
            cwd: The directory to run in; the caller's where absent.
            env: Added to a clean environment.
            stdin: Fed to the program; nothing where absent.
            on_line: Called with each line of combined output as it comes, which is then
                not returned: progress of long programs.
            fetching: Whether it only fetches, and runs no fetched code: it
                sees the caller's indexes, proxies and passwords.

        Raises:
            ToolError: the program is missing or ended with another status than 0.
        """
        ...


def run(
    argv: Sequence[str | Path],
    *,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    stdin: bytes | None = None,
    on_line: Callable[[str], None] | None = None,
    fetching: bool = False,
) -> bytes:
    """Start a program for real; see ``RunCommand``."""
    words = [os.fspath(word) for word in argv]
    full_env = clean_environment(os.environ, fetching=fetching) | dict(env or {})
    if PIP.takes(words) and (done := PIP.run(words[3:], cwd=cwd, env=full_env)):
        return _printed(words, done.status, done.stdout, done.stderr)
    try:
        if on_line is None:
            return _collect(words, cwd, full_env, stdin)
        return _stream(words, cwd, full_env, on_line)
    except FileNotFoundError as exc:
        raise ToolError(f"{words[0]}: no such program", hint="install it or correct PATH") from exc


class Ended(msgspec.Struct, frozen=True):
    """How a program ended that had so much time."""

    status: int
    """Of its exit; negative for a signal."""
    in_time: bool
    """Whether it ended by itself."""
    output: str
    """Its last lines."""


def run_for(
    argv: Sequence[str],
    *,
    env: Mapping[str, str],
    cwd: Path,
    seconds: float,
    on_line: Callable[[str], None],
) -> Ended:
    """Start *argv* as a session, and end all of it after *seconds*.

    Processes that it started and left behind end as well: by SIGTERM, then by SIGKILL.

    Raises:
        ToolError: the program is missing.
    """
    tail: deque[str] = deque(maxlen=TAIL_LINES)
    full_env = clean_environment(os.environ) | dict(env)
    try:
        process = subprocess.Popen(  # noqa: S603  (no shell; the user's own command)
            argv, cwd=cwd, env=full_env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True, errors="replace", start_new_session=True,
        )  # fmt: skip
    except OSError as exc:
        raise ToolError(
            f"{argv[0]}: cannot be started: {exc.strerror}", hint="install it or correct PATH"
        ) from exc
    stream = process.stdout
    assert stream is not None  # noqa: S101  (PIPE)

    def follow() -> None:
        while line := stream.readline(MAX_LINE):
            tail.append(line)
            on_line(secret.hidden(line))

    reader = threading.Thread(target=follow, daemon=True)
    reader.start()
    in_time = True
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        in_time = False
    finally:
        _end_session(process)
    reader.join(GRACE_SECONDS)
    stream.close()
    return Ended(process.returncode, in_time, "".join(tail))


def _end_session(process: subprocess.Popen[str]) -> None:
    """End *process* and all that it has started in its session."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, number)
        except ProcessLookupError:
            break
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(GRACE_SECONDS)
        _wait_for_group(process.pid)
    process.wait()


def _wait_for_group(group: int) -> None:
    """Wait until no process of *group* runs, for a while."""
    ends = time.monotonic() + GRACE_SECONDS
    while _is_running(group) and time.monotonic() < ends:
        time.sleep(0.02)


def _is_running(group: int) -> bool:
    """Whether a process of *group* runs, and has not ended without its parent's wait (proc(5))."""
    for file in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            state, _, found, *_ = file.read_text("utf-8", "replace").rpartition(") ")[2].split(" ")
            if int(found) == group and state not in {"Z", "X"}:
                return True
    return False


def run_offline(
    argv: Sequence[str | Path],
    *,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    stdin: bytes | None = None,
    on_line: Callable[[str], None] | None = None,
    fetching: bool = False,
) -> bytes:
    """Start a program; pip has no index (a ``RunCommand``)."""
    if fetching:
        env = {**(env or {}), "PIP_NO_INDEX": "1"}
    return run(argv, cwd=cwd, env=env, stdin=stdin, on_line=on_line, fetching=fetching)


def cpus() -> int:
    """Return how many programs, or threads that hold no lock of the interpreter, run at once."""
    return len(os.sched_getaffinity(0))


def allow_open_files() -> None:
    """Raise the limit of open files to the hard limit, for this process and its children.

    The usual soft limit of 1024 is one for programs that call select(2). The compiler builds
    musl with hundreds of processes at once and fails under it.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def clean_environment(environ: Mapping[str, str], *, fetching: bool = False) -> dict[str, str]:
    """Return the part of *environ* that may reach a step, with a fixed locale."""
    kept = {
        name: value
        for name, value in environ.items()
        if name in INHERITED_ENV
        or (
            fetching
            and (name in INHERITED_BY_FETCH or name.startswith(INHERITED_BY_FETCH_PREFIXES))
        )
    }
    # Python takes another folder then, and so do compilers where none is given.
    if not os.access(kept.get("TMPDIR", ""), os.W_OK | os.X_OK):
        kept.pop("TMPDIR", None)
    if fetching:
        kept |= index_settings.of_uv(environ)
    return kept | {"LC_ALL": "C.UTF-8", "TZ": "UTC"}


def _collect(words: list[str], cwd: Path | None, env: dict[str, str], stdin: bytes | None) -> bytes:
    done = subprocess.run(  # noqa: S603  (no shell; every argv is built by onebin)
        words, cwd=cwd, env=env, input=stdin or b"", capture_output=True, check=False
    )
    return _printed(words, done.returncode, done.stdout, done.stderr)


def _printed(words: list[str], status: int, stdout: bytes, stderr: bytes) -> bytes:
    if status != 0:
        raise _failed(words, status, (stdout + stderr).decode(errors="replace"))
    return stdout


def _stream(
    words: list[str], cwd: Path | None, env: dict[str, str], on_line: Callable[[str], None]
) -> bytes:
    tail: deque[str] = deque(maxlen=TAIL_LINES)
    with subprocess.Popen(  # noqa: S603  (as above)
        words,
        cwd=cwd,
        env=env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    ) as process:
        assert process.stdout is not None  # noqa: S101  (PIPE)
        try:
            while line := process.stdout.readline(MAX_LINE):
                tail.append(line)
                on_line(secret.hidden(line))
        except BaseException:
            process.kill()  # or the end of an interrupted build would wait for it
            raise
    if process.returncode != 0:
        raise _failed(words, process.returncode, "".join(tail))
    return b""


def _failed(words: list[str], status: int, output: str) -> ToolError:
    last = "\n".join(secret.hidden(line) for line in output.strip().splitlines()[-TAIL_LINES:])
    how = f"status {status}" if status >= 0 else f"signal {-status}"
    # Passwords are hidden before the line is cut: half of one would not be known.
    line = _short(secret.hidden(" ".join(words)))
    return ToolError(f"{Path(words[0]).name} ended with {how}: {line}", detail=last)


def _short(line: str) -> str:
    limit = 160  # one or two lines of a terminal: enough to know which call it was
    return line if len(line) <= limit else line[:limit] + " …"
