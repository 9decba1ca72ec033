"""Several worker processes on one listening socket: fork, supervise, reload, shut down.

One shared socket, not one each with SO_REUSEPORT: with the latter the kernel deals out
connections by a hash, whether their worker is busy, stuck or dead, and those that a closed socket
had queued are reset. Here all workers accept from one queue, and a worker that dies or is
replaced loses no queued connection (docs/explanation/hardening.md has the measurement).

No ``multiprocessing``: it would start a second interpreter or a helper process, and bring 30
modules. The supervisor has no loop and no thread: it sleeps in the kernel until a signal.
"""

import contextlib
import functools
import os
import signal
import time
from collections.abc import Callable
from typing import Final, NoReturn

import msgspec

from devops_info_service.http.connection.listener import Sockets
from devops_info_service.http.connection.loop import Loop
from devops_info_service.http.connection.server import RECORD_INTERVAL_SECONDS
from devops_info_service.http.connection.shutdown import (
    EventLog,
    ShutdownReason,
    ShutdownTrigger,
    announce,
    reap,
    stop_now,
)
from devops_info_service.http.lifecycle import (
    SIGNALS,
    SUPERVISOR,
    WORKER,
    Action,
    Lifecycle,
    ProcessLifecycle,
)
from devops_info_service.http.shared_memory.counters import (
    NOT_ACCEPTING,
    PID,
    RETIRING,
    STAGE,
    STOPPING,
    Counters,
)
from devops_info_service.http.shared_memory.shutdown_record import (
    SharedRecords,
    ShutdownRecord,
    merge,
)
from devops_info_service.http.wire.limits import MAX_PROCESSES

from .worker_pool import WorkerPool

GROUP_SIGNAL_SECONDS: Final = 0.25
"""How long a worker that gets SIGTERM waits for its supervisor to stop as well: a signal to a
process group or a control group reaches both, in any order."""


class WorkerContext(msgspec.Struct, frozen=True):
    """What a worker gets from its supervisor."""

    number: int
    """Of its slot in the shared memory, from 0."""
    trigger: ShutdownTrigger
    may_accept: Callable[[], bool]
    """Whether it is to accept the next connection."""
    on_record: Callable[[ShutdownRecord], None]
    """Stores its shutdown record for the supervisor."""


Work = Callable[[WorkerContext], None]
"""Serves as one worker until its trigger starts the shutdown."""


class _ForkedWorkers:
    """Forks and signals the workers."""

    def __init__(
        self,
        work: Work,
        sockets: Sockets,
        counters: Counters,
        records: SharedRecords,
        log: EventLog,
    ) -> None:
        self._work = work
        self._sockets = sockets
        self._counters = counters
        self._records = records
        self._log = log
        # Never written to: its end of file means that the supervisor has ended.
        self._lifeline, self._held = os.pipe()

    def start(self, number: int) -> int:
        pid = os.fork()
        if pid == 0:
            os.close(self._held)
            self._serve(number)
        return pid

    def send(self, pid: int, number: signal.Signals) -> None:
        # A process that has ended keeps its pid until it is reaped, and only this process reaps.
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)

    def _serve(self, number: int) -> NoReturn:
        status = 1
        try:
            self._work(
                WorkerContext(
                    number,
                    SupervisorTrigger(number, self._counters, self._sockets, self._lifeline),
                    functools.partial(self._counters.has_capacity, number),
                    functools.partial(self._records.store, number),
                )
            )
            status = 0
        except BaseException as exc:  # noqa: BLE001  the supervisor's stack must not go on here
            self._log.error("worker", exc=exc, worker=number, message="failed")
        finally:
            os._exit(status)


