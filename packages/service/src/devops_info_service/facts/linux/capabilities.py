"""The five capability sets of a process, by name.

Source: capabilities(7), include/uapi/linux/capability.h.
"""

from typing import Final

import msgspec

from devops_info_service.facts import parse
from devops_info_service.facts.fact import Fact, File, Known, Unknown, derive

NAMES: Final = tuple(
    "CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP LINUX_IMMUTABLE"  # noqa: SIM905
    " NET_BIND_SERVICE NET_BROADCAST NET_ADMIN NET_RAW IPC_LOCK IPC_OWNER SYS_MODULE SYS_RAWIO"
    " SYS_CHROOT SYS_PTRACE SYS_PACCT SYS_ADMIN SYS_BOOT SYS_NICE SYS_RESOURCE SYS_TIME"
    " SYS_TTY_CONFIG MKNOD LEASE AUDIT_WRITE AUDIT_CONTROL SETFCAP MAC_OVERRIDE MAC_ADMIN SYSLOG"
    " WAKE_ALARM BLOCK_SUSPEND AUDIT_READ PERFMON BPF CHECKPOINT_RESTORE".split()
)
"""By bit, as Kubernetes spells them: without ``CAP_``."""


class Capabilities(msgspec.Struct, frozen=True):
    """The rights of root that the process has."""

    effective: Fact[tuple[str, ...]]
    """In force now."""
    permitted: Fact[tuple[str, ...]]
    """May be put in force."""
    inheritable: Fact[tuple[str, ...]]
    bounding: Fact[tuple[str, ...]]
    """The most any program started from here can get: what the container was given."""
    ambient: Fact[tuple[str, ...]]
    """Kept by a program that is not root."""

    def sets(self) -> tuple[Fact[tuple[str, ...]], ...]:
        """Return all five."""
        return (
            self.effective,
            self.permitted,
            self.inheritable,
            self.bounding,
            self.ambient,
        )


def read_capabilities(status: File) -> Capabilities:
    """Take them from ``/proc/self/status``."""

    def names(field: str) -> Fact[tuple[str, ...]]:
        return derive(status.parse_field(field, parse.mask, ":"), names_of)

    return Capabilities(
        effective=names("CapEff"),
        permitted=names("CapPrm"),
        inheritable=names("CapInh"),
        bounding=names("CapBnd"),
        ambient=names("CapAmb"),
    )


def names_of(mask: int) -> tuple[str, ...]:
    """Name the bits of *mask*; bits newer than ``NAMES`` by their number."""
    return tuple(
        [
            NAMES[bit] if bit < len(NAMES) else f"CAP_{bit}"
            for bit in range(mask.bit_length())
            if mask >> bit & 1
        ]
    )


def exceeding(fact: Fact[tuple[str, ...]], allowed: frozenset[str]) -> Fact[tuple[str, ...]]:
    """Return those of *fact* that are not *allowed*."""
    if isinstance(fact, Unknown):
        return fact
    return Known(tuple([each for each in fact.value if each not in allowed]), fact.evidence)
