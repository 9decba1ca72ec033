"""The life-cycle table, a test a cell: a real process brought to the state, then signalled."""

import contextlib
import functools
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from signal import SIGCHLD, SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2, Signals
from typing import Any, Final

import msgspec
import pytest

from devops_info_service.http.lifecycle import (
    ALONE,
    SIGNALS,
    SUPERVISOR,
    WORKER,
    Action,
    Lifecycle,
    Table,
)

from .asking import GET
from .load import read_answer

PATIENCE_SECONDS: Final = 20
HALF: Final = GET[:10]
"""A request that has begun: it keeps a process from ending."""


class Process:
    """A service with a log that is read as it comes."""

    def __init__(self, *flags: str, inherit: Callable[[], object] | None = None) -> None:
        self.events: list[dict[str, Any]] = []
        self.process = subprocess.Popen(
            [sys.executable, "-m", "devops_info_service", "--port", "0", *flags],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            preexec_fn=inherit,  # noqa: PLW1509  what a parent hands on is the case
            start_new_session=True,
        )
        assert self.process.stdout is not None
        os.set_blocking(self.process.stdout.fileno(), False)
        self._rest = b""

    @property
    def pid(self) -> int:
        return self.process.pid

    def read(self) -> list[dict[str, Any]]:
        """Return all events so far."""
        assert self.process.stdout is not None
        with contextlib.suppress(BlockingIOError):
            while data := os.read(self.process.stdout.fileno(), 65536):
                self._rest += data
        *lines, self._rest = self._rest.split(b"\n")
        self.events += map(msgspec.json.decode, lines)
        return self.events

    def names(self) -> list[str]:
        """Return the names of all events so far."""
        return [event["event"] for event in self.read()]

    def has(self, event: str) -> bool:
        """Whether *event* has been told."""
        return event in self.names()

    @property
    def port(self) -> int:
        until(lambda: self.has("listening"))
        (listening,) = [event for event in self.events if event["event"] == "listening"]
        port: int = listening["port"]
        return port

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE_SECONDS)

    def answers(self) -> bool:
        """Whether a new connection is answered."""
        with self.connect() as sock:
            sock.sendall(GET)
            return read_answer(sock).startswith(b"HTTP/1.1 200 OK\r\n")

    def children(self) -> list[int]:
        """Return the pids of its workers."""
        pid = self.process.pid
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            text = Path(f"/proc/{pid}/task/{pid}/children").read_text()
            return [int(word) for word in text.split()]
        return []

    def wait(self) -> int:
        return self.process.wait(PATIENCE_SECONDS)

    def close(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        for stream in (self.process.stdout, self.process.stderr):
            assert stream is not None
            stream.close()


Start = Callable[..., Process]


@pytest.fixture
def run() -> Iterator[Start]:
    """Start services that end with the test, connections with them."""
    with contextlib.ExitStack() as stack:

        def start(*flags: str, **more: Any) -> Process:
            process = Process(*flags, **more)
            stack.callback(process.close)
            return process

        yield start


def until(fact: Callable[[], Any], seconds: float = PATIENCE_SECONDS) -> Any:
    """Wait until *fact* is so, and return it."""
    deadline = time.monotonic() + seconds
    while not (found := fact()):
        assert time.monotonic() < deadline, "it never came to be"
        time.sleep(0.01)
    return found


def cells(table: Table) -> list[Any]:
    """Return every cell of *table*."""
    return [
        pytest.param(state, number, action, id=f"{state.name}-{number.name}-{action.name}")
        for state, row in table.items()
        for number, action in row.items()
    ]


@pytest.mark.parametrize("table", [ALONE, SUPERVISOR, WORKER])
def test_table_is_whole(table: Table) -> None:
    """Every state answers every signal."""
    assert [set(row) for row in table.values()] == [set(SIGNALS)] * len(table)


def hold_signals() -> None:
    """Inherit the signals blocked, as the executable blocks them in its first instructions."""
    signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)


LATER: Final = {
    SIGTERM: ["listening", "draining", "termination", "stopped"],
    SIGINT: ["listening", "draining", "termination", "stopped"],
    SIGQUIT: ["listening", "stopped_now"],
    SIGHUP: ["listening", "reloaded"],
    SIGUSR1: ["listening"],
    SIGUSR2: ["listening"],
    SIGCHLD: ["listening"],
}
"""What a signal does that came while the process was starting."""