class SupervisorTrigger:
    """Ends a worker by a signal, or when its supervisor has ended."""

    def __init__(self, number: int, counters: Counters, sockets: Sockets, lifeline: int) -> None:
        self._slot = counters.worker(number)
        self._service = counters.supervisor
        self._sockets = sockets
        self._lifeline = lifeline
        self._is_orphan = False

    def arm(
        self, loop: Loop, lifecycle: ProcessLifecycle, on_shutdown: Callable[[ShutdownReason], None]
    ) -> None:
        """Handle signals by ``lifecycle.WORKER``, and watch the supervisor."""
        self._loop, self._lifecycle, self._on_shutdown = loop, lifecycle, on_shutdown
        loop.watch(self._lifeline, self._on_lifeline)
        for number in SIGNALS:
            loop.on_signal(number, functools.partial(self._on_signal, number))

    def stop_accepting(self) -> bool:
        """Return whether the supervisor has stopped the sockets; do it if there is none."""
        if self._is_orphan:
            self._sockets.drop_new_connections()
            return True
        return self._service[STAGE] == NOT_ACCEPTING

    def _on_signal(self, number: signal.Signals) -> None:
        action = WORKER[self._lifecycle.current][number]
        if action is Action.RETIRE:
            self._shut_down(Lifecycle.RETIRING, "reload")
        elif action is Action.LEAVE and self._service[STAGE]:
            self._shut_down(Lifecycle.STOPPING, number.name)
        elif action is Action.LEAVE:
            self._loop.call_later(GROUP_SIGNAL_SECONDS, functools.partial(self._leave, number))

    def _leave(self, number: signal.Signals) -> None:
        if self._service[STAGE]:
            self._shut_down(Lifecycle.STOPPING, number.name)
        elif self._lifecycle.current is Lifecycle.SERVING:
            # The supervisor replaces it now, not when its last connection is closed.
            self._slot[STAGE] = RETIRING
            os.kill(os.getppid(), signal.SIGCHLD)
            self._shut_down(Lifecycle.RETIRING, number.name)

    def _on_lifeline(self, _: int) -> None:
        self._loop.unwatch(self._lifeline)
        self._is_orphan = True
        self._shut_down(Lifecycle.STOPPING, "the supervisor has ended")

    def _shut_down(self, lifecycle: Lifecycle, cause: str) -> None:
        if self._lifecycle.current is Lifecycle.SERVING:
            self._on_shutdown(ShutdownReason(cause, lifecycle))


class _AcceptStop:
    """Stops the shared sockets, at its time and once."""

    def __init__(self, sockets: Sockets, counters: Counters) -> None:
        self._sockets = sockets
        self._slot = counters.supervisor
        self._moment = float("inf")

    def schedule(self, moment: float) -> None:
        """Stop at *moment*, by the monotonic clock."""
        self._moment = moment

    def tick(self, now: float) -> None:
        """Stop if it is time. The workers accept the queued connections."""
        if now >= self._moment:
            self._moment = float("inf")
            self._sockets.drop_new_connections()
            self._slot[STAGE] = NOT_ACCEPTING
            self._sockets.close()

    def wait_seconds(self, now: float) -> float:
        """Return the seconds until then."""
        return max(0.0, self._moment - now)


class _ServiceShutdown:
    """The end of a service, as its supervisor records it."""

    def __init__(
        self,
        cause: str,
        records: SharedRecords,
        processes: int,
        on_record: Callable[[ShutdownRecord], None],
        log: EventLog,
    ) -> None:
        self._cause = cause
        self._records = records
        self._processes = processes
        self._on_record = on_record
        self._log = log
        self.began = self._published = time.monotonic()

    def tick(self) -> None:
        """Publish what the workers have recorded so far, once a second."""
        if time.monotonic() >= self._published + RECORD_INTERVAL_SECONDS:
            self._published = time.monotonic()
            self.publish(complete=False)

    def publish(self, *, complete: bool) -> None:
        """Publish the records of the workers as one."""
        try:
            self._on_record(
                merge(
                    self._cause,
                    self.began,
                    time.monotonic(),
                    self._records.since(self.began),
                    processes=self._processes,
                    complete=complete,
                )
            )
        except Exception as exc:  # noqa: BLE001  a supervisor that ends takes all workers with it
            self._log.error("termination", exc=exc, message="not recorded")


