"""The ELF reader: facts of good files, and an error for any other bytes."""

import shutil
import subprocess
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onebin.errors import ImageError
from onebin.objects import reader as elf

CANARY = b"\x64\x48\x8b\x04\x25\x28\x00\x00\x00"  # mov rax, fs:0x28

REAL = [
    path
    for name in ("/bin/true", "/lib64/ld-linux-x86-64.so.2", "/sbin/ldconfig", "/bin/busybox")
    if (path := Path(name)).is_file()
]


def test_a_static_pie(make_elf: Any) -> None:
    """An executable without loader and libraries, marked as PIE, is a static PIE."""
    facts = elf.read(make_elf())

    assert facts.kind == "static-pie"
    assert facts.static
    assert (facts.reasons) == (
        "no PT_INTERP: it requests no loader",
        "no DT_NEEDED: it requests no library",
    )
    assert facts.relro
    assert not facts.executable_stack
    assert not facts.writable_code
    assert facts.stripped
    assert facts.machine == "x86_64"


@pytest.mark.parametrize(
    ("changed", "kind", "static"),
    [
        ({"kind": 2, "flags_1": None}, "static", True),
        ({"kind": 2, "interpreter": "/lib/ld.so"}, "dynamic", False),
        ({"kind": 2, "needed": "libc.so.6"}, "dynamic", False),
        ({"interpreter": "/lib/ld.so"}, "dynamic-pie", False),
        ({"interpreter": "/lib/ld.so", "needed": "libc.so.6"}, "dynamic-pie", False),
        ({"flags_1": None}, "shared-object", False),
        ({"flags_1": 0x1}, "shared-object", False),
        ({"needed": "libc.so.6"}, "shared-object", False),
        ({"kind": 1}, "relocatable", False),
        ({"kind": 4}, "core", False),
    ],
)
def test_kinds(make_elf: Any, changed: dict[str, Any], kind: str, *, static: bool) -> None:
    """Only an executable that needs no other file is static; a library never is."""
    facts = elf.read(make_elf(**changed))

    assert kind == facts.kind
    assert static is facts.static


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("wide", [True, False])
def test_every_class_and_byte_order(make_elf: Any, order: str, *, wide: bool) -> None:
    """The facts are the same in 32 and 64 bits, in either byte order."""
    facts = elf.read(make_elf(wide=wide, order=order, needed="libx.so", interpreter="/lib/ld.so"))

    assert facts.needed == ("libx.so",)
    assert facts.interpreter == "/lib/ld.so"
    assert facts.kind == "dynamic-pie"
    assert (64 if wide else 32) == facts.bits
    assert (order == "<") is facts.little_endian


@pytest.mark.parametrize(
    ("changed", "fact", "value"),
    [
        ({"relro": False}, "relro", False),
        ({"stack_flags": 7}, "executable_stack", True),
        ({"stack_flags": None}, "executable_stack", True),
        ({"load_flags": 7}, "writable_code", 1),
        ({"load_flags": 6}, "writable_code", 0),
        ({"machine": 183}, "machine", "aarch64"),
        ({"machine": 0xBEEF}, "machine", "machine-48879"),
        ({"flags_1": 0x08000001}, "bind_now", True),
        ({"payload": CANARY}, "stack_protector", True),
        ({"payload": b""}, "stack_protector", False),
        ({"payload": CANARY, "load_flags": 4}, "stack_protector", False),
        ({"machine": 183}, "stack_protector", None),
        ({"machine": 183, "payload": b"\0__stack_chk_fail\0"}, "stack_protector", None),
        (
            {"machine": 183, "interpreter": "/l", "payload": b"\0__stack_chk_fail\0"},
            "stack_protector",
            True,
        ),
    ],
)
def test_one_fact(make_elf: Any, changed: dict[str, Any], fact: str, value: object) -> None:
    """Each fact follows its own header, and the canary is detected by code or is unknown."""
    assert value == getattr(elf.read(make_elf(**changed)), fact)


