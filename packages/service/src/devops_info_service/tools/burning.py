"""CPU time and memory used on purpose, for a while: what an autoscaler and a limit react to.

Threads do it, in C code that lets the service run meanwhile; they end with their time, or with
the process.
"""

import _thread
import hashlib
import math
import time
from typing import Annotated, Final

import msgspec

MAX_CPUS: Final = 8
MAX_MEMORY_BYTES: Final = 1024 * 1024 * 1024
MAX_SECONDS: Final = 600
"""An autoscaler's window of five minutes, twice."""

_PERIOD_SECONDS: Final = 0.1
"""As a CPU quota has it by default."""
_BLOCK: Final = bytes(64 * 1024)
"""Long enough that its hash is computed without the lock of the interpreter."""
_STEP_BYTES: Final = 1024 * 1024
_STACK_BYTES: Final = 256 * 1024


class Burn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What to use in one process, and for how long."""

    cpus: Annotated[float, msgspec.Meta(ge=0, le=MAX_CPUS)] = 0.0
    memory_bytes: Annotated[int, msgspec.Meta(ge=0, le=MAX_MEMORY_BYTES)] = 0
    seconds: Annotated[float, msgspec.Meta(gt=0, le=MAX_SECONDS)] = 10.0


class Burner:
    """One burn at a time."""

    def __init__(self) -> None:
        self._until = 0.0

    @property
    def is_burning(self) -> bool:
        """Whether the last burn goes on."""
        return time.monotonic() < self._until

    def start(self, burn: Burn) -> None:
        """Start threads for *burn*.

        Raises:
            RuntimeError: the kernel refuses a thread; those before it go on.
        """
        self._until = until = time.monotonic() + burn.seconds
        _thread.stack_size(_STACK_BYTES)
        for index in range(math.ceil(burn.cpus)):
            _thread.start_new_thread(_burn_cpu, (min(1.0, burn.cpus - index), until))
        if burn.memory_bytes:
            _thread.start_new_thread(_hold_memory, (burn.memory_bytes, until))


def _burn_cpu(share: float, until: float) -> None:
    """Use *share* of a CPU, in each period from its start on."""
    while (now := time.monotonic()) < until:
        end = now + share * _PERIOD_SECONDS
        digest = hashlib.sha256()
        while time.monotonic() < end:
            digest.update(_BLOCK)
        time.sleep(max(0.0, now + _PERIOD_SECONDS - time.monotonic()))


def _hold_memory(size: int, until: float) -> None:
    """Hold pages that were written to: others would take no memory."""
    held = []
    while size > 0 and time.monotonic() < until:
        held.append(b"\1" * min(size, _STEP_BYTES))
        size -= _STEP_BYTES
    time.sleep(max(0.0, until - time.monotonic()))