@pytest.mark.parametrize(("state", "number", "action"), cells(ALONE))
def test_alone(run: Start, state: Lifecycle, number: Signals, action: Action) -> None:
    """A process that serves alone."""
    service = run("--drain-seconds", "60", inherit=hold_signals)
    if state is Lifecycle.STARTING:
        assert action is Action.HOLD
        service.process.send_signal(number)
        until(lambda: service.names() == LATER[number])
        assert_end(service, number, LATER[number][-1])
        return
    with service.connect() as sock:
        sock.sendall(GET + HALF)
        read_answer(sock)
        if state is Lifecycle.STOPPING:
            service.process.send_signal(SIGTERM)
            until(lambda: service.has("draining"))
        service.process.send_signal(number)
        act(service, action, number)
        if action in {Action.NONE, Action.REAP, Action.RELOAD, Action.STOP}:
            # What has begun is finished, whatever came.
            sock.sendall(GET[10:])
            assert read_answer(sock).startswith(b"HTTP/1.1 200 OK\r\n")
    if action is not Action.STOP_NOW:
        if state is Lifecycle.SERVING and action is not Action.STOP:
            assert service.answers()
            service.process.send_signal(SIGTERM)
        assert service.wait() == 0


def assert_end(service: Process, number: Signals, last: str) -> None:
    """Assert the exit status that belongs to the last event."""
    if last == "stopped":
        assert service.wait() == 0
    elif last == "stopped_now":
        assert service.wait() == 128 + number
    else:
        assert service.answers()


def act(service: Process, action: Action, number: Signals) -> None:
    """Wait for what *action* shows of itself."""
    match action:
        case Action.STOP:
            until(lambda: service.has("draining"))
        case Action.STOP_NOW:
            assert service.wait() == 128 + number
            assert service.names()[-1] == "stopped_now"
        case Action.RELOAD:
            until(lambda: service.has("reloaded"))
        case _:
            # Nothing shows: it lives, and says nothing of it, at a time when others would.
            time.sleep(0.2)
            assert service.process.poll() is None
            told = {event["event"] for event in service.read() if "worker" not in event}
            assert not {"reloaded", "stopped", "stopped_now"} & told


@pytest.mark.parametrize(("state", "number", "action"), cells(SUPERVISOR))
def test_supervisor(run: Start, state: Lifecycle, number: Signals, action: Action) -> None:
    """A supervisor of two workers."""
    service = run("--workers", "2", "--drain-seconds", "60", inherit=hold_signals)
    if state is Lifecycle.STARTING:
        service.process.send_signal(number)
        # The end of a service that was never announced is told of without an announcement.
        until(
            lambda: (
                [name for name in LATER[number] if name not in service.names()]
                in ([], ["listening"])
            )
        )
        assert_end(service, number, LATER[number][-1])
        until(lambda: len(service.children()) in {0, 2})
        return
    until(lambda: len(service.children()) == 2)
    with service.connect() as sock:
        sock.sendall(GET + HALF)
        read_answer(sock)
        if state is Lifecycle.STOPPING:
            service.process.send_signal(SIGTERM)
            until(lambda: "draining" in [e["event"] for e in service.read() if "worker" not in e])
        if state is Lifecycle.RELOADING:
            service.process.send_signal(SIGHUP)
        service.process.send_signal(number)
        if action is Action.RELOAD:
            until(lambda: service.has("reloaded"))
        elif state is not Lifecycle.RELOADING or action is Action.STOP_NOW:
            act(service, action, number)
        if action is not Action.STOP_NOW:
            sock.sendall(GET[10:])
            assert read_answer(sock).startswith(b"HTTP/1.1 200 OK\r\n")
    if action is not Action.STOP_NOW:
        if state is not Lifecycle.STOPPING and action is not Action.STOP:
            assert service.answers()
            service.process.send_signal(SIGTERM)
        assert service.wait() == 0
    workers = [event for event in service.read() if event["event"] == "worker"]
    assert [event for event in workers if event["level"] == "error"] == []
    until(lambda: not service.children())


