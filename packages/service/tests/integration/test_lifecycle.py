"""The life-cycle table, a test per cell: a process brought to the state, then signalled."""

import contextlib
import functools
import os
import signal
import time
from pathlib import Path
from signal import SIGCHLD, SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2, Signals
from typing import Any, Final

import pytest

from devops_info_service.http.lifecycle import (
    ALONE,
    SIGNALS,
    SUPERVISOR,
    WORKER,
    Action,
    Lifecycle,
    WorkerTable,
)
from tests.lib.http_client import GET, HALF, REST, Connection
from tests.lib.running_service import RunningService, Start
from tests.lib.waiting import until

from .inheritance import hold_signals

pytestmark = [pytest.mark.claim("every state and every signal"), pytest.mark.claim("signals")]


def cells(table: WorkerTable) -> list[Any]:
    """Return every cell of *table*."""
    return [
        pytest.param(state, number, action, id=f"{state.name}-{number.name}-{action.name}")
        for state, row in table.items()
        for number, action in row.items()
    ]


@pytest.mark.parametrize("table", [ALONE, SUPERVISOR, WORKER])
def test_table_is_complete(table: WorkerTable) -> None:
    """Every state reacts to every signal as in the table."""
    assert [set(row) for row in table.values()] == [set(SIGNALS)] * len(table)


LATER: Final = {
    SIGTERM: ["listening", "draining", "termination", "stopped"],
    SIGINT: ["listening", "draining", "termination", "stopped"],
    SIGQUIT: ["listening", "stopped_now"],
    SIGHUP: ["listening", "reloaded"],
    SIGUSR1: ["listening"],
    SIGUSR2: ["listening"],
    SIGCHLD: ["listening"],
}
"""The effect of a signal that came during the start."""


@pytest.mark.sample(every=3)
@pytest.mark.parametrize(("state", "number", "action"), cells(ALONE))
def test_alone(launch: Start, state: Lifecycle, number: Signals, action: Action) -> None:
    """A process that serves alone."""
    service = launch("--drain-seconds", "60", inherit=hold_signals)
    if state is Lifecycle.STARTING:
        assert action is Action.HOLD
        service.signal(number)
        until(lambda: service.names() == LATER[number])
        assert_end(service, number, LATER[number][-1])
        return
    with service.connect() as connection:
        connection.send(GET + HALF)
        connection.read()
        if state is Lifecycle.STOPPING:
            service.signal(SIGTERM)
            until(lambda: service.has("draining"))
        service.signal(number)
        act(service, action, number)
        if action in {Action.NONE, Action.REAP, Action.RELOAD, Action.STOP}:
            # A request that has begun is finished, whichever signal came.
            connection.send(REST)
            assert connection.read().status == 200
    if action is not Action.STOP_NOW:
        if state is Lifecycle.SERVING and action is not Action.STOP:
            assert service.responds()
            service.signal(SIGTERM)
        assert service.wait() == 0


def assert_end(service: RunningService, number: Signals, last: str) -> None:
    """Assert the exit status that belongs to the last event."""
    if last == "stopped":
        assert service.wait() == 0
    elif last == "stopped_now":
        assert service.wait() == 128 + number
    else:
        assert service.responds()


def act(service: RunningService, action: Action, number: Signals) -> None:
    """Wait for the visible effect of *action*."""
    match action:
        case Action.STOP:
            until(lambda: service.has("draining"))
        case Action.STOP_NOW:
            assert service.wait() == 128 + number
            assert service.names()[-1] == "stopped_now"
        case Action.RELOAD:
            until(lambda: service.has("reloaded"))
        case _:
            # No visible effect: it lives and logs nothing in the time that another action needs.
            time.sleep(0.2)
            assert service.process.poll() is None
            told = {event["event"] for event in service.events() if "worker" not in event}
            assert not {"reloaded", "stopped", "stopped_now"} & told


