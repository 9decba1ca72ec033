"""The event loop of one thread: file descriptors, timers and signals, by epoll(7).

Not asyncio: nothing here awaits anything, so tasks, futures and transports would be paid for and
not used; they were half of the start and a sixth of a request
(docs/explanation/performance.md). Linux only, as containers are.
"""

import contextlib
import os
import select
import signal
import time
from collections.abc import Callable
from typing import Final

MAX_EVENTS: Final = 64
"""File descriptors that one wait returns; the others come first in the next. It also bounds how
late a timer can be: by the responses to that many reads."""

READ: Final = select.EPOLLIN
STREAM: Final = select.EPOLLIN | select.EPOLLOUT | select.EPOLLRDHUP | select.EPOLLET
"""All events of a connection, each reported once: no system call to want more or fewer."""

_NEVER: Final = float("inf")

_LONGEST_WAIT: Final = 3600.0
"""Seconds; epoll_wait(2) takes milliseconds in an int."""

OnReady = Callable[[int], object]
"""Called with the events of epoll(7); its result is ignored."""


class Timer:
    """One call that is due once."""

    __slots__ = ("call", "moment")

    def __init__(self, moment: float, call: Callable[[], object]) -> None:
        self.moment = moment
        """By the loop's clock, in seconds."""
        self.call: Callable[[], object] | None = call

    def cancel(self) -> None:
        """Drop the call; without effect if it was made."""
        self.call = None


class Loop:
    """Waits for events and makes the calls they are for, until it is stopped. One per process."""

    def __init__(
        self,
        on_error: Callable[[Exception], None],
        clock: Callable[[], float] = time.monotonic,
        on_iteration: Callable[[], object] | None = None,
    ) -> None:
        """Call *on_error* with what a call raises; the other calls are made all the same.

        *on_iteration* is called first in each iteration.
        """
        self._on_error = on_error
        self._on_iteration = on_iteration or _no_op
        self._clock = clock
        self._epoll = select.epoll()
        self._on_ready: dict[int, OnReady] = {}
        # A handful: the sweep, the tick, the steps of a shutdown. A heap would not pay off.
        self._timers: list[Timer] = []
        self._callbacks: list[Callable[[], object]] = []
        self._first = _NEVER
        self._on_signal: dict[int, Callable[[], object]] = {}
        self._wakeup: tuple[int, int] | None = None
        self._stopped = False

    def watch(self, descriptor: int, on_ready: OnReady, events: int = READ) -> None:
        """Call *on_ready* whenever *descriptor* has one of *events*."""
        self._on_ready[descriptor] = on_ready
        self._epoll.register(descriptor, events)

    def rearm(self, descriptor: int) -> None:
        """Report what a STREAM has again: its reader has left something for its next turn."""
        if descriptor in self._on_ready:
            self._epoll.modify(descriptor, STREAM)

    def discard(self, descriptor: int) -> None:
        """Stop watching a descriptor that is about to be closed, which the kernel notices."""
        self._on_ready.pop(descriptor, None)

    def unwatch(self, descriptor: int) -> None:
        """Stop watching a descriptor that stays open."""
        if self._on_ready.pop(descriptor, None) is not None:
            self._epoll.unregister(descriptor)

    def call_soon(self, call: Callable[[], object]) -> None:
        """Call at the end of this iteration: after all events, before the next wait."""
        self._callbacks.append(call)

    def run_callbacks(self) -> None:
        """Make the calls that wait for the end of the iteration, now."""
        calls, self._callbacks = self._callbacks, []
        for call in calls:
            try:
                call()
            except Exception as exc:  # noqa: BLE001  it is reported, and the rest goes on
                self._report(exc)

    def call_later(self, seconds: float, call: Callable[[], object]) -> Timer:
        """Call once, after so many seconds."""
        timer = Timer(self._clock() + seconds, call)
        self._timers.append(timer)
        self._first = min(self._first, timer.moment)
        return timer

    def call_every(self, seconds: float, call: Callable[[], object]) -> None:
        """Call again and again, every so many seconds."""

        def call_and_repeat() -> None:
            self.call_later(seconds, call_and_repeat)
            call()

        self.call_later(seconds, call_and_repeat)

    def on_signal(self, number: int, call: Callable[[], object]) -> None:
        """Call between two other calls whenever the signal has come; from the main thread."""
        if self._wakeup is None:
            # C's handler writes the number there, whatever Python is doing; Python's own does
            # nothing. So a signal never comes between two lines.
            self._wakeup = receiver, sender = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
            signal.set_wakeup_fd(sender, warn_on_full_buffer=False)
            self.watch(receiver, self._read_signals)
        self._on_signal[number] = call
        signal.signal(number, _no_op_handler)
        # It may be pending since the process began (process_state).
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {number})

    def stop(self) -> None:
        """End after the calls of this iteration."""
        self._stopped = True

    def run(self) -> None:
        """Wait and call until ``stop``; it may run again afterwards."""
        poll, on_ready, clock = self._epoll.poll, self._on_ready, self._clock
        on_iteration = self._on_iteration
        while not self._stopped:
            wait = self._first - clock()
            if wait <= 0:
                on_iteration()
                self._call_timers()
                self.run_callbacks()
                continue
            ready = poll(min(wait, _LONGEST_WAIT), MAX_EVENTS)
            on_iteration()
            for descriptor, events in ready:
                # Missing if a call of this iteration has ended it. A newer file of the same
                # number is called in vain, which does no harm.
                call = on_ready.get(descriptor)
                if call is not None:
                    try:
                        call(events)
                    except Exception as exc:  # noqa: BLE001  as above
                        self._report(exc)
            self.run_callbacks()
        self._stopped = False

    def close(self) -> None:
        """Restore the signals and close the loop's own files."""
        for number in self._on_signal:
            signal.signal(number, signal.SIG_DFL)
        if self._wakeup is not None:
            signal.set_wakeup_fd(-1)
            for descriptor in self._wakeup:
                os.close(descriptor)
        self._epoll.close()

    def _report(self, exc: Exception) -> None:
        # The callback may meet the same error: no file, no memory.
        with contextlib.suppress(Exception):
            self._on_error(exc)

    def _call_timers(self) -> None:
        now = self._clock()
        due = [timer for timer in self._timers if timer.moment <= now]
        self._timers = [timer for timer in self._timers if timer.moment > now]
        self._first = min((timer.moment for timer in self._timers), default=_NEVER)
        for timer in due:
            if timer.call is not None:
                try:
                    timer.call()
                except Exception as exc:  # noqa: BLE001  as above
                    self._report(exc)

    def _read_signals(self, events: int) -> None:  # noqa: ARG002  only ever EPOLLIN
        receiver, _ = self._wakeup or (-1, -1)
        with contextlib.suppress(BlockingIOError):
            for number in os.read(receiver, 256):
                try:
                    self._on_signal[number]()
                except Exception as exc:  # noqa: BLE001  the signals behind it are handled
                    self._report(exc)


def _no_op() -> None:
    """Do nothing, where no callback is given."""


def _no_op_handler(number: int, frame: object) -> None:
    """Suppress a signal's default action; the wakeup pipe delivers it."""
