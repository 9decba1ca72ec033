"""Waiting for a fact, with an end for a test that would hang."""

import time
from collections.abc import Callable
from typing import Any, Final

TIMEOUT_SECONDS: Final = 60
"""Far above any wait on a busy machine: no fact of the code depends on it."""


def until(fact: Callable[[], Any], seconds: float = TIMEOUT_SECONDS, pause: float = 0.01) -> Any:
    """Wait until *fact* returns something true, and return that.

    Raises:
        AssertionError: it returned nothing true for *seconds*; with its last result.
    """
    deadline = time.monotonic() + seconds
    while not (found := fact()):
        assert time.monotonic() < deadline, f"not within {seconds} s; last {found!r}"
        time.sleep(pause)
    return found
