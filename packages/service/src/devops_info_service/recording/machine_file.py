"""``machine.json`` of a recording, for all that a tree of files cannot hold.

A recording is a folder: ``root/`` has each file under its path in the container, and this file
the rest: devices, sockets, modes, refusals, room, variables, and the time.
"""

from typing import Annotated, Final, Literal

import msgspec

from devops_info_service.facts.system_files import MAX_NAMES, Kind

MACHINE_FILE: Final = "machine.json"
ROOT: Final = "root"
MAX_MACHINE_BYTES: Final = 16 * 1024 * 1024
"""Bytes of ``machine.json``: a namespace of 2,000 services has a megabyte of variables, a /dev of
4,096 entries a quarter of one."""

Number = Annotated[int, msgspec.Meta(ge=0)]
"""As the kernel counts; the room of a FUSE file system may be more than 64 bits of bytes."""

Call = Literal["access", "link", "list", "node", "statvfs"]
"""A question about a path, besides its content."""


class Node(msgspec.Struct, frozen=True, array_like=True):
    """``[kind, permission bits, uid, device number]``; the last two may be left out."""

    kind: Kind
    permissions: Number
    uid: Number = 0
    device: Number = 0


class MachineFile(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    """The content of ``machine.json``; the first five are in every recording."""

    environ: dict[str, str] = {}
    nodes: dict[str, Node] = {}
    """Path -> its kind and owner, not followed."""
    refused: dict[str, str] = {}
    """Path, for other calls ``CALL:PATH`` -> errno by name, or the words that follow the path in
    the reason. Absent paths are in no list."""
    spaces: dict[str, tuple[Number, Number, Number, Number]] = {}
    """Mount -> size, free, inodes, inodes free."""
    writable: list[str] = []
    """Paths where access(2) allows writing."""
    time: Annotated[float, msgspec.Meta(ge=0, lt=253_402_300_800)] | None = None
    """Of the reading, in seconds since 1970, UTC; before the year 10000."""
    shown: list[str] = []
    """Variables that the operator let the report show."""
    links: dict[str, str] = {}
    """Path -> target, besides the links in the tree."""
    names: dict[str, list[str]] = {}
    """Directory -> its entries, where they were listed."""
    entries: dict[str, Annotated[int, msgspec.Meta(ge=0, le=MAX_NAMES)]] = {}
    """Directory -> number of its entries; those that ``nodes`` lacks are plain files."""
    redacted: list[str] = []
    """Paths, and variables as ``$NAME``, whose content the recording does not have, or in part."""
    left_out: list[str] = []
    """Paths beyond the size of a recording."""