def supervise(
    sockets: Sockets,
    counters: Counters,
    work: Work,
    *,
    count: Callable[[], int],
    drain_delay_seconds: int,
    drain_seconds: int,
    hung_seconds: int,
    log: EventLog,
    on_record: Callable[[ShutdownRecord], None],
    on_wake: Callable[[], float],
) -> None:
    """Keep ``count()`` workers until SIGTERM or SIGINT, then let them drain.

    Signals do what ``lifecycle.SUPERVISOR`` lists.

    Args:
        sockets: shared by all workers.
        counters: with a slot for each of ``MAX_PROCESSES``.
        work: called in each worker.
        count: how many workers to keep; read at the start and at each reload.
        drain_delay_seconds: how long workers accept after the signal.
        drain_seconds: how long connections may finish after that.
        hung_seconds: a worker whose heartbeat stops for as long is replaced.
        log: for starts, deaths and the shutdown.
        on_record: called with what came after the signal, each second and at the end.
        on_wake: called whenever the supervisor wakes; returns the seconds until its next call.
    """
    # Signals wait in sigtimedwait: none can come between two lines.
    signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
    counters.supervisor[PID] = os.getpid()
    records = SharedRecords(MAX_PROCESSES)
    pool = WorkerPool(
        _read_count(count, 1, log),
        counters,
        _ForkedWorkers(work, sockets, counters, records, log),
        log,
        patience=drain_delay_seconds + drain_seconds,
        hung_seconds=hung_seconds,
    )
    accept_stop = _AcceptStop(sockets, counters)
    state = Lifecycle.STARTING
    shutdown: _ServiceShutdown | None = None
    while not pool.done:
        now = time.monotonic()
        pool.tick(now)
        accept_stop.tick(now)
        # Before readiness is read: a worker that becomes ready in between must not be followed
        # by a long sleep.
        wait = min(pool.wait_seconds(now), accept_stop.wait_seconds(now), on_wake())
        if state is Lifecycle.STARTING and pool.ready:
            state = Lifecycle.SERVING
            announce(sockets, log)
        got = signal.sigtimedwait(SIGNALS, min(wait, RECORD_INTERVAL_SECONDS) if shutdown else wait)
        number = signal.SIGCHLD if got is None else signal.Signals(got.si_signo)
        is_reloading = state is Lifecycle.SERVING and pool.is_reloading
        action = SUPERVISOR[Lifecycle.RELOADING if is_reloading else state][number]
        if action is Action.RELOAD:
            pool.reload(_read_count(count, pool.size, log))
        elif action is Action.STOP_NOW:
            pool.kill()
            stop_now(log, number)
        elif action is Action.STOP:
            state = Lifecycle.STOPPING
            # In this order: a worker that has its own SIGTERM already begins to end once it reads
            # STOPPING, and its record counts if it is younger than the shutdown.
            shutdown = _ServiceShutdown(number.name, records, pool.size, on_record, log)
            counters.supervisor[STAGE] = STOPPING
            log.info("draining", signal=number.name, connections=counters.totals().open)
            accept_stop.schedule(shutdown.began + drain_delay_seconds)
            pool.end(shutdown.began)
        for pid, status in reap():
            pool.died(pid, _cause(status), time.monotonic())
        if shutdown and not pool.done:
            shutdown.tick()
    sockets.close()
    if shutdown:
        shutdown.publish(complete=True)
    log.info("stopped", aborted=counters.totals().aborted)


def _read_count(count: Callable[[], int], otherwise: int, log: EventLog) -> int:
    try:
        return count()
    except Exception as exc:  # noqa: BLE001  a supervisor that ends takes all workers with it
        log.error("worker", exc=exc, message="the number of CPUs cannot be read")  # noqa: TRY400  no logging
        return max(1, otherwise)


def _cause(status: int) -> str:
    code = os.waitstatus_to_exitcode(status)
    return f"signal {-code} ({signal.strsignal(-code)})" if code < 0 else f"status {code}"
