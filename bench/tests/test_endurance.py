"""The endurance tools against a real service: minutes made seconds, and no matter of time."""

import contextlib
import os
import shutil
import socket
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from bench.endurance import churn, idle, slow, soak
from bench.endurance.clients import rows
from bench.endurance.process_sampler import Sample, Watch
from bench.endurance.reference_client import NormalClient, percentile
from bench.lib import proc
from bench.lib.server_process import Command, Server, serving
from tests.lib.http_client import Connection, ProtocolError, request
from tests.lib.waiting import until

pytestmark = pytest.mark.claim("load with churn, idle connections, slow attacks, clients")

CPUS = sorted(os.sched_getaffinity(0))
SERVICE = Command(
    argv=(sys.executable, "-m", "devops_info_service"),
    version="",
    env={"HOST": "{address}", "PORT": "{port}"},
)


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with serving(SERVICE, CPUS) as running:
        yield running


def open_sockets(server: Server) -> int:
    """Count the sockets of all its processes; other files come when it first needs them."""
    count = 0
    for pid in proc.session(server.pid):
        for link in Path(f"/proc/{pid}/fd").iterdir():
            with contextlib.suppress(FileNotFoundError):  # it may be closed meanwhile
                count += str(link.readlink()).startswith("socket:")
    return count


def wait_for_close(server: Server, before: int) -> None:
    """Wait until the sockets are as few as *before*; connections linger for two seconds.

    They may be fewer: the probe that saw the start may have been open before.
    """
    until(lambda: open_sockets(server) <= before)


def test_every_scene_repeatedly(server: Server) -> None:
    """Alone, and among each other; no file is left open."""
    before = open_sockets(server)
    scenes = churn.scenes(server.port)
    for scene in scenes:
        churn.play(scene, server.port)
    crowd = churn.Churn(port=server.port, scenes=scenes)
    crowd.run(3)

    assert crowd.failures == []
    assert crowd.played.keys() <= {scene.name for scene in scenes}
    wait_for_close(server, before)


def test_waiting_connections_do_not_affect_others(server: Server) -> None:
    """Five hundred connections wait; others are answered, and at the end all of them are."""
    before = open_sockets(server)
    crowd = idle.gather(server.port, 500, net=200)
    try:
        with NormalClient(server.port) as client:
            until(lambda: len(client.times) > 2)
        idle.send_to_all(crowd)
    finally:
        for connection in crowd:
            connection.close()

    assert client.failures == []
    wait_for_close(server, before)


@pytest.mark.endurance
@pytest.mark.skipif(not shutil.which("slowhttptest"), reason="slowhttptest is not installed")
def test_slow_attacks_do_not_affect_others() -> None:
    """Each of the four holds its connections; a normal client meets no error."""
    found = slow.slow(SERVICE, connections=200, seconds=2, server_cpus=CPUS)

    assert len(found) == 4
    for one in found:
        assert one.report.available
        assert one.client.messages == ()
        assert one.client.requests > 2
    # Ranges make the head too long: it is refused at once.
    assert [one.most_files > 100 for one in found] == [True, True, False, True]


@pytest.mark.endurance
def test_real_clients(server: Server, tmp_path: Path) -> None:
    """Whoever of them is on this machine."""
    found = [row for row in rows(server.port, tmp_path) if row.got != "not on this machine"]

    assert [row for row in found if not row.passes] == []
    assert {row.client for row in found} >= {"curl", "Python http.client"}


def test_process_sampler(server: Server) -> None:
    """It takes samples, and they have memory and files."""
    with Watch(server.pid) as watch, Connection(server.port) as connection:
        assert connection.request(request("/health")).status == 200
        until(lambda: watch.samples)
        with_connection = watch.sample()
    assert with_connection.rss_bytes > 1_000_000
    assert with_connection.descriptors > open_sockets(server) > 0


@pytest.mark.parametrize(
    ("sent", "closes"),
    [
        (b"", True),
        (b"HTTP/1.1 200 OK\r\nContent-Le", True),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabc", True),
        (b"HTTP/2 200\r\n\r\n", False),
        (b"nonsense\r\n\r\n", False),
    ],
)
def test_invalid_response_is_an_error(sent: bytes, *, closes: bool) -> None:
    """A peer that ends too early, or speaks something else, is no success."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            sock, _ = listening.accept()
            with sock:
                sock.sendall(sent)
                if not closes:
                    sock.recv(1)

        thread = threading.Thread(target=serve)
        thread.start()
        with Connection(listening.getsockname()[1]) as connection, pytest.raises(ProtocolError):
            connection.read()
        thread.join()


def test_failed_scene_is_reported(server: Server) -> None:
    """Another status, and a connection that is not closed."""
    wrong = churn.Scene(name="", steps=(churn.Step(send=request("/"), statuses=(404,)),))
    with pytest.raises(ProtocolError, match="status 200, not 404"):
        churn.play(wrong, server.port)
    more = churn.Scene(
        name="", steps=(churn.Step(send=request("/") * 2, statuses=(200,)),), ends=True
    )
    with pytest.raises(ProtocolError, match="bytes after the last response"):
        churn.play(more, server.port)


def test_percentiles() -> None:
    """Of no times there is none; of a hundred the 99th is one."""
    assert percentile([], 0.99) == 0
    assert percentile([3, 1, 2], 0.5) == 2
    assert percentile([float(n) for n in range(1, 101)], 0.99) == 99


@pytest.mark.parametrize(
    ("rss", "holds"), [((30, 20, 20, 21), True), ((30, 20, 23), False), ((30, 23, 20), False)]
)
def test_memory_verdict_is_after_the_warm_up(rss: tuple[int, ...], *, holds: bool) -> None:
    """In megabytes; the first is of the warm-up."""
    samples = tuple(
        Sample(
            seconds=10 * number,
            rss_bytes=size * 1_000_000,
            pss_bytes=0,
            descriptors=0,
            cpu_seconds=0,
            doing="",
        )
        for number, size in enumerate(rss)
    )
    found = soak.Soak(
        seconds=40,
        warm_up_seconds=5,
        requests=1,
        failed=0,
        timeouts=0,
        scenes={},
        scenes_failed=0,
        messages=(),
        server_busy=1,
        descriptors_before=1,
        descriptors_after=1,
        samples=samples,
    )
    assert soak.judged(found)[0].holds is holds


def test_slowhttptest_output() -> None:
    """With its colors, and of several the last."""
    output = (
        "\x1b[1minitializing:\x1b[0m        7\nconnected:           1\nservice available:   NO\n"
        "\x1b[1;32minitializing:        0\npending:             2\nconnected:           500\n"
        "error:               0\nclosed:              3\nservice available:   YES\x1b[0m\n"
        "Exit status: Hit test time limit\n"
    )
    assert slow.parse(output) == slow.Report(
        initializing=0,
        pending=2,
        connected=500,
        error=0,
        closed=3,
        available=True,
        status="Hit test time limit",
    )


def test_kernel_memory_is_slabs_and_buffers() -> None:
    """In bytes; a kernel that does not tell gives none."""
    meminfo = "MemTotal: 100 kB\nSlab:             10 kB\n"
    sockstat = "sockets: used 1\nTCP: inuse 1 orphan 0 tw 0 alloc 2 mem 3\n"
    assert idle.parse_kernel(meminfo, sockstat, page_bytes=4096) == 10 * 1024 + 3 * 4096
    assert idle.parse_kernel("", sockstat, page_bytes=4096) == 0
