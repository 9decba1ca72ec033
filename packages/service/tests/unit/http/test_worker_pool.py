"""The worker pool with fake processes and a fake clock."""

import signal
from typing import Any, Final

import pytest

from devops_info_service.http.lifecycle import RETIRE_SIGNAL
from devops_info_service.http.processes.worker_pool import (
    HEARTBEAT_POLLS,
    KILL_MARGIN_SECONDS,
    LAST_DELAY_SECONDS,
    STABLE_AFTER_SECONDS,
    STARTUP_TIMEOUT_SECONDS,
    WorkerPool,
)
from devops_info_service.http.shared_memory.counters import (
    HEARTBEAT,
    OPENED,
    READY,
    RETIRING,
    STAGE,
    Counters,
)

pytestmark = pytest.mark.claim("workers: death, back-off, reload, counters, PID 1")

PATIENCE: Final = 8
HUNG: Final = 30


class FakeProcesses:
    """Starts nothing and keeps all calls; an ``EventLog`` as well."""

    def __init__(self) -> None:
        self.started: list[int] = []
        self.sent: list[tuple[int, signal.Signals]] = []
        self.told: list[str] = []
        self.fail = False

    def start(self, number: int) -> int:
        if self.fail:
            raise BlockingIOError("no more processes")
        self.started.append(number)
        return 100 + len(self.started) - 1

    def send(self, pid: int, number: signal.Signals) -> None:
        self.sent.append((pid, number))

    def info(self, event: str, **_: Any) -> None:
        self.told.append(event)

    def error(self, event: str, **_: Any) -> None:
        self.told.append(event)


@pytest.fixture
def processes() -> FakeProcesses:
    """Fake processes."""
    return FakeProcesses()


@pytest.fixture
def counters() -> Counters:
    """Room for every worker."""
    return Counters(512)


@pytest.fixture
def pool(processes: FakeProcesses, counters: Counters) -> WorkerPool:
    """Two workers that have started at 0 and are ready."""
    pool = WorkerPool(2, counters, processes, processes, patience=PATIENCE, hung_seconds=HUNG)
    pool.tick(0)
    get_ready(counters, 0, 1)
    return pool


def get_ready(counters: Counters, *numbers: int) -> None:
    """Mark workers as ready."""
    for number in numbers:
        counters.worker(number)[READY] = 1


def test_start(pool: WorkerPool, processes: FakeProcesses) -> None:
    """All start at once; then there is nothing to do for a long time."""
    assert processes.started == [0, 1]
    assert pool.ready
    pool.tick(100)
    assert processes.started == [0, 1]
    assert pool.wait_seconds(100) == HUNG / HEARTBEAT_POLLS


def test_none_ready(processes: FakeProcesses, counters: Counters) -> None:
    """Until the first worker is ready, none serves, and its readiness is polled."""
    pool = WorkerPool(1, counters, processes, processes, patience=PATIENCE, hung_seconds=HUNG)
    pool.tick(0)

    assert not pool.ready
    assert pool.wait_seconds(0) < 0.1


def test_death_of_a_steady_worker(
    pool: WorkerPool, processes: FakeProcesses, counters: Counters
) -> None:
    """It is replaced at once, on its slot, and counted; its connections are closed."""
    counters.worker(0)[OPENED] = 5
    pool.died(100, "signal 9", STABLE_AFTER_SECONDS)
    pool.tick(STABLE_AFTER_SECONDS)

    assert processes.started == [0, 1, 0]
    assert (counters.totals().restarts, counters.totals().open) == (1, 0)
    assert processes.told == ["worker"]


