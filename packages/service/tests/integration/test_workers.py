"""Several workers: replacement without an effect on clients."""

import contextlib
import functools
import os
import signal
from pathlib import Path

import pytest

from tests.lib.http_client import GET, HALF, REST
from tests.lib.running_service import Event, RunningService, Start, children_of
from tests.lib.waiting import until

from .inheritance import require_namespace
from .load_clients import LoadClients

pytestmark = pytest.mark.claim("workers: death, back-off, reload, counters, PID 1")


def is_replaced(pid: int, dead: int) -> bool:
    """Whether *pid* has two children again, and *dead* is none of them."""
    return len(set(children_of(pid)) - {dead}) == 2


def test_no_extra_process(start: Start) -> None:
    """One worker is the process itself."""
    service = start()

    assert service.children() == []


def test_every_worker_responds(start: Start) -> None:
    """Long connections go to the worker with fewer of them: soon each worker has some."""
    service = start("--workers", "2", "--access-log")
    seen: set[int] = set()
    with contextlib.ExitStack() as stack:
        while seen != {0, 1}:
            connection = stack.enter_context(service.connect())
            connection.request()
            seen.add(service.event()["worker"])


def test_worker_that_dies(start: Start) -> None:
    """A killed worker is logged and replaced, again and again; meanwhile the other serves."""
    service = start("--workers", "2")
    for _ in range(3):
        before = service.two_workers()
        os.kill(before[0], signal.SIGKILL)
        with service.connect() as connection:
            assert connection.request().status == 200
        event = service.event()
        assert (event["event"], event["level"]) == ("worker", "error")
        assert event["message"] == f"process {before[0]} ended: signal 9 (Killed)"
        until(functools.partial(is_replaced, service.pid, before[0]))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_end(start: Start, number: signal.Signals) -> None:
    """Every worker drains, the sums are logged at the end, and the status is 0."""
    service = start("--workers", "2")
    with service.connect() as connection:
        connection.send(GET + HALF)
        connection.read()
        service.signal(number)
        events = events_until_draining(service, processes=3)
        connection.send(REST)
        assert connection.read().closes
    events = [event for event in events + service.rest() if "worker" not in event]

    assert [event["event"] for event in events] == ["draining", "termination", "stopped"]
    assert (events[0]["signal"], events[0]["connections"]) == (number.name, 1)
    assert events[2]["aborted"] == 0
    assert service.wait() == 0


def test_end_of_the_drain_time(start: Start) -> None:
    """Closed connections are summed over the workers."""
    service = start("--workers", "2", "--drain-seconds", "1")
    with service.connect() as connection:
        connection.send(GET + HALF)
        connection.read()
        service.signal(signal.SIGTERM)

        assert service.rest()[-1]["aborted"] == 1
        assert service.wait() == 0


def events_until_draining(service: RunningService, *, processes: int) -> list[Event]:
    """Read the log until so many processes drain."""
    events: list[Event] = []
    while sum(event["event"] == "draining" for event in events) < processes:
        events.append(service.event())
    return events


def test_signal_to_the_group(start: Start) -> None:
    """Ctrl-C reaches every process of a terminal; a worker does not count it as a second signal."""
    service = start("--workers", "2")
    with service.connect() as connection:
        connection.send(GET + HALF)
        connection.read()
        os.killpg(service.pid, signal.SIGINT)
        events_until_draining(service, processes=3)
        connection.send(REST)

        assert connection.read().closes
    assert service.wait() == 0


def test_second_signal(start: Start) -> None:
    """A second signal ends every process at once."""
    service = start("--workers", "2")
    with service.connect() as connection:
        connection.send(GET + HALF)
        connection.read()
        workers = service.children()
        service.signal(signal.SIGTERM)
        service.event("draining")
        service.signal(signal.SIGTERM)

        assert service.wait() == 128 + 15
    until(lambda: not any(is_alive(pid) for pid in workers))


def is_alive(pid: int) -> bool:
    """Whether *pid* is a process that runs."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_supervisor_that_dies(start: Start) -> None:
    """Workers do not outlive their supervisor."""
    service = start("--workers", "2")
    workers = service.children()
    service.process.kill()

    until(lambda: not any(is_alive(pid) for pid in workers))


@pytest.mark.claim("no failed request under load: SIGTERM, SIGHUP")
@pytest.mark.parametrize("flags", [(), ("--workers", "2")])
def test_end_under_load(start: Start, flags: tuple[str, ...]) -> None:
    """SIGTERM under load: every request sent gets a response."""
    service = start(*flags)
    with LoadClients(service.connect) as load:
        load.wait(200)
        service.signal(signal.SIGTERM)
        assert service.wait() == 0

    assert load.failures == []
    assert load.responses >= 200


@pytest.mark.claim("no failed request under load: SIGTERM, SIGHUP")
def test_reload_under_load(start: Start) -> None:
    """SIGHUP under load, three times: every worker is another process, and no request fails."""
    service = start("--workers", "2")
    first = service.two_workers()
    with LoadClients(service.connect) as load:
        for _ in range(3):
            load.wait(200)
            service.signal(signal.SIGHUP)
            service.event("reloaded")
        load.wait(200)
        until(lambda: not set(first) & set(service.children()))

    assert load.failures == []
    assert load.connections > 8
    service.signal(signal.SIGTERM)
    assert service.wait() == 0


@pytest.mark.claim("requests of a connection")
def test_last_requests_under_load(start: Start) -> None:
    """Connections that end by their number of requests lose none."""
    service = start("--max-requests-per-connection", "10")
    with LoadClients(service.connect, clients=4) as load:
        load.wait(400)

    assert load.failures == []
    assert load.connections >= 40


def test_reload_of_one(start: Start) -> None:
    """With one worker SIGHUP replaces and ends nothing."""
    service = start()
    with LoadClients(service.connect, clients=2) as load:
        load.wait(10)
        service.signal(signal.SIGHUP)
        assert service.event()["workers"] == 0
        load.wait(10)

    assert load.failures == []
    assert load.connections == 2


@pytest.mark.parametrize("workers", ["1", "2"])
def test_first_process(start: Start, workers: str) -> None:
    """As PID 1 it reaps the orphans it inherits, and SIGTERM ends it though it is PID 1."""
    unshare = ("unshare", "--pid", "--fork", "--kill-child")
    require_namespace(*unshare)
    orphans = ("sh", "-c", '(sleep 1 & sleep 1 & sleep 1 &); exec "$@"', "sh")
    service = start("--workers", workers, prefix=(*unshare, *orphans))
    (first,) = service.children()
    own = 0 if workers == "1" else int(workers)
    until(lambda: len(children_of(first)) == own)
    os.kill(first, signal.SIGTERM)

    assert service.wait() == 0
