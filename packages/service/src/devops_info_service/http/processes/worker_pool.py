"""Worker-pool policy: which workers to start, retire and replace. No process and no clock here.

Processes are started and signaled by a ``ProcessControl``; the moment is an argument. So a test
lets a minute of deaths and reloads pass in no time.
"""

import heapq
import signal
from typing import Final, Protocol

import msgspec

from devops_info_service.http.connection.shutdown import EventLog
from devops_info_service.http.lifecycle import RETIRE_SIGNAL
from devops_info_service.http.shared_memory.counters import (
    HEARTBEAT,
    HUNG,
    READY,
    RELOADS,
    RESTARTS,
    RETIRING,
    STAGE,
    Counters,
    reset_slot,
)
from devops_info_service.http.wire.limits import MAX_PROCESSES

STABLE_AFTER_SECONDS: Final = 10
"""A worker that lived as long did not die of its start: its successor starts at once."""

FIRST_DELAY_SECONDS: Final = 0.1
"""After an early exit; doubled for each further one in a row."""

LAST_DELAY_SECONDS: Final = 30
"""The longest wait. A transient fault (memory, a limit of processes) is mostly over by then, and
starting costs one part in a thousand of a CPU."""

STARTUP_TIMEOUT_SECONDS: Final = 10
"""A new worker that is not ready by then is killed; the start takes some 10 ms."""

POLL_SECONDS: Final = 0.02
"""Seconds between polls of a new worker's readiness."""

HEARTBEAT_POLLS: Final = 6
"""Polls of a heartbeat before it counts as stopped, at least a second apart, a beat's length."""

KILL_MARGIN_SECONDS: Final = 2
"""Seconds beyond its own drain time before a worker is killed."""


class ProcessControl(Protocol):
    """Starts and signals worker processes."""

    def start(self, number: int) -> int:
        """Fork worker *number* and return its pid.

        Raises:
            OSError: the kernel refuses a process.
        """

    def send(self, pid: int, number: signal.Signals) -> None:
        """Send a signal to a worker."""


class Worker(msgspec.Struct):
    """One worker process."""

    pid: int
    number: int
    """Of its slot."""
    generation: int
    """Counts the reloads."""
    started: float
    kill_at: float | None = None
    """When to kill it; set once it has its signal to end."""
    beat: int = 0
    """Its heartbeat at the last poll."""
    beat_at: float = 0.0
    """When that value was first read."""
    is_hung: bool = False


