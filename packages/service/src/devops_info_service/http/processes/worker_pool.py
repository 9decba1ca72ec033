"""Who works, who is on the way out and who is owed: decisions, without a process or a clock.

What starts and signals processes is handed in as ``Effects``; the moment is an argument. So a
test lets a minute of deaths and reloads pass in no time.
"""

import heapq
import signal
from typing import Final, Protocol

import msgspec

from devops_info_service.http.connection.server import EventLog
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
    release,
)
from devops_info_service.http.wire.limits import MAX_WORKERS

SLOTS: Final = 2 * MAX_WORKERS
"""A reload has two generations for a while."""

STABLE_AFTER_SECONDS: Final = 10
"""A worker that lived as long did not die of its start: the next one starts at once."""

FIRST_DELAY_SECONDS: Final = 0.1
"""After a worker that died young; doubled for each further one in a row."""

LAST_DELAY_SECONDS: Final = 30
"""The longest wait. A fault that passes (memory, a limit of processes) is over by then as a
rule, and starting costs one part in a thousand of a CPU."""

STARTUP_TIMEOUT_SECONDS: Final = 10
"""A fresh worker that is not ready by then is taken for broken; the start is some 10 ms."""

POLL_SECONDS: Final = 0.02
"""How often a fresh worker's word is looked at, while one is waited for."""

HEARTBEAT_POLLS: Final = 6
"""Looks at a heartbeat before it counts as stopped: each is a second or more, a beat's length."""

KILL_MARGIN_SECONDS: Final = 2
"""What a worker gets beyond its own drain time before it is killed."""


class ProcessControl(Protocol):
    """What a crew does to processes."""

    def start(self, number: int) -> int:
        """Fork worker *number* and return its pid; OSError if the kernel gives us none."""

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
    """When to kill it; set once it was told to end."""
    beat: int = 0
    """Its heartbeat when it was last looked at."""
    beat_at: float = 0.0
    """When that one was first seen."""
    is_hung: bool = False


