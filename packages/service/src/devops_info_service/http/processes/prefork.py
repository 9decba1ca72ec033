"""Several processes on one listening socket: fork, supervise, roll over, end.

One shared socket, not one each with SO_REUSEPORT: with the latter the kernel deals out
connections by a hash, whether their worker is busy, stuck or dead, and those a closed socket
had queued are reset. Here the queue is everybody's: whoever has time takes the next, and a
worker that dies or is replaced loses nobody who waits. (docs/explanation/hardening.md has the
measurement.)

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

from devops_info_service.http.connection.loop import Loop
from devops_info_service.http.connection.server import (
    RECORD_INTERVAL_SECONDS,
    EventLog,
    Sockets,
    Stop,
    Until,
    reap,
    stop_now,
)
from devops_info_service.http.lifecycle import SIGNALS, SUPERVISOR, WORKER, Action, Lifecycle
from devops_info_service.http.shared_memory.counters import (
    NOT_ACCEPTING,
    RETIRING,
    STAGE,
    STOPPING,
    Counters,
)

from .worker_pool import WorkerPool

Work = Callable[[int, Until, Callable[[], bool]], None]
"""Serves as the worker of that number until it is told to end; is given what tells whether the
kernel drops new connections."""

GROUP_SIGNAL_SECONDS: Final = 0.25
"""How long a worker that gets SIGTERM waits for its supervisor to say that the service ends: a
signal to a process group or a control group reaches both, in any order."""


class ServiceShutdown(msgspec.Struct, frozen=True):
    """The end of a service, as its supervisor sees it."""

    signal: str
    began: float
    """When the signal came, by the monotonic clock."""
    processes: int
    """How many workers there were."""
    is_over: bool = False


class _ForkedWorkers:
    """Forks and signals the workers."""

    def __init__(self, work: Work, sockets: Sockets, counters: Counters, log: EventLog) -> None:
        self._work = work
        self._sockets = sockets
        self._counters = counters
        self._log = log
        # Nobody writes to it. Its end of file tells a worker that the supervisor is gone.
        self.lifeline, self._held = os.pipe()

    def start(self, number: int) -> int:
        pid = os.fork()
        if pid == 0:
            os.close(self._held)
            self._serve(number)
        return pid

    def send(self, pid: int, number: signal.Signals) -> None:
        # A process that has ended keeps its pid until it is reaped, and only we reap.
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)

    def _serve(self, number: int) -> NoReturn:
        status = 1
        try:
            trigger = _Worker(number, self._counters, self._sockets, self.lifeline)
            self._work(number, trigger.arm, trigger.is_dropping)
            status = 0
        except BaseException as exc:  # noqa: BLE001  the supervisor's stack is no place to go
            self._log.error("worker", exc=exc, worker=number, message="failed")
        finally:
            os._exit(status)


class _Worker:
    """Tells a worker when to end: by a signal, or by its supervisor's end."""

    def __init__(self, number: int, counters: Counters, sockets: Sockets, lifeline: int) -> None:
        self._slot = counters.worker(number)
        self._service = counters.supervisor
        self._sockets = sockets
        self._lifeline = lifeline
        self._state = Lifecycle.STARTING
        self._is_orphan = False

    def arm(self, loop: Loop, end: Callable[[Stop], None]) -> None:
        """Call *end* once the worker is to end."""
        self._loop, self._end = loop, end
        self._state = Lifecycle.SERVING
        loop.watch(self._lifeline, self._on_lifeline)
        for number in SIGNALS:
            loop.on_signal(number, functools.partial(self._on_signal, number))

    def is_dropping(self) -> bool:
        """Whether the kernel drops new connections: the supervisor's work, while there is one."""
        if self._is_orphan:
            self._sockets.drop_new_connections()
            return True
        return self._service[STAGE] == NOT_ACCEPTING

    def _on_signal(self, number: signal.Signals) -> None:
        action = WORKER[self._state][number]
        if action is Action.RETIRE:
            self._stop(Lifecycle.RETIRING, "reload")
        elif action is Action.LEAVE and self._service[STAGE]:
            self._stop(Lifecycle.STOPPING, number.name)
        elif action is Action.LEAVE:
            self._loop.call_later(GROUP_SIGNAL_SECONDS, functools.partial(self._leave, number))

    def _leave(self, number: signal.Signals) -> None:
        if self._service[STAGE]:
            self._stop(Lifecycle.STOPPING, number.name)
        elif self._state is Lifecycle.SERVING:
            # The supervisor replaces it now, not when its last connection is done.
            self._slot[STAGE] = RETIRING
            os.kill(os.getppid(), signal.SIGCHLD)
            self._stop(Lifecycle.RETIRING, number.name)

    def _on_lifeline(self, _: int) -> None:
        self._loop.unwatch(self._lifeline)
        self._is_orphan = True
        self._stop(Lifecycle.STOPPING, "the supervisor is gone")

    def _stop(self, state: Lifecycle, cause: str) -> None:
        if self._state is Lifecycle.SERVING:
            self._state = state
            self._end(Stop(cause, is_last=state is Lifecycle.STOPPING))