def test_back_off(processes: FakeProcesses, counters: Counters) -> None:
    """Workers that die young are replaced ever more slowly, to a limit, and never given up."""
    pool = WorkerPool(1, counters, processes, processes, patience=PATIENCE, hung_seconds=HUNG)
    now, waits = 0.0, []
    for death in range(12):
        pool.tick(now)
        assert len(processes.started) == death + 1
        pool.died(100 + death, "status 1", now)
        pool.tick(now)
        waits.append(pool.wait_seconds(now))
        now += waits[-1] + 0.001

    assert waits[:4] == pytest.approx([0.1, 0.2, 0.4, 0.8])
    assert waits[-1] == pytest.approx(LAST_DELAY_SECONDS)
    # A stable worker resets the count.
    pool.tick(now)
    pool.died(112, "status 1", now + STABLE_AFTER_SECONDS)
    pool.tick(now + STABLE_AFTER_SECONDS)
    assert len(processes.started) == 14


def test_kernel_gives_no_process(processes: FakeProcesses, counters: Counters) -> None:
    """A fork that fails is tried again later."""
    pool = WorkerPool(1, counters, processes, processes, patience=PATIENCE, hung_seconds=HUNG)
    processes.fail = True
    pool.tick(0)
    pool.tick(0.05)
    processes.fail = False
    pool.tick(0.06)
    assert (processes.started, processes.told) == ([], ["worker"])
    pool.tick(0.2)
    assert processes.started == [0]


def test_worker_that_never_gets_ready(processes: FakeProcesses, counters: Counters) -> None:
    """It is killed; its death is one of the young."""
    pool = WorkerPool(1, counters, processes, processes, patience=PATIENCE, hung_seconds=HUNG)
    pool.tick(0)
    pool.tick(STARTUP_TIMEOUT_SECONDS)

    assert processes.sent == [(100, signal.SIGKILL)]


def test_orphan(pool: WorkerPool, processes: FakeProcesses, counters: Counters) -> None:
    """An unknown process, as PID 1 inherits them, changes nothing."""
    pool.died(4242, "status 0", 1)
    pool.tick(1)

    assert (processes.told, counters.totals().restarts) == ([], 0)


def test_reload(pool: WorkerPool, processes: FakeProcesses, counters: Counters) -> None:
    """One after the other: an old worker ends only when a new one serves."""
    pool.reload(2)
    pool.tick(20)
    assert (processes.started[2:], processes.sent) == ([2], [])
    pool.tick(21)
    assert processes.sent == []
    get_ready(counters, 2)
    pool.tick(22)
    assert processes.sent == [(100, RETIRE_SIGNAL)]
    assert processes.started[2:] == [2, 3]
    get_ready(counters, 3)
    pool.tick(23)
    assert processes.sent == [(100, RETIRE_SIGNAL), (101, RETIRE_SIGNAL)]
    pool.tick(24)
    assert processes.told == ["reloaded"]
    assert (counters.totals().reloads, counters.totals().restarts) == (1, 0)


def test_two_reloads(pool: WorkerPool, processes: FakeProcesses, counters: Counters) -> None:
    """A reload while old workers drain begins when they have exited."""
    pool.reload(1)
    pool.tick(20)
    get_ready(counters, 2)
    pool.tick(21)
    pool.reload(1)
    pool.reload(1)
    pool.tick(22)
    assert processes.started[2:] == [2]
    pool.died(100, "status 0", 23)
    pool.died(101, "status 0", 23)
    pool.tick(24)
    assert processes.started[2:] == [2, 0]


@pytest.mark.parametrize(("wanted", "started"), [(1, 1), (4, 4)])
def test_reload_to_another_number(
    pool: WorkerPool, processes: FakeProcesses, counters: Counters, wanted: int, started: int
) -> None:
    """The number is read again: a container's CPUs can change while it runs."""
    pool.reload(wanted)
    for now in range(20, 30):
        pool.tick(now)
        get_ready(counters, *processes.started)

    assert len(processes.started) == 2 + started
    assert sorted(processes.sent) == [(100, RETIRE_SIGNAL), (101, RETIRE_SIGNAL)]


def test_reload_that_fails(pool: WorkerPool, processes: FakeProcesses, counters: Counters) -> None:
    """Where the fresh worker dies, the old ones stay."""
    pool.reload(2)
    pool.tick(20)
    pool.died(102, "status 1", 20)
    for now in range(21, 40):
        pool.tick(now)

    assert processes.told == ["worker", "reload"]
    assert (processes.sent, processes.started[3:]) == ([], [])
    assert counters.totals().reloads == 0


