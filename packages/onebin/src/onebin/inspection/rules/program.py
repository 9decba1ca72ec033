"""Rules on the executable: static, hardened, for this machine, without traces of its build."""

from collections.abc import Callable, Iterator
from typing import Final

from onebin.inspection.evidence import InspectedImage, Program
from onebin.model import ARCHITECTURES
from onebin.objects.facts import ElfFacts

from .rule import Rule, Verdict, of_linux, unknown, verdict

_MAX_PATH: Final = 120
"""Characters of a path shown as evidence."""


def _is_static(program: Program) -> Verdict:
    return verdict(_why_not_static(program.elf), "; ".join(program.elf.reasons))


def _is_static_for_the_platform(image: InspectedImage) -> Verdict:
    program = image.program
    if program is None:
        # A script or a missing program is certainly not a static executable.
        return unknown(_no_program(image)) if image.entry is None else verdict([_no_program(image)])
    elf = program.elf
    return verdict(
        (*_why_not_static(elf), *_wrong_machine(image, elf)), "; ".join((*elf.reasons, elf.machine))
    )


def _why_not_static(elf: ElfFacts) -> tuple[str, ...]:
    return () if elf.static else elf.reasons


def _wrong_machine(image: InspectedImage, elf: ElfFacts) -> Iterator[str]:
    architectures: dict[str, str] = {str(key): value for key, value in ARCHITECTURES.items()}
    expected = architectures.get(elf.machine, elf.machine)
    if image.config.architecture not in ("", expected):
        yield f"it is for {elf.machine}, and the image for {image.config.architecture}"


def _is_hardened(program: Program) -> Verdict:
    elf = program.elf

    def violations() -> Iterator[str]:
        if elf.kind not in ("static-pie", "dynamic-pie"):
            yield "it is not position-independent: its addresses are the same at each start"
        if not elf.relro:
            yield "no PT_GNU_RELRO: its tables of pointers stay writable"
        if elf.executable_stack:
            yield "its stack is executable (PT_GNU_STACK)"
        if elf.writable_code:
            yield f"{elf.writable_code} segments are writable and executable"
        if elf.run_paths:
            yield f"it searches libraries in {', '.join(elf.run_paths)}"

    protector = {True: "yes", False: "no", None: "unknown"}[elf.stack_protector]
    evidence = f"{elf.kind}, RELRO, no executable stack, stack protector: {protector}"
    return verdict(violations(), evidence)


def _is_alone(image: InspectedImage) -> Verdict:
    return verdict(image.files.elf.evidence, "none")


def _has_no_build_paths(program: Program) -> Verdict:
    paths = (path[:_MAX_PATH].decode("ascii", "backslashreplace") for path in program.build_paths)
    return verdict(paths, "none of /home, /root, /build, /workspace")


def _in_image(evaluate: Callable[[Program], Verdict]) -> Callable[[InspectedImage], Verdict]:
    """Apply a rule on programs to the one an image starts; without one it is unknown."""

    def of_image(image: InspectedImage) -> Verdict:
        return unknown(_no_program(image)) if image.program is None else evaluate(image.program)

    return of_image


def _no_program(image: InspectedImage) -> str:
    command = image.command[0] if image.command else "nothing"
    return f"it starts {command}, which is not a readable ELF file"


_STATIC: Final = "The executable is static: no loader, no libraries"
_HARDENED: Final = (
    "The executable is hardened: position-independent, RELRO, no executable stack,"
    " no segment both writable and executable, no run path."
)
_NO_BUILD_PATHS: Final = "The executable contains no path of the machine that built it."

PROGRAM_RULES: Final[tuple[Rule[Program], ...]] = (
    Rule("IMG-ELF-001", f"{_STATIC}.", _is_static),
    Rule("IMG-ELF-002", _HARDENED, _is_hardened),
    Rule("IMG-ELF-004", _NO_BUILD_PATHS, _has_no_build_paths),
)

IMAGE_RULES: Final[tuple[Rule[InspectedImage], ...]] = (
    Rule(
        "IMG-ELF-001",
        f"{_STATIC}; it is for the image's architecture.",
        of_linux(_is_static_for_the_platform),
    ),
    Rule("IMG-ELF-002", _HARDENED, _in_image(_is_hardened)),
    Rule("IMG-ELF-003", "No other ELF file is in the image.", _is_alone),
    Rule("IMG-ELF-004", _NO_BUILD_PATHS, _in_image(_has_no_build_paths)),
)