class _Door:
    """Closes the shared sockets to new connections, at its time and once."""

    def __init__(self, sockets: Sockets, counters: Counters) -> None:
        self._sockets = sockets
        self._stage = counters.supervisor
        self._moment = float("inf")

    def close_at(self, moment: float) -> None:
        """Close at *moment*, by the monotonic clock."""
        self._moment = moment

    def tick(self, now: float) -> None:
        """Close if it is time. The workers take what is in the queue."""
        if now >= self._moment:
            self._moment = float("inf")
            self._sockets.drop_new_connections()
            self._stage[STAGE] = NOT_ACCEPTING
            self._sockets.close()

    def wait_seconds(self, now: float) -> float:
        """Return the seconds until it closes."""
        return max(0.0, self._moment - now)


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
    on_end: Callable[[ServiceShutdown], None],
    on_wake: Callable[[], float],
) -> None:
    """Keep ``count()`` workers until SIGTERM or SIGINT, then let them drain.

    Signals do what ``lifecycle.SUPERVISOR`` says. Workers that are told to end have
    *drain_delay_seconds* and *drain_seconds* for it; one whose heartbeat stops for
    *hung_seconds* is replaced. *on_end* is told of the end once it has come, and every second
    from the signal until then. *on_wake* is called whenever the supervisor wakes, and returns
    the seconds until it is to be called again.
    """
    # Signals wait until they are asked for: none can come between two lines.
    signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
    processes = _ForkedWorkers(work, sockets, counters, log)
    pool = WorkerPool(
        _counted(count, 1, log),
        counters,
        processes,
        log,
        patience=drain_delay_seconds + drain_seconds,
        hung_seconds=hung_seconds,
    )
    door = _Door(sockets, counters)
    state = Lifecycle.STARTING
    ending: ServiceShutdown | None = None
    told = 0.0
    while not pool.done:
        now = time.monotonic()
        pool.tick(now)
        door.tick(now)
        # Before we look who is ready: whoever becomes so in between is no reason to sleep long.
        wait = min(pool.wait_seconds(now), door.wait_seconds(now), on_wake())
        if state is Lifecycle.STARTING and pool.ready:
            state = Lifecycle.SERVING
            sockets.announce(log)
        got = signal.sigtimedwait(SIGNALS, min(wait, RECORD_INTERVAL_SECONDS) if ending else wait)
        number = signal.SIGCHLD if got is None else signal.Signals(got.si_signo)
        is_reloading = state is Lifecycle.SERVING and pool.is_reloading
        action = SUPERVISOR[Lifecycle.RELOADING if is_reloading else state][number]
        if action is Action.RELOAD:
            pool.reload(_counted(count, pool.size, log))
        elif action is Action.STOP_NOW:
            pool.kill()
            stop_now(log, number)
        elif action is Action.STOP:
            state = Lifecycle.STOPPING
            # Before the workers hear of it: it tells them that this is the end of all.
            counters.supervisor[STAGE] = STOPPING
            open_now = counters.totals().open
            log.info("draining", signal=number.name, connections=open_now)
            ending = ServiceShutdown(number.name, time.monotonic(), pool.size)
            told = ending.began
            door.close_at(ending.began + drain_delay_seconds)
            pool.end(ending.began)
        for pid, status in reap():
            pool.died(pid, _cause(status), time.monotonic())
        if ending and time.monotonic() >= told + RECORD_INTERVAL_SECONDS and not pool.done:
            told = time.monotonic()
            _publish_record(on_end, ending, log)
    sockets.close()
    if ending:
        _publish_record(on_end, msgspec.structs.replace(ending, is_over=True), log)
    log.info("stopped", aborted=counters.totals().aborted)


def _counted(count: Callable[[], int], otherwise: int, log: EventLog) -> int:
    try:
        return count()
    except Exception as exc:  # noqa: BLE001  a supervisor that ends takes all workers with it
        log.error("worker", exc=exc, message="the number of CPUs cannot be read")  # noqa: TRY400  not logging
        return max(1, otherwise)


def _publish_record(
    on_end: Callable[[ServiceShutdown], None], ending: ServiceShutdown, log: EventLog
) -> None:
    try:
        on_end(ending)
    except Exception as exc:  # noqa: BLE001  as above
        log.error("termination", exc=exc, message="not recorded")  # noqa: TRY400  not logging


def _cause(status: int) -> str:
    code = os.waitstatus_to_exitcode(status)
    return f"signal {-code} ({signal.strsignal(-code)})" if code < 0 else f"status {code}"
