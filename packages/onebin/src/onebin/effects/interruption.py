"""SIGTERM as an interruption: a build ends in order, with its programs, and leaves no file."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class TerminatedError(KeyboardInterrupt):
    """SIGTERM came: a CI's timeout, a container's stop."""


@contextmanager
def interruptible() -> Iterator[None]:
    """Let SIGTERM end the block as Ctrl-C does; where one of them is ignored it stays so.

    Both have the kernel's own effect afterwards, as they had before: the interpreter, as it ends,
    would print a traceback.
    """
    handlers = {
        signal.SIGINT: signal.default_int_handler,  # as onebin's own import leaves it
        signal.SIGTERM: _end,
    }
    changed = [number for number in handlers if signal.getsignal(number) is signal.SIG_DFL]
    for number in changed:
        signal.signal(number, handlers[number])
    try:
        yield
    finally:
        for number in changed:
            signal.signal(number, signal.SIG_DFL)


def _end(_: int, __: FrameType | None) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # a second one would end the removal of files
    raise TerminatedError