def test_reload_without_a_process(pool: WorkerPool, processes: FakeProcesses) -> None:
    """Where the kernel gives no process, the old ones stay."""
    processes.fail = True
    pool.reload(2)
    pool.tick(20)
    processes.fail = False
    pool.tick(21)

    assert processes.told == ["worker", "reload"]
    assert (processes.sent, len(processes.started)) == ([], 2)


def test_death_during_a_reload(
    pool: WorkerPool, processes: FakeProcesses, counters: Counters
) -> None:
    """An old worker that dies meanwhile needs no replacement: a fresh one is starting."""
    pool.reload(2)
    pool.tick(20)
    pool.died(100, "signal 9", 20)
    get_ready(counters, 2)
    pool.tick(21)
    get_ready(counters, 0)
    pool.tick(22)
    pool.tick(23)

    assert processes.started == [0, 1, 2, 0]
    assert processes.told == ["worker", "reloaded"]


def test_end(pool: WorkerPool, processes: FakeProcesses) -> None:
    """Every worker gets one signal, is killed when its time is over, and is not replaced."""
    pool.end(50)
    pool.tick(51)
    assert processes.sent == [(100, signal.SIGTERM), (101, signal.SIGTERM)]
    pool.died(100, "status 0", 52)
    early = pool.done
    pool.tick(50 + PATIENCE + KILL_MARGIN_SECONDS)
    assert processes.sent[2:] == [(101, signal.SIGKILL)]
    pool.died(101, "signal 9", 61)

    assert (early, pool.done) == (False, True)
    assert (processes.started, processes.told) == ([0, 1], [])


def test_kill(pool: WorkerPool, processes: FakeProcesses) -> None:
    """A second signal kills every worker."""
    pool.kill()

    assert processes.sent == [(100, signal.SIGKILL), (101, signal.SIGKILL)]


def test_heartbeat_that_stops(
    pool: WorkerPool, processes: FakeProcesses, counters: Counters
) -> None:
    """A worker whose heartbeat stops is killed once that is sure, replaced and counted."""
    now = 0.0
    while not processes.sent:
        now += pool.wait_seconds(now)
        counters.worker(1)[HEARTBEAT] += 1
        pool.tick(now)

    assert processes.sent == [(100, signal.SIGKILL)]
    assert HUNG <= now <= HUNG + 2 * HUNG / HEARTBEAT_POLLS
    pool.died(100, "signal 9", now)
    pool.tick(now)
    assert processes.started == [0, 1, 0]
    assert (counters.totals().restarts, counters.totals().hung) == (1, 1)


@pytest.mark.claim("a worker that is stopped, or hangs")
def test_paused_container(pool: WorkerPool, processes: FakeProcesses) -> None:
    """After a pause of everything no worker is taken for hung, however long the pause was."""
    for now in (1.0, 10_000.0, 10_001.0, 20_000.0):
        pool.tick(now)

    assert processes.sent == []


def test_worker_that_leaves(pool: WorkerPool, processes: FakeProcesses, counters: Counters) -> None:
    """A worker that ends by a foreign signal is replaced before it exits, and is not a death."""
    counters.worker(0)[STAGE] = RETIRING
    counters.worker(0)[READY] = 0
    pool.tick(20)
    assert processes.started == [0, 1, 2]
    pool.died(100, "status 0", 21)
    pool.tick(21)

    assert processes.started == [0, 1, 2]
    assert counters.totals().restarts == 0
    assert processes.sent == []


def test_no_slot_left(processes: FakeProcesses, counters: Counters) -> None:
    """Workers that leave faster than they end hold their slots; the rest wait."""
    pool = WorkerPool(1, counters, processes, processes, patience=1e9, hung_seconds=HUNG)
    for number in range(600):
        now = 100.0 * number
        pool.tick(now)
        if len(processes.started) <= number:
            break
        counters.worker(number)[STAGE] = RETIRING

    assert len(processes.started) == 512
