"""Several workers: replacement without an effect on clients."""

import contextlib
import functools
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from .load_clients import LoadClients, read_answer
from .raw_requests import GET
from .running import children_of, until

pytestmark = pytest.mark.claim("workers: death, back-off, reload, counters, PID 1")


def is_replaced(pid: int, dead: int) -> bool:
    """Whether *pid* has two children again, and *dead* is none of them."""
    return len(set(children_of(pid)) - {dead}) == 2


def test_no_extra_process(start: Any) -> None:
    """One worker is the process itself."""
    service = start()

    assert children_of(service.process.pid) == []


def test_every_worker_responds(start: Any) -> None:
    """Long connections go to the worker with fewer of them: soon each worker has some."""
    service = start("--workers", "2", "--access-log")
    seen: set[int] = set()
    with contextlib.ExitStack() as stack:
        while seen != {0, 1}:
            sock = stack.enter_context(service.connect())
            sock.sendall(GET)
            read_answer(sock)
            seen.add(service.event()["worker"])


def test_worker_that_dies(start: Any) -> None:
    """A killed worker is logged and replaced, again and again; meanwhile the other serves."""
    service = start("--workers", "2")
    for _ in range(3):
        before = until(lambda: pids if len(pids := children_of(service.process.pid)) == 2 else None)
        os.kill(before[0], signal.SIGKILL)
        with service.connect() as sock:
            sock.sendall(GET)
            assert b"healthy" in read_answer(sock)
        event = service.event()
        assert (event["event"], event["level"]) == ("worker", "error")
        assert event["message"] == f"process {before[0]} ended: signal 9 (Killed)"
        until(functools.partial(is_replaced, service.process.pid, before[0]))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_end(start: Any, number: signal.Signals) -> None:
    """Every worker drains, the sums are logged at the end, and the status is 0."""
    service = start("--workers", "2")
    with service.connect() as sock:
        sock.sendall(GET + GET[:10])
        read_answer(sock)
        service.signal(number)
        events = drained(service.process.stdout, processes=3)
        sock.sendall(GET[10:])
        assert b"Connection: close\r\n" in read_answer(sock)
    events = [event for event in events + rest(service) if "worker" not in event]

    assert [event["event"] for event in events] == ["draining", "termination", "stopped"]
    assert (events[0]["signal"], events[0]["connections"]) == (number.name, 1)
    assert events[2]["aborted"] == 0
    assert service.wait() == 0


def test_end_of_the_drain_time(start: Any) -> None:
    """Closed connections are summed over the workers."""
    service = start("--workers", "2", "--drain-seconds", "1")
    with service.connect() as sock:
        sock.sendall(GET + GET[:10])
        read_answer(sock)
        service.signal(signal.SIGTERM)

        assert rest(service)[-1]["aborted"] == 1
        assert service.wait() == 0


def drained(log: Iterable[bytes], *, processes: int) -> list[dict[str, Any]]:
    """Read *log* until so many processes drain."""
    events: list[dict[str, Any]] = []
    while sum(event["event"] == "draining" for event in events) < processes:
        events.append(msgspec.json.decode(next(iter(log))))
    return events


def rest(service: Any) -> list[dict[str, Any]]:
    """Return the events of the log from now to the end."""
    return [msgspec.json.decode(line) for line in service.process.stdout]


def test_signal_to_the_group() -> None:
    """Ctrl-C reaches every process of a terminal; a worker does not count it as a second signal."""
    with subprocess.Popen(
        [sys.executable, "-m", "devops_info_service", "--port", "0", "--workers", "2"],
        stdout=subprocess.PIPE,
        start_new_session=True,
    ) as process:
        assert process.stdout is not None
        port = msgspec.json.decode(process.stdout.readline())["port"]
        with socket.create_connection(("127.0.0.1", port), timeout=20) as sock:
            sock.sendall(GET + GET[:10])
            read_answer(sock)
            os.killpg(process.pid, signal.SIGINT)
            drained(process.stdout, processes=3)
            sock.sendall(GET[10:])
            answer = read_answer(sock)

        assert b"Connection: close\r\n" in answer
        assert process.wait(20) == 0


def test_second_signal(start: Any) -> None:
    """A second signal ends every process at once."""
    service = start("--workers", "2")
    with service.connect() as sock:
        sock.sendall(GET + GET[:10])
        read_answer(sock)
        workers = children_of(service.process.pid)
        service.signal(signal.SIGTERM)
        while service.event()["event"] != "draining":
            pass
        service.signal(signal.SIGTERM)

        assert service.wait() == 128 + 15
    until(lambda: not any(is_alive(pid) for pid in workers))


def is_alive(pid: int) -> bool:
    """Whether *pid* is a process that runs."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_supervisor_that_dies(start: Any) -> None:
    """Workers do not outlive their supervisor."""
    service = start("--workers", "2")
    workers = children_of(service.process.pid)
    service.process.kill()

    until(lambda: not any(is_alive(pid) for pid in workers))


@pytest.mark.claim("no failed request under load: SIGTERM, SIGHUP")
@pytest.mark.parametrize("flags", [(), ("--workers", "2")])
def test_end_under_load(start: Any, flags: tuple[str, ...]) -> None:
    """SIGTERM under load: every request sent gets a response."""
    service = start(*flags)
    with LoadClients(service.connect) as load:
        load.wait(200)
        service.signal(signal.SIGTERM)
        assert service.wait() == 0

    assert load.failures == []
    assert load.answers >= 200


@pytest.mark.claim("no failed request under load: SIGTERM, SIGHUP")
def test_reload_under_load(start: Any) -> None:
    """SIGHUP under load, three times: every worker is another process, and no request fails."""
    service = start("--workers", "2")
    first = until(lambda: pids if len(pids := children_of(service.process.pid)) == 2 else None)
    with LoadClients(service.connect) as load:
        for _ in range(3):
            load.wait(200)
            service.signal(signal.SIGHUP)
            while service.event()["event"] != "reloaded":
                pass
        load.wait(200)
        until(lambda: not set(first) & set(children_of(service.process.pid)))

    assert load.failures == []
    assert load.connections > 8
    service.signal(signal.SIGTERM)
    assert service.wait() == 0


@pytest.mark.claim("requests of a connection")
def test_last_requests_under_load(start: Any) -> None:
    """Connections that end by their number of requests lose none."""
    service = start("--max-requests-per-connection", "10")
    with LoadClients(service.connect, clients=4) as load:
        load.wait(400)

    assert load.failures == []
    assert load.connections >= 40


def test_reload_of_one(start: Any) -> None:
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
def test_first_process(workers: str) -> None:
    """As PID 1 it reaps the orphans it inherits, and SIGTERM ends it though it is PID 1."""
    unshare = ["unshare", "--pid", "--fork", "--kill-child"]
    if subprocess.run([*unshare, "true"], capture_output=True, check=False).returncode:
        pytest.skip("no namespace of processes of our own here")
    serve = f'"{sys.executable}" -m devops_info_service --port 0 --workers {workers}'
    script = f"(sleep 1 & sleep 1 & sleep 1 &); exec {serve}"
    with subprocess.Popen([*unshare, "sh", "-c", script], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        try:
            assert msgspec.json.decode(process.stdout.readline())["event"] == "listening"
            (first,) = children_of(process.pid)
            own = 0 if workers == "1" else int(workers)
            until(lambda: len(children_of(first)) == own)
            os.kill(first, signal.SIGTERM)

            assert process.wait(20) == 0
        finally:
            process.kill()  # or a failed assertion waits for the end of the service
