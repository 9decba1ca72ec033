"""Lines written to readers that are slow, stuck or closed: whole, in order, bounded, counted."""

import contextlib
import errno
import os
import pty
import re
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devops_info_service.output import LineWriter, open_nonblocking, write_result

from .reachable import texts_in

pytestmark = pytest.mark.claim("log never stops the service")

NOTICE = re.compile(rb"missing (\d+)")

TAKES = st.one_of(
    st.integers(0, 40),  # so many bytes, at most
    st.just(1 << 20),
    st.sampled_from([errno.EAGAIN, errno.ENOSPC, errno.EPIPE, errno.EIO, errno.EDQUOT]).map(
        lambda number: -number
    ),
)
"""What a write meets: a number of bytes that fit, or the negative errno it fails with."""


class Reader:
    """Takes what a schedule allows, then everything."""

    def __init__(self, takes: list[int]) -> None:
        self.takes = takes
        self.data = b""

    def send(self, data: bytes) -> int:
        take = self.takes.pop(0) if self.takes else len(data)
        if take < 0:
            raise OSError(-take, os.strerror(-take))
        self.data += data[:take]
        return min(take, len(data))


@pytest.mark.claim("a log that is stuck, full, gone; back again")
@given(
    st.lists(TAKES, max_size=200),
    st.lists(st.integers(0, 60), max_size=120),
    st.integers(80, 300),
)
def test_any_reader(takes: list[int], sizes: list[int], room: int) -> None:
    """Any reader gets whole lines in order, and each gap has its number of lines."""
    reader = Reader(takes)
    lines = LineWriter(reader.send, lambda count: b"missing %d\n" % count, room)
    written = [b"%d:%s\n" % (number, b"x" * size) for number, size in enumerate(sizes)]
    for line in written:
        lines.write(line)
        assert sum(map(len, texts_in(lines))) <= max(room, len(line)) + 20
    for _ in range(300):
        lines.flush()

    assert not lines.is_behind
    assert reader.data.endswith(b"\n") or not written
    expected, dropped = 0, 0
    for line in reader.data.splitlines(keepends=True):
        if gap := NOTICE.match(line):
            expected += int(gap[1])
            dropped += int(gap[1])
        else:
            assert line == written[expected]
            expected += 1
    assert expected == len(written)
    assert dropped == lines.dropped


def fill(send: Callable[[bytes], int]) -> None:
    """Write until nothing more fits; a terminal moves bytes to another buffer meanwhile."""
    full = 0
    while full < 20:
        full += 1
        with contextlib.suppress(BlockingIOError):
            while send(b"x" * 4096):
                full = 0
        with contextlib.suppress(BlockingIOError):
            while send(b"x"):
                full = 0
        time.sleep(0.01)


def pipe() -> tuple[int, int]:
    return os.pipe()


def terminal() -> tuple[int, int]:
    return pty.openpty()


def stream_socket() -> tuple[int, int]:
    near, far = socket.socketpair()
    return near.detach(), far.detach()


@pytest.mark.parametrize("make", [pipe, terminal, stream_socket])
def test_nothing_waits(make: Callable[[], tuple[int, int]]) -> None:
    """A full pipe, terminal or socket raises at once, and its flags stay."""
    reader, writer = make()
    output = open_nonblocking(writer)
    try:
        fill(output.send)

        assert os.get_blocking(writer)
        assert "took nothing" in write_result(writer, b"line\n", seconds=0.01)
    finally:
        output.close()
        os.close(reader)
        os.close(writer)


@pytest.mark.parametrize("make", [pipe, terminal])
def test_stream_of_another_user(make: Callable[[], tuple[int, int]]) -> None:
    """Where a pipe or a terminal cannot be opened again, nothing waits all the same."""
    if os.getuid():
        pytest.skip("needs root, to become another user")
    reader, writer = make()
    os.fchmod(writer, 0o600)
    code = f"""
import os
from devops_info_service.output import open_nonblocking
os.setgid(12345); os.setuid(12345)
send = open_nonblocking({writer}).send
try:
    while True: send(b"x" * 1000)
except BlockingIOError:
    print("would wait")
"""
    # The other user cannot write what make coverage measures.
    environ = {k: v for k, v in os.environ.items() if not k.startswith("COVERAGE_")}
    environ["PYTHONPATH"] = os.pathsep.join(sys.path)
    ended = subprocess.run(
        [sys.executable, "-c", code],
        pass_fds=[writer],
        capture_output=True,
        check=False,
        timeout=60,
        env=environ,
    )
    os.close(reader)
    os.close(writer)

    assert (ended.stdout, ended.stderr) == (b"would wait\n", b"")


@pytest.mark.parametrize(
    ("path", "reason"),
    [("/dev/null", ""), ("/dev/full", "No space left on device")],
)
def test_devices(path: str, reason: str) -> None:
    """Any other file than pipe, terminal or socket is written directly."""
    descriptor = os.open(path, os.O_WRONLY)
    try:
        assert write_result(descriptor, b"line\n") == reason
    finally:
        os.close(descriptor)


def test_closed() -> None:
    """A pipe whose reader has closed it was read enough; a closed descriptor has a reason."""
    reader, writer = os.pipe()
    os.close(reader)
    assert write_result(writer, b"line\n") == ""
    os.close(writer)
    assert write_result(writer, b"line\n") == "Bad file descriptor"


def test_reader_that_takes_its_time() -> None:
    """A result is written whole to a reader that is only slow."""
    reader, writer = os.pipe()
    process = subprocess.Popen(
        [sys.executable, "-c", "import time, sys; time.sleep(.3); print(len(sys.stdin.read()))"],
        stdin=reader,
        stdout=subprocess.PIPE,
    )
    os.close(reader)

    assert write_result(writer, b"x" * 300_000, seconds=60) == ""
    os.close(writer)
    out: Any = process.communicate(timeout=60)[0]
    assert out == b"300000\n"
