"""The facts of an ELF file that a report shows and rules judge."""

from typing import Literal

import msgspec

ElfKind = Literal[
    "static", "static-pie", "dynamic", "dynamic-pie", "shared-object", "relocatable", "core"
]


class ElfFacts(msgspec.Struct, frozen=True, kw_only=True):
    """Facts from the headers of an executable."""

    machine: str
    """As ``uname -m`` has it where it is known, else ``machine-<e_machine>``."""
    bits: Literal[32, 64]
    little_endian: bool
    kind: ElfKind
    static: bool
    """It is an executable that needs neither a loader nor libraries."""
    reasons: tuple[str, ...]
    """Why it is static, or why it is not."""
    interpreter: str
    """The loader it requests (PT_INTERP); empty for none."""
    needed: tuple[str, ...]
    """Libraries it requests (DT_NEEDED)."""
    run_paths: tuple[str, ...]
    """Directories they are searched in (DT_RPATH, DT_RUNPATH)."""
    relro: bool
    """Relocated data becomes read-only after the start (PT_GNU_RELRO)."""
    bind_now: bool
    """All symbols are bound at the start; means nothing without libraries."""
    executable_stack: bool
    writable_code: int
    """Segments that may be written and executed."""
    stack_protector: bool | None
    """Functions check a canary; None if the file does not show it."""
    stripped: bool
    """It has no symbol table."""
    sections: dict[str, int]
    """Size in bytes by name; empty if there is no section table."""
