"""The addresses of a name, resolved again beside the requests."""

import _thread
import contextlib
import socket
import time
from collections.abc import Callable
from typing import Any, Final

_RESOLVE_SECONDS: Final = 1.0
"""A name whose tasks come and go, such as a headless Service, has others soon."""

Address = tuple[socket.AddressFamily, tuple[Any, ...]]


class Addresses:
    """Those that a name has now."""

    def __init__(
        self, first: tuple[Address, ...], resolve: Callable[[], tuple[Address, ...]] | None
    ) -> None:
        """Begin with *first*, and follow *resolve* until the process ends."""
        self._found = first
        if resolve is not None:
            # getaddrinfo(3) waits up to 10 s for a name server, which must hold up no request.
            _thread.start_new_thread(self._follow, (resolve,))

    @property
    def count(self) -> int:
        """How many there are."""
        return len(self._found)

    def at(self, turn: int) -> Address:
        """Return the address of that turn."""
        found = self._found
        return found[turn % len(found)]

    def _follow(self, resolve: Callable[[], tuple[Address, ...]]) -> None:
        while True:
            time.sleep(_RESOLVE_SECONDS)
            # A name that is gone for a while keeps its addresses.
            with contextlib.suppress(OSError):
                self._found = resolve() or self._found
