"""SIGTERM as an interruption: a build ends in order, with its programs, and leaves no file."""

import signal
from types import FrameType


class TerminatedError(KeyboardInterrupt):
    """SIGTERM came: a CI's timeout, a container's stop."""


def on_terminate() -> None:
    """Let SIGTERM end what runs as Ctrl-C does; where one of them is ignored it stays so."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_DFL:  # as onebin's own import leaves it
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
        signal.signal(signal.SIGTERM, _end)


def _end(_: int, __: FrameType | None) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # a second one would end the removal of files
    raise TerminatedError