@pytest.mark.parametrize("data", [b"", b"\x7f", b"MZ", b"\x7fELF", b"#!/bin/sh\n", bytes(64)])
def test_not_an_elf_file(data: bytes) -> None:
    """Anything else is refused with one error."""
    with pytest.raises(ImageError, match="ELF"):
        elf.read(data)


def test_cut_anywhere(make_elf: Any) -> None:
    """A file cut at any byte gives an error or, past all tables, the same facts."""
    whole = make_elf(needed="libc.so.6", interpreter="/lib/ld.so", payload=CANARY)

    for cut in range(len(whole)):
        with pytest.raises(ImageError):
            elf.read(whole[:cut])


@pytest.mark.sample(every=7)
@pytest.mark.parametrize("index", range(4, 64))
@pytest.mark.parametrize("value", [0x00, 0x7F, 0xFF])
def test_absurd_headers(make_elf: Any, index: int, value: int) -> None:
    """Any byte of the header may be absurd: facts or an ImageError, nothing else."""
    data = bytearray(make_elf(needed="libc.so.6"))
    data[index] = value

    with suppress(ImageError):
        elf.read(bytes(data))


@given(st.data())
def test_hostile_bytes(data: st.DataObject) -> None:
    """Whatever is behind a right beginning, the reader ends with facts or an ImageError."""
    ident = data.draw(st.sampled_from([b"\1\1\1", b"\1\2\1", b"\2\1\1", b"\2\2\1"]))
    rest = data.draw(st.binary(max_size=600))

    with suppress(ImageError):
        elf.read(elf.MAGIC + ident + bytes(9) + rest)


@given(st.lists(st.tuples(st.integers(4, 400), st.integers(0, 255)), max_size=12))
def test_flipped_bytes(changes: list[tuple[int, int]]) -> None:
    """A real file with some bytes changed ends with facts or an ImageError."""
    data = bytearray(REAL[0].read_bytes()) if REAL else bytearray(elf.MAGIC + bytes(500))
    for index, value in changes:
        data[index] = value

    with suppress(ImageError):
        elf.read(bytes(data))


def test_a_billion_libraries_are_rejected(make_elf: Any) -> None:
    """A dynamic section that names one string over and over is not read to its end."""
    data = make_elf(needed="x" * 4000)
    row = data.index((1).to_bytes(8, "little") * 2)
    many = data[:row] + (1).to_bytes(8, "little") * 2 * 5000
    # The table of segments still has the old size of the dynamic section: make it long.
    size_at = 64 + 56 + 32
    many = many[:size_at] + (16 * 5000).to_bytes(8, "little") + many[size_at + 8 :]
    # What followed it is overwritten, and empty segments may be anywhere.
    with pytest.raises(ImageError, match="too many libraries; expected at most 1024"):
        elf.read(many)


@pytest.mark.skipif(not shutil.which("readelf"), reason="readelf is the other reader")
@pytest.mark.parametrize("path", REAL, ids=str)
def test_readelf_agrees(path: Path) -> None:
    """binutils reads the same interpreter, libraries, hardening and sections."""
    command = ["readelf", "-W", "-hldS", str(path)]
    said = subprocess.run(command, check=True, capture_output=True, text=True).stdout

    facts = elf.read(path.read_bytes())

    assert f"interpreter: {facts.interpreter}]" in said or not facts.interpreter
    assert bool(facts.interpreter) is ("INTERP " in said)
    assert list(facts.needed) == [
        line.split("[")[1].rstrip("]") for line in said.splitlines() if "(NEEDED)" in line
    ]
    assert facts.relro is ("GNU_RELRO" in said)
    assert facts.stripped is (" .symtab" not in said)
    assert facts.static is ((" PIE" in said and not facts.interpreter) or "EXEC (" in said)
    for name in (".text", ".data"):
        [row] = [line for line in said.splitlines() if f" {name} " in line and "PROGBITS" in line]
        assert facts.sections[name] == int(row.split("PROGBITS")[1].split()[2], 16)
