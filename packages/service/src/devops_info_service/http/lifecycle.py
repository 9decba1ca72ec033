"""The life of a process as a table: in each state, what each signal does.

The supervisor, its workers and a process that serves alone have a table each. Signals are
blocked before anything else (``process_state``) and stay pending while a process is STARTING, so
that none is lost and none meets a process half made.
"""

import signal
from collections.abc import Mapping
from enum import Enum
from signal import Signals
from typing import Final


class Lifecycle(Enum):
    """The states of a process."""

    STARTING = "prepares to accept"
    SERVING = "accepts and responds"
    RELOADING = "a supervisor replaces its workers one by one"
    RETIRING = "a worker ends and another takes its place"
    STOPPING = "the service ends: requests in flight are finished"


class ProcessLifecycle:
    """The state of this process: the server changes it, readiness and signals depend on it."""

    __slots__ = ("current",)

    def __init__(self, current: Lifecycle = Lifecycle.STARTING) -> None:
        self.current = current

    @property
    def is_stopping(self) -> bool:
        """Whether the service ends, and not only this worker of it: it wants no new traffic."""
        return self.current is Lifecycle.STOPPING


class Action(Enum):
    """The effect of a signal."""

    HOLD = "stays pending until the next state"
    NONE = "nothing"
    STOP = "the service stops, and finishes open requests"
    STOP_NOW = "the process ends at once, with status 128 + signal"
    RELOAD = "workers are replaced; a process alone only logs it"
    REAP = "children that have ended are noted"
    RETIRE = "the worker finishes open requests, and is replaced"
    LEAVE = "as STOP if the supervisor stops as well; else as RETIRE"


SIGNALS: Final = (
    *(signal.SIGTERM, signal.SIGINT, signal.SIGQUIT, signal.SIGHUP),
    *(signal.SIGUSR1, signal.SIGUSR2, signal.SIGCHLD),
)
"""The signals of the tables. Their inherited dispositions and masks are replaced."""

RETIRE_SIGNAL: Final = signal.SIGUSR1
"""From the supervisor to a worker: end while others take over."""

WorkerTable = Mapping[Lifecycle, Mapping[Signals, Action]]

_HELD: Final = dict.fromkeys(SIGNALS, Action.HOLD)
_IDLE: Final = {
    signal.SIGUSR1: Action.NONE,
    signal.SIGUSR2: Action.NONE,
    signal.SIGCHLD: Action.REAP,
}
_SERVING: Final = {
    signal.SIGTERM: Action.STOP,
    signal.SIGINT: Action.STOP,
    # gunicorn's quick shutdown. By default it would dump core, environment included.
    signal.SIGQUIT: Action.STOP_NOW,
    signal.SIGHUP: Action.RELOAD,
    **_IDLE,
}
_STOPPING: Final = {
    signal.SIGTERM: Action.STOP_NOW,
    signal.SIGINT: Action.STOP_NOW,
    signal.SIGQUIT: Action.STOP_NOW,
    signal.SIGHUP: Action.NONE,
    **_IDLE,
}

ALONE: Final[WorkerTable] = {
    Lifecycle.STARTING: _HELD,
    Lifecycle.SERVING: _SERVING,
    Lifecycle.STOPPING: _STOPPING,
}
"""A process that serves alone."""

SUPERVISOR: Final[WorkerTable] = {
    Lifecycle.STARTING: _SERVING,  # no worker is ready yet, but there are workers to end
    Lifecycle.SERVING: _SERVING,
    Lifecycle.RELOADING: _SERVING,  # another SIGHUP: once more, afterwards
    Lifecycle.STOPPING: _STOPPING,
}

# A group's signal (Ctrl-C, systemd's KillMode=control-group) is for the supervisor.
_WORKER_IDLE: Final = dict.fromkeys(SIGNALS, Action.NONE)

WORKER: Final[WorkerTable] = {
    Lifecycle.STARTING: _HELD,
    Lifecycle.SERVING: {
        **_WORKER_IDLE,
        signal.SIGTERM: Action.LEAVE,
        RETIRE_SIGNAL: Action.RETIRE,
    },
    # A second signal is the supervisor's: it kills.
    Lifecycle.RETIRING: _WORKER_IDLE,
    Lifecycle.STOPPING: _WORKER_IDLE,
}
