"""The supervisor between two polls: a change of its workers meanwhile is not missed."""

import signal
import socket
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from devops_info_service.http.connection.listener import Sockets
from devops_info_service.http.processes import prefork as workers
from devops_info_service.http.processes.worker_pool import WorkerPool
from devops_info_service.http.shared_memory.counters import READY, Counters
from devops_info_service.http.wire.limits import MAX_PROCESSES

from .test_worker_pool import FakeProcesses


def test_ready_after_the_check(monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker that becomes ready right after its poll is announced all the same."""
    counters = Counters(MAX_PROCESSES)
    processes = FakeProcesses()
    waits: list[float] = []

    class SlowPool(WorkerPool):
        @property
        def ready(self) -> bool:
            was = super().ready
            counters.worker(0)[READY] = 1
            return was

    def sleep(_: object, seconds: float) -> Any:
        waits.append(seconds)
        if seconds < 1:
            return None
        return SimpleNamespace(si_signo=signal.SIGTERM)

    def reap() -> Iterator[tuple[int, int]]:
        for pid, _ in processes.sent:
            yield pid, 0

    monkeypatch.setattr(workers, "WorkerPool", SlowPool)
    monkeypatch.setattr(workers, "_ForkedWorkers", lambda *_: processes)
    monkeypatch.setattr(workers, "reap", reap)
    monkeypatch.setattr(signal, "sigtimedwait", sleep)
    monkeypatch.setattr(signal, "pthread_sigmask", lambda *_: None)
    workers.supervise(
        Sockets(socket.create_server(("127.0.0.1", 0))),
        counters,
        lambda *_: None,
        count=lambda: 1,
        drain_delay_seconds=0,
        drain_seconds=1,
        hung_seconds=30,
        log=processes,
        on_record=lambda *_: None,
        on_wake=lambda: 3600.0,
    )

    assert processes.told == ["listening", "draining", "stopped"]
    assert waits[0] < 1 < waits[1]