class WorkerPool:
    """The workers of one service."""

    def __init__(
        self,
        wanted: int,
        counters: Counters,
        effects: ProcessControl,
        log: EventLog,
        *,
        patience: float,
        hung_seconds: float,
    ) -> None:
        self._wanted = wanted
        self._counters = counters
        self._effects = effects
        self._log = log
        self._patience = patience + KILL_MARGIN_SECONDS
        """Seconds between the word that a worker shall end and its killing."""
        self._hung_seconds = hung_seconds
        self._polled = 0.0
        """When heartbeats were last looked at."""
        self._workers: dict[int, Worker] = {}
        self._free = list(range(SLOTS))
        self._generation = 0
        self._reload_to: int | None = None
        """The number of workers wanted by a reload that has not begun."""
        self._early_exits = 0
        self._not_before = 0.0
        self._ending = False

    @property
    def done(self) -> bool:
        """Whether everybody is gone and nobody is to come."""
        return self._ending and not self._workers

    @property
    def size(self) -> int:
        """How many work."""
        return len(self._working())

    @property
    def ready(self) -> bool:
        """Whether anybody answers."""
        return any(self._is_ready(member) for member in self._workers.values())

    @property
    def is_reloading(self) -> bool:
        """Whether workers are being replaced, or are to be."""
        return self._reload_to is not None or bool(self._old())

    def tick(self, now: float) -> None:
        """Do what is due."""
        self._look_at_heartbeats(now)
        self._look_for_retiring(now)
        for member in self._workers.values():
            kill_at = member.kill_at
            if kill_at is None and not self._is_ready(member):
                kill_at = member.started + STARTUP_TIMEOUT_SECONDS
            if kill_at is not None and now >= kill_at:
                self._effects.send(member.pid, signal.SIGKILL)
        if self._ending:
            return
        if self._old():
            self._advance_reload(now)
        elif self._reload_to is not None and len(self._workers) == len(self._current()):
            # Only now that the last reload's old workers are gone: else a rain of signals
            # would pile up workers that drain.
            self._generation += 1
            self._wanted, self._reload_to = self._reload_to, None
            self._advance_reload(now)
        elif now >= self._not_before:
            while len(self._current()) < self._wanted and self._start(now):
                pass

    def wait_seconds(self, now: float) -> float:
        """Return how long nothing will be due, a death or a signal apart."""
        moments = [member.kill_at for member in self._workers.values() if member.kill_at]
        if self._working():
            moments.append(self._polled + self._look_seconds)
        if not self._ending:
            if self._old() or not all(map(self._is_ready, self._current())):
                moments.append(now + POLL_SECONDS)
            if len(self._current()) < self._wanted:
                moments.append(self._not_before)
        # Linux takes no infinity; an hour is as good. And no busy loop around a killed process.
        return max(POLL_SECONDS, min([*moments, now + 3600]) - now)

    def died(self, pid: int, cause: str, now: float) -> None:
        """Take note that a process has ended; one that nobody knows was an orphan."""
        # It may have ended before it was seen to leave.
        self._look_for_retiring(now)
        member = self._workers.pop(pid, None)
        if member is None:
            return
        release(self._counters.worker(member.number))
        heapq.heappush(self._free, member.number)
        if member.kill_at is not None:
            return
        self._counters.supervisor[RESTARTS] += 1
        if member.is_hung:
            self._counters.supervisor[HUNG] += 1
            cause = f"its loop did not come round for {self._hung_seconds:g} s"
        self._tell(member.number, f"process {pid} ended: {cause}")
        self._back_off(now, now - member.started)
        if member.generation == self._generation and self._old():
            self._abandon_reload()

    def reload(self, wanted: int) -> None:
        """Replace every worker, one after the other, by *wanted* fresh ones."""
        self._reload_to = wanted

    def end(self, now: float) -> None:
        """Tell everybody to drain; nobody is replaced any more."""
        self._ending = True
        for member in self._workers.values():
            if member.kill_at is None:
                self._dismiss(member, signal.SIGTERM, now)

    def kill(self) -> None:
        """End everybody at once."""
        for pid in self._workers:
            self._effects.send(pid, signal.SIGKILL)

    def _current(self) -> list[Worker]:
        return [member for member in self._working() if member.generation == self._generation]

    def _old(self) -> list[Worker]:
        return [member for member in self._working() if member.generation != self._generation]

    def _working(self) -> list[Worker]:
        return [member for member in self._workers.values() if member.kill_at is None]

    def _is_ready(self, member: Worker) -> bool:
        return bool(self._counters.worker(member.number)[READY])

    @property
    def _look_seconds(self) -> float:
        return self._hung_seconds / HEARTBEAT_POLLS

    def _look_at_heartbeats(self, now: float) -> None:
        """Kill each worker whose heartbeat has stopped."""
        if now < self._polled + self._look_seconds:
            return
        # Had this process been stopped (a paused container, a suspended machine), the workers
        # were as well: their time begins anew.
        was_stopped = now > self._polled + 2 * self._look_seconds
        self._polled = now
        for member in self._working():
            beat = self._counters.worker(member.number)[HEARTBEAT]
            if beat != member.beat or was_stopped or not self._is_ready(member):
                member.beat, member.beat_at = beat, now
            elif now - member.beat_at >= self._hung_seconds:
                member.is_hung = True
                self._effects.send(member.pid, signal.SIGKILL)

    def _look_for_retiring(self, now: float) -> None:
        """Take note of each worker that ends on its own account."""
        for member in self._working():
            if self._counters.worker(member.number)[STAGE] == RETIRING:
                member.kill_at = now + self._patience
                self._log.info(
                    "worker",
                    worker=member.number,
                    message=f"process {member.pid} was told to end; it is replaced",
                )

    def _advance_reload(self, now: float) -> None:
        """Take the next step of a reload: never fewer who answer than wanted, one more at most."""
        old, current = self._old(), self._current()
        if not all(map(self._is_ready, current)):
            return
        while old and len(current) + len(old) > self._wanted:
            self._dismiss(old.pop(0), RETIRE_SIGNAL, now)
        if len(current) < self._wanted:
            if not self._start(now):
                self._abandon_reload()
        elif not old:
            self._counters.supervisor[RELOADS] += 1
            self._log.info("reloaded", workers=len(current))

    def _abandon_reload(self) -> None:
        """Give a reload up: the old workers that are left stay."""
        self._log.error("reload", exc=None, message="given up; the old workers stay")
        for member in self._working():
            member.generation = self._generation

    def _start(self, now: float) -> bool:
        if not self._free:
            # Those that drain hold their slots: as many were told to end in a short time.
            self._back_off(now, 0)
            return False
        number = heapq.heappop(self._free)
        self._counters.take(number)
        try:
            pid = self._effects.start(number)
        except OSError as exc:
            heapq.heappush(self._free, number)
            self._tell(number, f"not started: {exc}")
            self._back_off(now, 0)
            return False
        self._workers[pid] = Worker(pid, number, self._generation, now, beat_at=now)
        return True

    def _dismiss(self, member: Worker, number: signal.Signals, now: float) -> None:
        member.kill_at = now + self._patience
        self._effects.send(member.pid, number)

    def _back_off(self, now: float, lived: float) -> None:
        if lived >= STABLE_AFTER_SECONDS:
            self._early_exits = 0
            self._not_before = now
            return
        # The exponent is bounded: a float's is.
        doubled = FIRST_DELAY_SECONDS * 2.0 ** min(self._early_exits, 16)
        self._not_before = now + min(doubled, LAST_DELAY_SECONDS)
        self._early_exits += 1

    def _tell(self, number: int, message: str) -> None:
        self._log.error("worker", exc=None, worker=number, message=message)
