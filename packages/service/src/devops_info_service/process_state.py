"""Sets the inherited state of a process, once, before anything else; none of it is trusted.

A shell, an init system or a test runner passes on blocked or ignored signals, closed descriptors,
a umask and limits. ``docs/reference/service.md`` lists the effect on each.
"""

import contextlib
import os
import resource
import signal
from typing import Final

from .errors import StartError
from .http.lifecycle import SIGNALS

MIN_OPEN_FILES: Final = 24
"""``server.LEAST_RESERVED`` (16) and eight connections."""

_UNLIMITED_OPEN_FILES: Final = 1 << 20
"""Where there is no limit: Linux's default of the highest limit (fs.nr_open)."""

_UMASK: Final = 0o077
"""Files that this program creates are its owner's alone."""


def prepare_streams() -> None:
    """Open each closed one of the descriptors 0, 1 and 2 as ``/dev/null``.

    Otherwise a socket would get the free number, and a log line would go to a client.
    """
    for descriptor in (0, 1, 2):
        try:
            os.fstat(descriptor)
        except OSError:
            with contextlib.suppress(OSError):
                _open_null(descriptor)


def _open_null(descriptor: int) -> None:
    """Open *descriptor*, the lowest that is free."""
    try:
        os.open(os.devnull, os.O_RDWR)
    except OSError:
        # A root directory without /dev. A pipe's end whose other end is closed does as well:
        # nothing to read, and writes fail.
        reader, writer = os.pipe()
        kept, other = (reader, writer) if descriptor == 0 else (writer, reader)
        if kept != descriptor:
            os.dup2(kept, descriptor)
            os.close(kept)
        if other != descriptor:
            os.close(other)


def prepare_command() -> None:
    """Restore the default actions of signals, whatever was inherited."""
    os.umask(_UMASK)
    for number in SIGNALS:
        # Python's own handler, which raises KeyboardInterrupt; it is missing if SIGINT was ignored.
        default = signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL
        signal.signal(number, default)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())


def prepare_service() -> int:
    """Hold signals until there is something to end, and set limits; return that of open files.

    A blocked signal stays pending even where its action is to be ignored, and for PID 1, to
    which the kernel delivers only signals that it handles (signal(7), pid_namespaces(7)).

    Raises:
        StartError: too few files can be open.
    """
    signal.pthread_sigmask(signal.SIG_SETMASK, SIGNALS)
    for number in SIGNALS:
        # With SIGCHLD ignored the kernel reports no exit of a child (waitpid(2)).
        signal.signal(number, signal.SIG_DFL)
    # A job in the background of a terminal with tostop would be stopped by a line of its log
    # (termios(3)); ignored, the line is written.
    signal.signal(signal.SIGTTOU, signal.SIG_IGN)
    os.umask(_UMASK)
    prevent_core_dumps()
    files = raise_open_file_limit()
    if files < MIN_OPEN_FILES:
        raise StartError(
            f"open files: the limit is {files}; expected at least {MIN_OPEN_FILES}"
            " (ulimit -n, LimitNOFILE=, --ulimit nofile=)"
        )
    return files


def prevent_core_dumps() -> None:
    """Let no process from here on leave a core file: it would hold the environment, with secrets.

    The hard limit stays: prlimit(1) can allow one.
    """
    with contextlib.suppress(OSError, ValueError):
        _, hard = resource.getrlimit(resource.RLIMIT_CORE)
        resource.setrlimit(resource.RLIMIT_CORE, (0, hard))


def raise_open_file_limit() -> int:
    """Raise the limit of open files as far as permitted, as Go's runtime does; return it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = max(soft, _UNLIMITED_OPEN_FILES) if hard == resource.RLIM_INFINITY else hard
    with contextlib.suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
        return most
    return soft
