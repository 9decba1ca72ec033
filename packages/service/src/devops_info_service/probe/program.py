"""A program of one system call: an executable of some 300 bytes, made for the processor at hand.

It makes the call, turns its result into an exit status and ends: 0 for a success, else the error's
number. No interpreter, no library and no second call are in it, so a filter's effect on it is the
effect on that one call.

Source: System V ABI (ELF-64), AMD64 and AArch64 instruction sets; syscall(2) for registers.
"""

import struct
from collections.abc import Callable, Sequence
from typing import Final

import msgspec

_ADDRESS: Final = 0x400000
_PAGE: Final = 0x10000
"""The largest page of an arm64 kernel."""
_HEADERS: Final = 64 + 56
MAX_STATUS: Final = 254
"""Errors above are not Linux's own: a filter may choose up to 4095, a status has eight bits."""
_LAST_ERROR: Final = 4095
_ARGUMENTS: Final = 6


class Processor(msgspec.Struct, frozen=True):
    """How a processor's programs are made."""

    machine: int
    """``e_machine`` of ELF."""
    code: Callable[[int, Sequence[int]], bytes]
    """Makes the instructions of a call's number and its six arguments."""


def _x86_64(number: int, arguments: Sequence[int]) -> bytes:
    # mov to rax, rdi, rsi, rdx, r10, r8, r9
    moves = (
        b"\x48\xb8",
        b"\x48\xbf",
        b"\x48\xbe",
        b"\x48\xba",
        b"\x49\xba",
        b"\x49\xb8",
        b"\x49\xb9",
    )
    return b"".join(
        (
            *(
                code + struct.pack("<Q", value)
                for code, value in zip(moves, (number, *arguments), strict=True)
            ),
            b"\x0f\x05",  # syscall
            b"\x48\x89\xc7\x48\xf7\xdf",  # mov rdi, rax; neg rdi
            b"\x48\x81\xff" + struct.pack("<I", _LAST_ERROR),  # cmp rdi, 4095
            b"\x76\x02\x31\xff",  # jbe over: xor edi, edi
            b"\x81\xff" + struct.pack("<I", MAX_STATUS),  # cmp edi, 254
            b"\x76\x05\xbf" + struct.pack("<I", MAX_STATUS),  # jbe over: mov edi, 254
            b"\xb8" + struct.pack("<I", 231) + b"\x0f\x05",  # exit_group
        )
    )


def _aarch64(number: int, arguments: Sequence[int]) -> bytes:
    words = []
    for register, value in ((8, number), *enumerate(arguments)):
        for part in range(4):
            code = 0xF2800000 if part else 0xD2800000  # movk, movz
            words.append(code | part << 21 | (value >> 16 * part & 0xFFFF) << 5 | register)
    words += [
        0xD4000001,  # svc #0
        0xCB0003E0,  # neg x0, x0
        0xF13FFC1F,  # cmp x0, #4095
        0x9A9F9000,  # csel x0, x0, xzr, ls
        0xD2800001 | MAX_STATUS << 5,  # mov x1, #254
        0xEB01001F,  # cmp x0, x1
        0x9A819000,  # csel x0, x0, x1, ls
        0xD2800008 | 94 << 5,  # mov x8, #exit_group
        0xD4000001,
    ]
    return struct.pack(f"<{len(words)}I", *words)


PROCESSORS: Final = {"x86_64": Processor(62, _x86_64), "aarch64": Processor(183, _aarch64)}
"""By the machine's name of uname(2)."""


def program(machine: str, number: int, arguments: Sequence[int]) -> bytes:
    """Return the executable that makes call *number* with up to six *arguments*.

    Raises:
        KeyError: for a *machine* not in ``PROCESSORS``.
    """
    processor = PROCESSORS[machine]
    filled = [*arguments, *[0] * (_ARGUMENTS - len(arguments))]
    code = processor.code(number, [value & (1 << 64) - 1 for value in filled])
    size = _HEADERS + len(code)
    header = struct.pack(
        "<16sHHIQQQIHHHHHH",
        b"\x7fELF\x02\x01\x01",
        2,  # ET_EXEC
        processor.machine,
        1,
        _ADDRESS + _HEADERS,
        64,
        *(0, 0, 64, 56, 1, 0, 0, 0),
    )
    # PT_LOAD, readable and executable.
    segment = struct.pack("<IIQQQQQQ", 1, 5, 0, _ADDRESS, _ADDRESS, size, size, _PAGE)
    return header + segment + code