class WorkerPool:
    """The workers of one service."""

    def __init__(
        self,
        wanted: int,
        counters: Counters,
        control: ProcessControl,
        log: EventLog,
        *,
        patience: float,
        hung_seconds: float,
    ) -> None:
        self._wanted = wanted
        self._counters = counters
        self._control = control
        self._log = log
        self._patience = patience + KILL_MARGIN_SECONDS
        """Seconds between a worker's signal to end and its killing."""
        self._hung_seconds = hung_seconds
        self._polled = 0.0
        """When heartbeats were last polled."""
        self._workers: dict[int, Worker] = {}
        self._free = list(range(MAX_PROCESSES))
        self._generation = 0
        self._reload_to: int | None = None
        """The number of workers wanted by a reload that has not begun."""
        self._early_exits = 0
        self._not_before = 0.0
        self._ending = False

    @property
    def done(self) -> bool:
        """Whether shutdown has begun and every worker has exited."""
        return self._ending and not self._workers

    @property
    def size(self) -> int:
        """The number of workers that are not ending."""
        return len(self._working())

    @property
    def ready(self) -> bool:
        """Whether any worker serves."""
        return any(self._is_ready(worker) for worker in self._workers.values())

    @property
    def is_reloading(self) -> bool:
        """Whether workers are being replaced, or will be."""
        return self._reload_to is not None or bool(self._old())

    def tick(self, now: float) -> None:
        """Take the steps that are due."""
        self._poll_heartbeats(now)
        self._note_retiring(now)
        for worker in self._workers.values():
            kill_at = worker.kill_at
            if kill_at is None and not self._is_ready(worker):
                kill_at = worker.started + STARTUP_TIMEOUT_SECONDS
            if kill_at is not None and now >= kill_at:
                self._control.send(worker.pid, signal.SIGKILL)
        if self._ending:
            return
        if self._old():
            self._advance_reload(now)
        elif self._reload_to is not None and len(self._workers) == len(self._current()):
            # Only when the last reload's old workers have exited: else many signals would pile
            # up workers that drain.
            self._generation += 1
            self._wanted, self._reload_to = self._reload_to, None
            self._advance_reload(now)
        elif now >= self._not_before:
            while len(self._current()) < self._wanted and self._start(now):
                pass

    def wait_seconds(self, now: float) -> float:
        """Return the seconds until a step is due, unless a worker dies or a signal comes."""
        moments = [worker.kill_at for worker in self._workers.values() if worker.kill_at]
        if self._working():
            moments.append(self._polled + self._poll_seconds)
        if not self._ending:
            if self._old() or not all(map(self._is_ready, self._current())):
                moments.append(now + POLL_SECONDS)
            if len(self._current()) < self._wanted:
                moments.append(self._not_before)
        # Linux takes no infinity; an hour is as good. And no busy loop around a killed process.
        return max(POLL_SECONDS, min([*moments, now + 3600]) - now)

    def died(self, pid: int, cause: str, now: float) -> None:
        """Note that a process has ended; an unknown one was an orphan."""
        # It may have ended before its slot was polled.
        self._note_retiring(now)
        worker = self._workers.pop(pid, None)
        if worker is None:
            return
        reset_slot(self._counters.worker(worker.number))
        heapq.heappush(self._free, worker.number)
        if worker.kill_at is not None:
            return
        self._counters.supervisor[RESTARTS] += 1
        if worker.is_hung:
            self._counters.supervisor[HUNG] += 1
            cause = f"its loop made no turn for {self._hung_seconds:g} s"
        self._log_error(worker.number, f"process {pid} ended: {cause}")
        self._back_off(now, now - worker.started)
        if worker.generation == self._generation and self._old():
            self._abandon_reload()

    def reload(self, wanted: int) -> None:
        """Replace every worker, one after the other, by *wanted* new ones."""
        self._reload_to = wanted

    def end(self, now: float) -> None:
        """Send every worker its signal to drain; none is replaced any more."""
        self._ending = True
        for worker in self._workers.values():
            if worker.kill_at is None:
                self._send_end(worker, signal.SIGTERM, now)

    def kill(self) -> None:
        """Kill every worker at once."""
        for pid in self._workers:
            self._control.send(pid, signal.SIGKILL)

    def _current(self) -> list[Worker]:
        return [worker for worker in self._working() if worker.generation == self._generation]

    def _old(self) -> list[Worker]:
        return [worker for worker in self._working() if worker.generation != self._generation]

    def _working(self) -> list[Worker]:
        return [worker for worker in self._workers.values() if worker.kill_at is None]

    def _is_ready(self, worker: Worker) -> bool:
        return bool(self._counters.worker(worker.number)[READY])

    @property
    def _poll_seconds(self) -> float:
        return self._hung_seconds / HEARTBEAT_POLLS

    def _poll_heartbeats(self, now: float) -> None:
        """Kill each worker whose heartbeat has stopped."""
        if now < self._polled + self._poll_seconds:
            return
        # If this process was stopped (a paused container, a suspended machine), so were the
        # workers: their time starts again.
        was_stopped = now > self._polled + 2 * self._poll_seconds
        self._polled = now
        for worker in self._working():
            beat = self._counters.worker(worker.number)[HEARTBEAT]
            if beat != worker.beat or was_stopped or not self._is_ready(worker):
                worker.beat, worker.beat_at = beat, now
            elif now - worker.beat_at >= self._hung_seconds:
                worker.is_hung = True
                self._control.send(worker.pid, signal.SIGKILL)

    def _note_retiring(self, now: float) -> None:
        """Note each worker that ends by itself."""
        for worker in self._working():
            if self._counters.worker(worker.number)[STAGE] == RETIRING:
                worker.kill_at = now + self._patience
                self._log.info(
                    "worker",
                    worker=worker.number,
                    message=f"process {worker.pid} is ending; it is replaced",
                )

    def _advance_reload(self, now: float) -> None:
        """Take the next step of a reload: as many serve as wanted, and one more at most."""
        old, current = self._old(), self._current()
        if not all(map(self._is_ready, current)):
            return
        while old and len(current) + len(old) > self._wanted:
            self._send_end(old.pop(0), RETIRE_SIGNAL, now)
        if len(current) < self._wanted:
            if not self._start(now):
                self._abandon_reload()
        elif not old:
            self._counters.supervisor[RELOADS] += 1
            self._log.info("reloaded", workers=len(current))

    def _abandon_reload(self) -> None:
        """Give up a reload: the old workers that are left stay."""
        self._log.error("reload", exc=None, message="given up; the old workers stay")
        for worker in self._working():
            worker.generation = self._generation

    def _start(self, now: float) -> bool:
        if not self._free:
            # Workers that drain hold their slots: many were replaced in a short time.
            self._back_off(now, 0)
            return False
        number = heapq.heappop(self._free)
        self._counters.register(number)
        try:
            pid = self._control.start(number)
        except OSError as exc:
            heapq.heappush(self._free, number)
            self._log_error(number, f"not started: {exc}")
            self._back_off(now, 0)
            return False
        self._workers[pid] = Worker(pid, number, self._generation, now, beat_at=now)
        return True

    def _send_end(self, worker: Worker, number: signal.Signals, now: float) -> None:
        worker.kill_at = now + self._patience
        self._control.send(worker.pid, number)

    def _back_off(self, now: float, lived: float) -> None:
        if lived >= STABLE_AFTER_SECONDS:
            self._early_exits = 0
            self._not_before = now
            return
        # The exponent is bounded: a float's is.
        doubled = FIRST_DELAY_SECONDS * 2.0 ** min(self._early_exits, 16)
        self._not_before = now + min(doubled, LAST_DELAY_SECONDS)
        self._early_exits += 1

    def _log_error(self, number: int, message: str) -> None:
        self._log.error("worker", exc=None, worker=number, message=message)
