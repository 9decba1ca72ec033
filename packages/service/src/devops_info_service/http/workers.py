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
import socket
import time
from collections.abc import Callable
from typing import Final, NoReturn

import msgspec

from .counters import Counters
from .crew import RETIRE, Crew
from .loop import Loop
from .server import WORD_SECONDS, Stop, Story, Until, announce

Work = Callable[[int, Until], None]
"""Serves as the worker of that number until it is told to end."""

SIGNALS: Final = frozenset({signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD})


class Ending(msgspec.Struct, frozen=True):
    """The end of a service, as its supervisor sees it."""

    signal: str
    began: float
    """When the signal came, by the monotonic clock."""
    processes: int
    """How many workers there were."""
    is_over: bool = False


class _Processes:
    """Forks and signals the workers."""

    def __init__(self, work: Work, story: Story) -> None:
        self._work = work
        self._story = story
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
            self._work(number, until_told(self.lifeline))
            status = 0
        except BaseException as exc:  # noqa: BLE001  the supervisor's stack is no place to go
            self._story.error("worker", exc=exc, worker=number, message="failed")
        finally:
            os._exit(status)


def until_told(lifeline: int) -> Until:
    """Wait for the supervisor's SIGTERM, or for the supervisor's end."""

    def arm(loop: Loop, end: Callable[[Stop], None]) -> None:
        was_told = False

        def told(cause: str, *, is_last: bool = True) -> None:
            nonlocal was_told
            loop.unwatch(lifeline)
            # A second one is no insistence here: a group's signal comes along with the
            # supervisor's. If somebody insists, the supervisor kills us.
            if not was_told:
                was_told = True
                end(Stop(cause, is_last))

        # Ctrl-C goes to every process of the terminal; it is the supervisor's to answer.
        for number in (signal.SIGINT, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        loop.on_signal(signal.SIGTERM, functools.partial(told, signal.SIGTERM.name))
        loop.on_signal(RETIRE, functools.partial(told, "reload", is_last=False))
        loop.watch(lifeline, lambda _: told("the supervisor is gone"))
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {*SIGNALS, RETIRE})

    return arm


def supervise(
    sock: socket.socket,
    counters: Counters,
    work: Work,
    *,
    count: Callable[[], int],
    patience_seconds: int,
    story: Story,
    on_end: Callable[[Ending], None],
) -> None:
    """Keep ``count()`` workers until SIGTERM or SIGINT, then let them drain.

    SIGHUP counts anew and replaces them one by one. A second signal to end ends all at once.
    Who is told to end has *patience_seconds* for it. *on_end* is told of the end once it has
    come, and every second from the signal until then.
    """
    # From here on signals wait until they are asked for: none can come between two lines.
    signal.pthread_sigmask(signal.SIG_BLOCK, {*SIGNALS, RETIRE})
    processes = _Processes(work, story)
    crew = Crew(count(), counters, processes, story, patience=patience_seconds)
    announced = False
    ending: Ending | None = None
    told = 0.0
    while not crew.done:
        crew.tick(time.monotonic())
        # Before we look who is ready: whoever becomes so in between is no reason to sleep long.
        wait = crew.wait_seconds(time.monotonic())
        if crew.ready and not announced:
            announced = True
            announce(story, sock)
        got = signal.sigtimedwait(SIGNALS, min(wait, WORD_SECONDS) if ending else wait)
        number = signal.SIGCHLD if got is None else signal.Signals(got.si_signo)
        if number == signal.SIGHUP and not ending:
            crew.reload(count())
        elif number in {signal.SIGTERM, signal.SIGINT}:
            if ending:
                crew.kill()
                os._exit(128 + number)
            open_now = counters.totals().open
            story.info("draining", signal=number.name, connections=open_now)
            ending = Ending(number.name, time.monotonic(), crew.size)
            told = ending.began
            # The workers have it still, and take who is in its queue.
            sock.close()
            crew.end(time.monotonic())
        _reap(crew)
        if ending and time.monotonic() >= told + WORD_SECONDS and not crew.done:
            told = time.monotonic()
            on_end(ending)
    if ending:
        on_end(msgspec.structs.replace(ending, is_over=True))
    story.info("stopped", aborted=counters.totals().aborted)


def _reap(crew: Crew) -> None:
    """Take note of every child that has ended; as PID 1 of orphans, too."""
    with contextlib.suppress(ChildProcessError):
        while True:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if pid == 0:
                return
            code = os.waitstatus_to_exitcode(status)
            cause = f"signal {-code} ({signal.strsignal(-code)})" if code < 0 else f"status {code}"
            crew.died(pid, cause, time.monotonic())
