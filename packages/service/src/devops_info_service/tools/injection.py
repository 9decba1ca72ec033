"""Faults that an operator injects, for all processes of a service: they end by themselves."""

import struct
from collections.abc import Callable
from typing import Annotated, Final

import msgspec

from devops_info_service.http import SharedSlots

_LAYOUT: Final = struct.Struct("ddH?d")

MAX_LATENCY_SECONDS: Final = 30
"""Below the timeout of common clients and balancers, 60 s: theirs are tried by ``delay``."""

MAX_INJECTION_SECONDS: Final = 3600


class Faults(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The faults that are injected; without any field: none."""

    error_rate: Annotated[float, msgspec.Meta(ge=0, le=1)] = 0.0
    """The part of the requests that fail, chosen at random."""
    error_status: Annotated[int, msgspec.Meta(ge=400, le=599)] = 500
    latency_seconds: Annotated[float, msgspec.Meta(ge=0, le=MAX_LATENCY_SECONDS)] = 0.0
    """Added to every response."""
    ready: bool = True
    """False: ``/readyz`` gives 503."""
    for_seconds: Annotated[float, msgspec.Meta(ge=0, le=MAX_INJECTION_SECONDS)] = 60.0
    """Seconds until they end; in a response, those that are left."""


NONE: Final = Faults(for_seconds=0.0)


class Injection:
    """The faults in shared memory; any process sets them, all read them."""

    def __init__(self, clock: Callable[[], float], workers: int = 1) -> None:
        """Count by *clock*: monotonic seconds, the same in all processes."""
        self._clock = clock
        self._bytes = SharedSlots(_LAYOUT.size, shared=workers > 1).bytes

    @property
    def current(self) -> Faults:
        """The faults of this moment."""
        rate, latency, status, unready, until = _LAYOUT.unpack(self._bytes)
        left = until - self._clock()
        if left <= 0:
            return NONE
        return Faults(rate, status, latency, not unready, left)

    def inject(self, faults: Faults) -> None:
        """Let *faults* take the place of those before."""
        _LAYOUT.pack_into(
            self._bytes,
            0,
            faults.error_rate,
            faults.latency_seconds,
            faults.error_status,
            not faults.ready,
            self._clock() + faults.for_seconds,
        )
