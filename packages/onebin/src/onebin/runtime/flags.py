"""The pinned compiler, and the flags every compilation gets."""

from typing import Final

from onebin.model import Machine

PINNED: Final[dict[tuple[str, Machine], str]] = {
    (
        "ziglang 0.17.1",
        "x86_64",
    ): "b683008adcdfeb97a1c0e697b4a1de4e96e57f15f6e0b423cf0ed23170c4ef87",
    (
        "ziglang 0.17.1",
        "aarch64",
    ): "ddf3ee37f3ea55d2ca11dadf79796eb484288660bbb42ba5be8fe64a87340eae",
}
"""``contents`` of the compiler's files, by its release and the processor it runs on.

pip checks no hash when it installs onebin's dependencies by version. The compiler writes every
byte of an executable, and brings the sources of musl and libc++.
"""

CPU: Final[dict[Machine, str]] = {"x86_64": "x86_64", "aarch64": "generic"}
"""The oldest processor of each kind, as Go's GOAMD64=v1 and every distribution have it."""

CFLAGS: Final = (
    "-g0",
    "-fPIE",
    "-fstack-protector-strong",
    # A section for each function and object lets the linker drop the unused ones.
    "-ffunction-sections",
    "-fdata-sections",
    # Lets the linker fold equal functions whose address is never compared.
    "-faddrsig",
    # No C code here is unwound: the tables are 6 % of the file. Functions of C++ that may throw
    # keep theirs.
    "-fno-asynchronous-unwind-tables",
    "-fno-unwind-tables",
    # zig adds traps of the undefined-behaviour sanitizer to unoptimised code.
    "-fno-sanitize=all",
    # zig refuses __DATE__; clang takes it from SOURCE_DATE_EPOCH, so it is the same every time.
    "-Wno-date-time",
)

PGO_GENERATE_FLAGS: Final = ("-fprofile-generate", "-mllvm", "-disable-vp=true")
"""Count in the intermediate code; values of variables are not profiled."""

PGO_USE_FLAGS: Final = (
    # Hot is what makes up 95 % of all that ran, not 99 %: the rest would cost four times the bytes
    # and give a hundredth of the speed (docs/explanation/performance.md).
    "-mllvm", "-profile-summary-cutoff-hot=950000",
    # Hot functions are inlined into hot callers; into others only if they are as short as -Os
    # requires of all.
    "-mllvm", "-inlinehint-threshold=50",
    # Code that ran seldom is made small at every -O.
    "-mllvm", "-pgso-lwss-only=false",
    "-mllvm", "-pgo-cold-func-opt=minsize",
    # Warnings about functions whose flow differs on another processor: they stay unprofiled.
    "-Wno-profile-instr-out-of-date",
    "-Wno-backend-plugin",
)  # fmt: skip
