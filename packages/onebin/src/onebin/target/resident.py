"""Run one Python program again and again, each time in a fork that has its imports already.

    resident.py PROGRAM CONTROL

PROGRAM is a file with two functions: ``ready() -> None`` imports what its runs need, and
``main(arguments: list[str]) -> int`` is a run. CONTROL is the number of a connected Unix socket
that keeps packets apart (SOCK_SEQPACKET, unix(7)).

A packet requests a run: ``{"arguments": [str], "cwd": str, "environment": {str: str}}`` in
JSON, with the descriptors of its stdout, its stderr and its status. The status is a decimal
number, negative for a signal. A run that none waits for, since the other end of its status
is closed, is killed. The program ends with the last descriptor of the other end of CONTROL.

Importing pip takes two thirds of the time of a short call of it.
Runs as a separate program with the interpreter that runs onebin: standard library alone.
"""

import contextlib
import importlib.util
import json
import os
import select
import signal
import socket
import sys
import traceback
from collections.abc import Callable, Sequence
from typing import Any, Final, NoReturn

MAX_REQUEST: Final = 1 << 16
"""Bytes: less than a socket's usual buffer, 208 KiB, so that a packet is sent at once."""

Main = Callable[[list[str]], int]


def main() -> None:
    """Serve the requests of the socket in the arguments."""
    program, control = sys.argv[1:]
    sys.argv[:] = [program]
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # of a terminal: onebin ends, and so does this
    spec = importlib.util.spec_from_file_location("resident_program", program)
    module = importlib.util.module_from_spec(spec)  # type: ignore[arg-type]  # a file that is there
    spec.loader.exec_module(module)  # type: ignore[union-attr]
    module.ready()
    serve(socket.socket(fileno=int(control)), module.main)


def serve(control: socket.socket, run: Main) -> None:
    """Start a run for each packet of *control*, until it ends."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # those that watch end by themselves
    while True:
        data, files, _, _ = socket.recv_fds(control, MAX_REQUEST, 3)
        if not data:
            return
        with contextlib.suppress(OSError):  # no process left: the run has no status
            if os.fork() == 0:
                control.close()
                watch(run, json.loads(data), files)
        for file in files:
            os.close(file)


def watch(run: Main, request: dict[str, Any], files: Sequence[int]) -> NoReturn:
    """Do *request* in another process, and write how it ended."""
    out, err, status = files
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    child = os.fork()
    if child == 0:
        os.close(status)
        os._exit(do(run, request, out, err))
    os.close(out)
    os.close(err)
    with contextlib.suppress(OSError):  # Linux before 5.3, or a sandbox without pidfd_open(2)
        ended = os.pidfd_open(child)
        poll = select.poll()
        poll.register(ended, select.POLLIN)
        poll.register(status, 0)  # POLLERR: nothing reads it any more
        if all(file == status for file, _ in poll.poll()):
            os.kill(child, signal.SIGKILL)
    _, how = os.waitpid(child, 0)
    with contextlib.suppress(OSError):
        os.write(status, str(os.waitstatus_to_exitcode(how)).encode())
    os._exit(0)


def do(run: Main, request: dict[str, Any], out: int, err: int) -> int:
    """Take the place of a program that was started with *request*; return its exit status."""
    null = os.open(os.devnull, os.O_RDONLY)
    for number, file in enumerate((null, out, err)):
        os.dup2(file, number)
        os.close(file)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    status = 1
    try:
        os.environ.clear()
        os.environ.update(request["environment"])
        os.chdir(request["cwd"])
        sys.argv[1:] = request["arguments"]
        status = run(request["arguments"])
    except SystemExit as exc:
        status = exc.code if isinstance(exc.code, int) else int(exc.code is not None)
        if not isinstance(exc.code, int | None):
            sys.stderr.write(f"{exc.code}\n")
    except BaseException:  # noqa: BLE001  (as the interpreter does at the end of a program)
        traceback.print_exc()
    finally:
        with contextlib.suppress(OSError):
            sys.stdout.flush()
            sys.stderr.flush()
    return status & 0xFF


if __name__ == "__main__":
    main()
