"""Localize the symbols of a relocatable object, all but its renamed init function.

Two extension modules may both define ``PyInit__core``, ``llhttp_execute`` or ``hash``. Shared
objects do not conflict; linked into one executable they would. So each captured object
gets one unique global symbol, and its other definitions become local to it.

Source: System V ABI, "Object Files", and the x86-64 and AArch64 supplements (ELF64, RELA).
"""

import struct
from typing import Final, NamedTuple

from onebin.errors import ImageError

from .reader import MAGIC

ET_REL: Final = 1
SHT_NULL, SHT_SYMTAB, SHT_RELA, SHT_REL, SHT_GROUP = 0, 2, 4, 9, 17
SHT_LLVM_CALL_GRAPH_PROFILE: Final = 0x6FFF4C09
"""How often functions call each other, for the linker to place them side by side. It refers to
symbols by relocations without addends on every processor."""
STB_LOCAL, STB_GLOBAL = 0, 1
SHN_UNDEF: Final = 0

HEADER: Final = struct.Struct("<16sHHIQQQIHHHHHH")
SECTION: Final = struct.Struct("<IIQQQQIIQQ")
SYMBOL: Final = struct.Struct("<IBBHQQ")
REL: Final = struct.Struct("<QQ")
RELA: Final = struct.Struct("<QQq")


class Section(NamedTuple):
    """A section header, in the order of the file format."""

    name: int
    type: int
    flags: int
    address: int
    offset: int
    size: int
    link: int
    info: int
    align: int
    entry_size: int


class Symbol(NamedTuple):
    """A symbol, in the order of the file format."""

    name: int
    info: int
    other: int
    section: int
    value: int
    size: int

    @property
    def binding(self) -> int:
        """``STB_LOCAL``, ``STB_GLOBAL`` or ``STB_WEAK``."""
        return self.info >> 4


def is_relocatable(data: bytes) -> bool:
    """Return whether *data* is a 64-bit little-endian ELF object file."""
    return (
        len(data) >= HEADER.size
        and data[:6] == MAGIC + b"\2\1"
        and HEADER.unpack_from(data)[1] == ET_REL
    )


def localize_symbols(data: bytes, init_symbol: str, renamed: str) -> bytes:
    """Return the object *data* with only *init_symbol* global, under the name *renamed*.

    Undefined symbols stay as they are.

    Raises:
        ImageError: not a relocatable object, damaged, or it does not define *init_symbol*.
    """
    if not is_relocatable(data):
        raise ImageError("not a relocatable ELF object; expected one of 64 bits, little-endian")
    try:
        return _localize(data, init_symbol, renamed)
    except (struct.error, LookupError, ValueError, ArithmeticError, StopIteration) as exc:
        raise ImageError(f"damaged relocatable object: {exc}") from exc


def _localize(data: bytes, init_symbol: str, renamed: str) -> bytes:
    sections = _sections(data)
    table_index = next(n for n, section in enumerate(sections) if section.type == SHT_SYMTAB)
    table = sections[table_index]
    strings = sections[table.link]
    names = data[strings.offset : strings.offset + strings.size]
    symbols = [
        Symbol(*SYMBOL.unpack_from(data, table.offset + n * SYMBOL.size))
        for n in range(table.size // SYMBOL.size)
    ]
    changed = _rebound(symbols, names, init_symbol)

    # The format requires local symbols first; sh_info is the index of the first other one.
    order = sorted(range(len(changed)), key=lambda n: changed[n].binding != STB_LOCAL)
    new_index = {old: new for new, old in enumerate(order)}
    locals_count = sum(symbol.binding == STB_LOCAL for symbol in changed)

    out = bytearray(data)
    for new, old in enumerate(order):
        SYMBOL.pack_into(out, table.offset + new * SYMBOL.size, *changed[old])
    headers = list(sections)
    headers[table_index] = table._replace(info=locals_count)
    for n, section in enumerate(sections):
        if section.type == SHT_RELA and section.link == table_index:
            _renumber(out, section, RELA, new_index)
        elif section.type == SHT_REL:
            if sections[section.info].type != SHT_LLVM_CALL_GRAPH_PROFILE:
                raise ImageError(
                    "relocations without addends; expected those of x86-64 or aarch64, with addends"
                )
            _renumber(out, section, REL, new_index)
        elif section.type == SHT_GROUP and section.link == table_index:
            headers[n] = section._replace(info=new_index[section.info])
        elif section.link == table_index and section.type != SHT_LLVM_CALL_GRAPH_PROFILE:
            # Such as .llvm_addrsig: hints for the linker that use the old indexes.
            # Without them it makes the safe assumption.
            headers[n] = section._replace(type=SHT_NULL)

    # The new name goes into a copy of the string table at the end of the file.
    headers[table.link] = strings._replace(
        offset=len(out), size=strings.size + len(renamed.encode()) + 1
    )
    out += names + renamed.encode() + b"\0"
    _put_sections(out, headers)
    return bytes(out)


def _rebound(symbols: list[Symbol], names: bytes, init_symbol: str) -> list[Symbol]:
    """Return *symbols*, all definitions local but *init_symbol*; its new name follows *names*."""
    changed = []
    found = False
    for symbol in symbols:
        if symbol.binding == STB_LOCAL or symbol.section == SHN_UNDEF:
            changed.append(symbol)
        elif _name(names, symbol.name) == init_symbol:
            found = True
            # Default visibility: the table of modules refers to it from another object.
            info = (STB_GLOBAL << 4) | (symbol.info & 0xF)
            changed.append(symbol._replace(name=len(names), info=info, other=0))
        else:
            changed.append(symbol._replace(info=symbol.info & 0xF))
    if not found:
        raise ImageError(f"object does not define {init_symbol}; expected its init function")
    return changed


def _sections(data: bytes) -> list[Section]:
    header = HEADER.unpack_from(data)
    offset, count = header[6], header[12]
    return [Section(*SECTION.unpack_from(data, offset + n * SECTION.size)) for n in range(count)]


def _put_sections(out: bytearray, sections: list[Section]) -> None:
    offset = HEADER.unpack_from(out)[6]
    for n, section in enumerate(sections):
        SECTION.pack_into(out, offset + n * SECTION.size, *section)


def _renumber(
    out: bytearray, section: Section, entry: struct.Struct, new_index: dict[int, int]
) -> None:
    for at in range(section.offset, section.offset + section.size, entry.size):
        place, info, *addend = entry.unpack_from(out, at)
        entry.pack_into(out, at, place, new_index[info >> 32] << 32 | info & 0xFFFFFFFF, *addend)


def _name(names: bytes, offset: int) -> str:
    return names[offset : names.index(b"\0", offset)].decode("utf-8", "replace")
