"""Random schedules of signals, deaths and connections: the service serves on, and ends well."""

import contextlib
import os
import signal
import time
from typing import TYPE_CHECKING, Final

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from .load_clients import read_answer
from .raw_requests import GET
from .running import HALF, PATIENCE_SECONDS, Process, until

pytestmark = [pytest.mark.claim("every state and every signal"), pytest.mark.claim("signals")]

if TYPE_CHECKING:
    import socket

SCHEDULES: Final = settings().max_examples // 12
"""Per number of workers; a schedule takes as long as a dozen examples of other properties."""

DEADLY: Final = {signal.SIGKILL, signal.SIGSEGV, signal.SIGABRT}

STEPS = st.one_of(
    st.tuples(
        st.just("service"),
        st.sampled_from([signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2, signal.SIGCHLD]),
        st.just(0),
    ),
    st.tuples(
        st.just("worker"),
        st.sampled_from(
            [
                signal.SIGTERM,
                signal.SIGINT,
                signal.SIGHUP,
                signal.SIGUSR1,
                signal.SIGQUIT,
                signal.SIGCHLD,
                signal.SIGSTOP,
                *DEADLY,
            ]
        ),
        st.integers(0, 7),
    ),
    st.tuples(st.sampled_from(["ask", "begin", "finish", "idle"]), st.none(), st.just(0)),
    st.tuples(st.just("pause"), st.none(), st.integers(1, 200)),
)
"""Event, signal, and which worker or how many milliseconds."""


class Play:
    """One service, and the clients of one schedule."""

    def __init__(self, workers: int) -> None:
        self.workers = workers
        self.service = Process("--workers", str(workers), "--drain-seconds", "2")
        self.begun: list[tuple[socket.socket, bool]] = []
        self.has_killed = False
        self.stopped: set[int] = set()

    def step(self, kind: str, number: signal.Signals | None, which: int) -> None:
        match kind:
            case "service":
                assert number
                os.kill(self.service.pid, number)
            case "worker":
                assert number
                self.signal_worker(number, which)
            case "ask":
                assert self.service.answers()
            case "begin" | "idle":
                sock = self.service.connect()
                sock.sendall(GET + (HALF if kind == "begin" else b""))
                read_answer(sock)
                self.begun.append((sock, kind == "begin"))
            case "finish":
                self.finish()
            case _:
                time.sleep(which / 1000)

    def signal_worker(self, number: signal.Signals, which: int) -> None:
        pids = self.service.children()
        if not pids:
            return
        pid = pids[which % len(pids)]
        self.has_killed |= number in DEADLY
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)
        if number == signal.SIGSTOP:
            self.stopped.add(pid)

    def go_on(self) -> None:
        """Let every stopped worker go on."""
        for pid in self.stopped:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)
        self.stopped.clear()

    def finish(self) -> None:
        """Finish begun requests: each gets a response unless a worker was killed."""
        self.go_on()
        while self.begun:
            sock, has_begun = self.begun.pop()
            with sock:
                if not has_begun:
                    continue
                try:
                    sock.sendall(GET[len(HALF) :])
                    answer = read_answer(sock)
                except OSError:
                    answer = b""
                assert answer.startswith(b"HTTP/1.1 200 OK\r\n") or self.has_killed

    def end(self, number: signal.Signals) -> None:
        """End it; check the remaining connections, the exit status and that no process is left."""
        self.go_on()
        if self.workers > 1:
            until(lambda: len(self.service.children()) >= self.workers)
        assert self.service.answers()
        self.service.process.send_signal(number)
        assert self.service.wait() == 0
        names = [event["event"] for event in self.service.read() if "worker" not in event]
        assert names[-3:] == ["draining", "termination", "stopped"]
        with pytest.raises(ProcessLookupError):
            # no process of the service's group is left
            until(lambda: os.killpg(self.service.pid, 0), seconds=PATIENCE_SECONDS)

    def close(self) -> None:
        for sock, _ in self.begun:
            sock.close()
        self.service.close()


@pytest.mark.parametrize("workers", [1, 2, 8])
def test_schedule(workers: int) -> None:
    """Any events in any order: new clients are served, and the exit status is 0."""

    @settings(
        max_examples=SCHEDULES,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        database=None,
    )
    @given(
        st.lists(STEPS, min_size=4, max_size=14),
        st.sampled_from([signal.SIGTERM, signal.SIGINT]),
    )
    def play_all(steps: list[tuple[str, signal.Signals | None, int]], last: signal.Signals) -> None:
        play = Play(workers)
        with contextlib.closing(play):
            assert play.service.answers()
            for step in steps:
                play.step(*step)
            play.end(last)

    play_all()