@pytest.mark.parametrize(("state", "number", "action"), cells(WORKER))
def test_worker(run: Start, state: Lifecycle, number: Signals, action: Action) -> None:
    """One of two workers is signalled alone: the service serves on, with two workers."""
    service = run("--workers", "2", "--drain-seconds", "60")
    first = until(lambda: pids if len(pids := service.children()) == 2 else None)
    if state is Lifecycle.STARTING:
        # A worker in its first millisecond: it is a fresh one, stopped as soon as it is there.
        assert service.answers()
        os.kill(first[0], signal.SIGKILL)
        (worker,) = until(lambda: set(service.children()) - set(first))
        os.kill(worker, number)
        until(lambda: len(service.children()) == 2)
        assert service.answers()
        service.process.send_signal(SIGTERM)
        assert service.wait() == 0
        return
    with contextlib.ExitStack() as stack:
        held = hold(stack, service, first)
        worker, sock = held.popitem()
        if state is Lifecycle.RETIRING:
            os.kill(worker, SIGTERM)
            until(lambda: len(service.children()) == 3)
        if state is Lifecycle.STOPPING:
            service.process.send_signal(SIGTERM)
            until(lambda: service.names().count("draining") == 3)
        os.kill(worker, number)
        if action in {Action.RETIRE, Action.LEAVE} and action is Action.LEAVE:
            until(lambda: len(service.children()) == 3)
        time.sleep(0.1)
        sock.sendall(GET[10:])
        assert read_answer(sock).startswith(b"HTTP/1.1 200 OK\r\n")
        if state is not Lifecycle.STOPPING:
            for _ in range(20):
                assert service.answers()
            if action is not Action.NONE or state is Lifecycle.RETIRING:
                until(lambda: worker not in service.children())
            until(lambda: len(service.children()) == 2)
            service.process.send_signal(SIGTERM)
        for other in held.values():
            other.sendall(GET[10:])
            assert read_answer(other).startswith(b"HTTP/1.1 200 OK\r\n")
    assert service.wait() == 0


def hold(
    stack: contextlib.ExitStack, service: Process, workers: list[int]
) -> dict[int, socket.socket]:
    """Return a connection with a request begun for each of *workers*."""
    held: dict[int, socket.socket] = {}
    while len(held) < len(workers):
        sock = stack.enter_context(service.connect())
        sock.sendall(GET + HALF)
        read_answer(sock)
        port = sock.getsockname()[1]
        (owner,) = until(functools.partial(owners, workers, service.port, port))
        if owner not in held:
            held[owner] = sock
    return held


def owners(workers: list[int], port: int, peer: int) -> list[int]:
    """Return the workers that hold the connection of *peer*, by /proc."""
    row = f"0100007F:{port:04X} 0100007F:{peer:04X}"
    inode = next(
        line.split()[9] for line in Path("/proc/net/tcp").read_text().splitlines() if row in line
    )
    found = []
    for worker in workers:
        for link in Path(f"/proc/{worker}/fd").iterdir():
            with contextlib.suppress(FileNotFoundError):
                if str(link.readlink()) == f"socket:[{inode}]":
                    found.append(worker)
    return found


# What is inherited.


def ignore_all() -> None:
    """Hand on every signal ignored, as a careless shell script does."""
    for number in SIGNALS:
        signal.signal(number, signal.SIG_IGN)


def block_all() -> None:
    """Hand on every signal blocked, as a program that execs from a handler does."""
    signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())


def both() -> None:
    """Hand on the worst of both."""
    ignore_all()
    block_all()


@pytest.mark.parametrize("number", [SIGTERM, SIGINT])
@pytest.mark.parametrize("workers", ["1", "2"])
@pytest.mark.parametrize("inherit", [ignore_all, block_all, both])
def test_inherited_signals(
    run: Start, inherit: Callable[[], None], workers: str, number: Signals
) -> None:
    """Signals ignored or blocked by who starts the service are heard all the same."""
    service = run("--workers", workers, inherit=inherit)
    assert service.answers()
    if workers == "2":
        before = until(lambda: pids if len(pids := service.children()) == 2 else None)
        os.kill(before[0], signal.SIGKILL)
        until(lambda: len(set(service.children()) - {before[0]}) == 2)
    service.process.send_signal(number)

    assert service.wait() == 0


@pytest.mark.parametrize("workers", ["1", "2"])
def test_inherited_rest(run: Start, workers: str) -> None:
    """A umask of 0, core files and few files to begin with are set right."""
    import resource  # noqa: PLC0415

    def inherit() -> None:
        os.umask(0)
        _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (10, hard))
        resource.setrlimit(resource.RLIMIT_CORE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))

    service = run("--workers", workers, inherit=inherit)
    assert service.answers()
    for pid in (service.pid, *service.children()):
        status = Path(f"/proc/{pid}/status").read_text()
        limits = Path(f"/proc/{pid}/limits").read_text()
        assert "Umask:\t0077" in status
        assert any(
            line.split()[:5] == ["Max", "core", "file", "size", "0"] for line in limits.splitlines()
        )
        (files,) = [line.split()[3] for line in limits.splitlines() if "open files" in line]
        assert int(files) > 100


