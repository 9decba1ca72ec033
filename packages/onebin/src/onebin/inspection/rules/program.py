"""Rules on the executable: static, hardened, for this machine, telling nothing of its build."""

from collections.abc import Iterator
from typing import Final

from onebin.inspection.evidence import Program, Seen, judge, unknown
from onebin.inspection.report import Finding
from onebin.model import ARCHITECTURES
from onebin.objects.reader import ElfFacts

_MAX_PATH: Final = 120
"""Characters of a path shown as evidence."""

_STATIC: Final = "The executable is static: no loader, no libraries."
_HARD: Final = (
    "The executable is hardened: position-independent, RELRO, no executable stack,"
    " no segment both writable and executable, no run path."
)
_QUIET: Final = "The executable names no folder of the machine that built it."


def of_program(program: Program) -> tuple[Finding, ...]:
    """Judge an executable that is in no image."""
    return (
        judge("IMG-ELF-001", _STATIC, _why_not_static(program.elf), "; ".join(program.elf.reasons)),
        _hardening(program),
        _build_paths(program),
    )


def of_image(seen: Seen) -> tuple[Finding, ...]:
    """Judge the executable an image starts, and look for others."""
    program = seen.program
    if program is None:
        what = seen.command[0] if seen.command else "nothing"
        why = f"it starts {what}, which is no ELF file that can be read"
        return (
            # A script or nothing at all is certainly not a static executable.
            judge("IMG-ELF-001", _with_machine(), [why])
            if seen.entry is not None
            else unknown("IMG-ELF-001", _with_machine(), why),
            unknown("IMG-ELF-002", _HARD, why),
            _others(seen),
            unknown("IMG-ELF-004", _QUIET, why),
        )
    return (
        judge(
            "IMG-ELF-001",
            _with_machine(),
            (*_why_not_static(program.elf), *_wrong_machine(seen, program.elf)),
            "; ".join((*program.elf.reasons, program.elf.machine)),
        ),
        _hardening(program),
        _others(seen),
        _build_paths(program),
    )


def _with_machine() -> str:
    return f"{_STATIC[:-1]}; it is for the image's architecture."


def _why_not_static(elf: ElfFacts) -> tuple[str, ...]:
    return () if elf.static else elf.reasons


def _wrong_machine(seen: Seen, elf: ElfFacts) -> Iterator[str]:
    architectures: dict[str, str] = {str(key): value for key, value in ARCHITECTURES.items()}
    expected = architectures.get(elf.machine, elf.machine)
    if expected != seen.document.architecture:
        yield f"it is for {elf.machine}, and the image for {seen.document.architecture}"


def _hardening(program: Program) -> Finding:
    elf = program.elf

    def against() -> Iterator[str]:
        if elf.kind not in ("static-pie", "dynamic-pie"):
            yield "it is not position-independent: its addresses are the same at each start"
        if not elf.relro:
            yield "no PT_GNU_RELRO: its tables of pointers stay writable"
        if elf.executable_stack:
            yield "its stack is executable (PT_GNU_STACK)"
        if elf.writable_code:
            yield f"{elf.writable_code} segments are writable and executable"
        if elf.run_paths:
            yield f"it looks for libraries in {', '.join(elf.run_paths)}"

    protector = {True: "yes", False: "no", None: "cannot be told"}[elf.stack_protector]
    seen = f"{elf.kind}, RELRO, no executable stack, stack protector: {protector}"
    return judge("IMG-ELF-002", _HARD, against(), seen)


def _others(seen: Seen) -> Finding:
    check = "No other ELF file is in the image."
    return judge("IMG-ELF-003", check, seen.files.elf.evidence, "none")


def _build_paths(program: Program) -> Finding:
    against = (path[:_MAX_PATH].decode("ascii", "backslashreplace") for path in program.build_paths)
    return judge("IMG-ELF-004", _QUIET, against, "none of /home, /root, /build, /workspace")
