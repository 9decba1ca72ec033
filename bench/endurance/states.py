"""Memory for each connection, by what it is in the middle of: the process's, and the kernel's.

    python bench/endurance/states.py PROGRAM [ARGUMENT ...]

Starts PROGRAM for each state, opens 200 connections in it, and prints what the process's resident
memory and the machine's TCP buffers (both ends) grew by. Nothing else may talk TCP meanwhile.
"""

import contextlib
import json
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Final

CONNECTIONS: Final = 200
HEAD_BYTES: Final = 15_800
SMALL_WINDOW: Final = 4096
PAGE_KIB: Final = 4
START: Final = b"GET / HTTP/1.1\r\nHost: a\r\n"
POST: Final = b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n"
FEW: Final = b"".join(b"%x:%b\r\n" % (number, b"v" * 152) for number in range(0x100, 0x161))
MANY: Final = b"".join(b"%x:%x\r\n" % (number, number) for number in range(0x100, 0x900))

STATES: Final = {
    "idle": b"GET /health HTTP/1.1\r\nHost: a\r\n\r\n",
    "unfinished head, distinct fields": START + MANY[:HEAD_BYTES],
    "unfinished head, 97 fields": START + FEW,
    "unfinished head, one field": START + b"a:" + b"v" * HEAD_BYTES,
    "body in progress, small head": POST + b"\r\n5\r\nab",
    "body in progress, large head": POST + FEW[: -158 * 2] + b"\r\n5\r\nab",
    "pipelined, unread": b"GET /platform HTTP/1.1\r\nHost: a\r\n\r\n" * 400,
    "pipelined, not plain, unread": b"GET /platform HTTP/1.1\r\nHost: a\r\nCookie: \r\n\r\n" * 300,
    "one long response, unread": b"GET /platform HTTP/1.1\r\nHost: a\r\n\r\n",
}
WARM_UP: Final = b"GET /platform HTTP/1.1\r\nHost: a\r\nCookie: \r\nConnection: close\r\n\r\n"


def resident(pid: int) -> int:
    """Return the resident memory of a process, in KiB."""
    return int(Path(f"/proc/{pid}/status").read_text().partition("VmRSS:")[2].split()[0])


def tcp() -> int:
    """Return what TCP's buffers take on this machine, in KiB."""
    words = Path("/proc/net/sockstat").read_text().partition("\nTCP:")[2].split()
    return int(words[words.index("mem") + 1]) * PAGE_KIB


def measure(program: list[str], sent: bytes) -> tuple[float, float]:
    """Return what one connection that has sent *sent* takes: of the process, of the kernel."""
    with subprocess.Popen([*program, "--port", "0"], stdout=subprocess.PIPE) as service:
        assert service.stdout is not None  # noqa: S101  a pipe, see above
        address = ("127.0.0.1", json.loads(service.stdout.readline())["port"])
        for _ in range(3):
            with socket.create_connection(address) as sock:
                sock.sendall(WARM_UP)
                while sock.recv(65_536):
                    pass
        time.sleep(0.3)
        before, tcp_before = resident(service.pid), tcp()
        with contextlib.ExitStack() as stack:
            for _ in range(CONNECTIONS):
                sock = stack.enter_context(socket.socket())
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SMALL_WINDOW)
                sock.settimeout(0.3)
                sock.connect(address)
                with contextlib.suppress(OSError):
                    sock.sendall(sent)
            time.sleep(1.5)
            grown = resident(service.pid) - before, tcp() - tcp_before
        service.kill()
    return grown[0] / CONNECTIONS, grown[1] / CONNECTIONS


if __name__ == "__main__":
    for state, data in STATES.items():
        process, kernel = measure(sys.argv[1:], data)
        print(f"{state:34} process {process:7.1f} KiB, kernel {kernel:7.1f} KiB", flush=True)