def test_too_few_files(run: Start) -> None:
    """Where hardly any file can be open, one line says what is wrong and what to do."""
    import resource  # noqa: PLC0415

    service = run(inherit=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (20, 20)))

    assert service.wait() == 1
    assert service.process.stderr is not None
    assert service.process.stderr.read() == (
        b"devops-info-service: open files: the limit is 20; expected at least 24"
        b" (ulimit -n, LimitNOFILE=, --ulimit nofile=)\n"
    )


@pytest.mark.parametrize("workers", ["1", "2", "8"])
def test_first_process_that_is_told_at_once(workers: str) -> None:
    """SIGTERM to PID 1 that comes before it serves is not lost."""
    unshare = ["unshare", "--pid", "--fork", "--kill-child"]
    if subprocess.run([*unshare, "true"], capture_output=True, check=False).returncode:
        pytest.skip("no namespace of processes of our own here")
    for delay in (0.0, 0.005, 0.02, 0.05, 0.1, 0.2):
        with subprocess.Popen(
            [*unshare, sys.executable, "-m", "devops_info_service", "--workers", workers],
            env={**os.environ, "PORT": "0"},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            preexec_fn=hold_signals,  # noqa: PLW1509  as the executable's first instructions do
        ) as process:
            (first,) = until(functools.partial(children_of, process.pid))
            time.sleep(delay)
            os.kill(first, SIGTERM)
            out, err = process.communicate(timeout=PATIENCE_SECONDS)

            assert (process.returncode, err) == (0, b"")
            assert b'"event":"stopped"' in out


def children_of(pid: int) -> list[int]:
    """Return the children of *pid*."""
    return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


# Workers and the socket they share.


def test_worker_told_to_end_again_and_again(run: Start) -> None:
    """A worker that ends alone takes the shared socket with it for nobody."""
    service = run("--workers", "2")
    for _ in range(5):
        workers = until(lambda: pids if len(pids := service.children()) == 2 else None)
        os.kill(workers[0], SIGTERM)
        until(functools.partial(is_replaced, service, workers[0]))
        for _ in range(20):
            assert service.answers()
    service.process.send_signal(SIGTERM)

    assert service.wait() == 0
    told = [event for event in service.read() if event["event"] == "worker"]
    assert [event["level"] for event in told] == ["info"] * 5


def is_replaced(service: Process, gone: int) -> bool:
    """Whether two workers are there, and *gone* is none of them."""
    pids = service.children()
    return len(pids) == 2 and gone not in pids


def test_control_group(run: Start) -> None:
    """systemd signals every process of the service at once: one end, each request answered."""
    service = run("--workers", "2", "--drain-delay-seconds", "1")
    assert service.answers()
    workers = until(lambda: pids if len(pids := service.children()) == 2 else None)
    for pid in (*workers, service.pid):
        os.kill(pid, SIGTERM)
    until(lambda: service.names().count("draining") == 3)
    # The delay: there is nobody else yet, so they answer still.
    assert service.answers()

    assert service.wait() == 0
    (record,) = [event for event in service.read() if event["event"] == "termination"]
    assert (record["killed_processes"], record["requests"]) == (0, 1)


def test_worker_that_hangs(run: Start) -> None:
    """A worker that does not come round is noticed, replaced and counted."""
    service = run("--workers", "2", "--worker-timeout-seconds", "3")
    until(lambda: b"\nservice_workers 2\n" in metrics_of(service))
    workers = service.children()
    os.kill(workers[1], signal.SIGSTOP)
    until(functools.partial(is_replaced, service, workers[1]))
    (told,) = [event for event in service.read() if event["event"] == "worker"]

    assert told["level"] == "error"
    assert told["message"] == (f"process {workers[1]} ended: its loop did not come round for 3 s")
    # What is rendered is kept for a second.
    metrics = until(
        lambda: (
            text if b"\nservice_worker_hangs_total 1\n" in (text := metrics_of(service)) else None
        )
    )
    assert b"\nservice_worker_restarts_total 1\n" in metrics


def metrics_of(service: Process) -> bytes:
    """Return what a scrape gets."""
    with service.connect() as sock:
        sock.sendall(b"GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n")
        return read_answer(sock)