@pytest.mark.sample(every=3)
@pytest.mark.parametrize(("state", "number", "action"), cells(SUPERVISOR))
def test_supervisor(launch: Start, state: Lifecycle, number: Signals, action: Action) -> None:
    """A supervisor of two workers."""
    service = launch("--workers", "2", "--drain-seconds", "60", inherit=hold_signals)
    if state is Lifecycle.STARTING:
        service.signal(number)
        # A service that never logged its start logs its end all the same.
        until(
            lambda: (
                [name for name in LATER[number] if name not in service.names()]
                in ([], ["listening"])
            )
        )
        assert_end(service, number, LATER[number][-1])
        until(lambda: len(service.children()) in {0, 2})
        return
    service.two_workers()
    with service.connect() as connection:
        connection.send(GET + HALF)
        connection.read()
        if state is Lifecycle.STOPPING:
            service.signal(SIGTERM)
            until(lambda: "draining" in [e["event"] for e in service.events() if "worker" not in e])
        if state is Lifecycle.RELOADING:
            service.signal(SIGHUP)
        service.signal(number)
        if action is Action.RELOAD:
            until(lambda: service.has("reloaded"))
        elif state is not Lifecycle.RELOADING or action is Action.STOP_NOW:
            act(service, action, number)
        if action is not Action.STOP_NOW:
            connection.send(REST)
            assert connection.read().status == 200
    if action is not Action.STOP_NOW:
        if state is not Lifecycle.STOPPING and action is not Action.STOP:
            assert service.responds()
            service.signal(SIGTERM)
        assert service.wait() == 0
    workers = [event for event in service.events() if event["event"] == "worker"]
    assert [event for event in workers if event["level"] == "error"] == []
    until(lambda: not service.children())


@pytest.mark.sample(every=3)
@pytest.mark.parametrize(("state", "number", "action"), cells(WORKER))
def test_worker(launch: Start, state: Lifecycle, number: Signals, action: Action) -> None:
    """One of two workers is signalled alone: the service serves on, with two workers."""
    service = launch("--workers", "2", "--drain-seconds", "60")
    first = service.two_workers()
    if state is Lifecycle.STARTING:
        # A worker in its first millisecond: a fresh one, stopped as soon as it exists.
        assert service.responds()
        os.kill(first[0], signal.SIGKILL)
        (worker,) = until(lambda: set(service.children()) - set(first))
        os.kill(worker, number)
        until(lambda: len(service.children()) == 2)
        assert service.responds()
        service.signal(SIGTERM)
        assert service.wait() == 0
        return
    with contextlib.ExitStack() as stack:
        held = hold(stack, service, first)
        worker, connection = held.popitem()
        if state is Lifecycle.RETIRING:
            os.kill(worker, SIGTERM)
            until(lambda: len(service.children()) == 3)
        if state is Lifecycle.STOPPING:
            service.signal(SIGTERM)
            until(lambda: service.names().count("draining") == 3)
        os.kill(worker, number)
        if action is Action.LEAVE:
            until(lambda: len(service.children()) == 3)
        time.sleep(0.1)
        connection.send(REST)
        assert connection.read().status == 200
        if state is not Lifecycle.STOPPING:
            for _ in range(20):
                assert service.responds()
            if action is not Action.NONE or state is Lifecycle.RETIRING:
                until(lambda: worker not in service.children())
            until(lambda: len(service.children()) == 2)
            service.signal(SIGTERM)
        for other in held.values():
            other.send(REST)
            assert other.read().status == 200
    assert service.wait() == 0


def hold(
    stack: contextlib.ExitStack, service: RunningService, workers: list[int]
) -> dict[int, Connection]:
    """Return a connection with a request begun for each of *workers*."""
    held: dict[int, Connection] = {}
    while len(held) < len(workers):
        connection = stack.enter_context(service.connect())
        connection.send(GET + HALF)
        connection.read()
        port = connection.local_port
        (owner,) = until(functools.partial(owners, workers, service.port, port))
        if owner not in held:
            held[owner] = connection
    return held


def owners(workers: list[int], port: int, peer: int) -> list[int]:
    """Return the workers that hold the connection of *peer*, by /proc."""
    row = f"0100007F:{port:04X} 0100007F:{peer:04X}"
    inode = next(
        line.split()[9] for line in Path("/proc/net/tcp").read_text().splitlines() if row in line
    )
    found = []
    for worker in workers:
        for link in Path(f"/proc/{worker}/fd").iterdir():
            with contextlib.suppress(FileNotFoundError):
                if str(link.readlink()) == f"socket:[{inode}]":
                    found.append(worker)
    return found
