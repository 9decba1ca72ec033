"""Random schedules of signals, deaths and connections: the service serves on, and ends well."""

import contextlib
import os
import signal
import time
from typing import Final

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.lib.http_client import GET, HALF, REST, Connection, ProtocolError
from tests.lib.running_service import RunningService
from tests.lib.waiting import until

pytestmark = [pytest.mark.claim("every state and every signal"), pytest.mark.claim("signals")]

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
    st.tuples(st.sampled_from(["request", "begin", "finish", "idle"]), st.none(), st.just(0)),
    st.tuples(st.just("pause"), st.none(), st.integers(1, 200)),
)
"""Event, signal, and which worker or how many milliseconds."""


class Play:
    """One service, and the clients of one schedule."""

    def __init__(self, workers: int) -> None:
        self.workers = workers
        self.service = RunningService("--workers", str(workers), "--drain-seconds", "2")
        self.begun: list[tuple[Connection, bool]] = []
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
            case "request":
                assert self.service.responds()
            case "begin" | "idle":
                connection = self.service.connect()
                connection.send(GET + (HALF if kind == "begin" else b""))
                connection.read()
                self.begun.append((connection, kind == "begin"))
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
            connection, has_begun = self.begun.pop()
            with connection:
                if not has_begun:
                    continue
                try:
                    connection.send(REST)
                    assert connection.read().status == 200
                except (OSError, ProtocolError):
                    assert self.has_killed

    def end(self, number: signal.Signals) -> None:
        """End it; check the remaining connections, the exit status and that no process is left."""
        self.go_on()
        if self.workers > 1:
            until(lambda: len(self.service.children()) >= self.workers)
        assert self.service.responds()
        self.service.signal(number)
        assert self.service.wait() == 0
        names = [event["event"] for event in self.service.events() if "worker" not in event]
        assert names[-3:] == ["draining", "termination", "stopped"]
        with pytest.raises(ProcessLookupError):
            # no process of the service's group is left
            until(lambda: os.killpg(self.service.pid, 0))

    def close(self) -> None:
        for connection, _ in self.begun:
            connection.close()
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
            assert play.service.responds()
            for step in steps:
                play.step(*step)
            play.end(last)

    play_all()
