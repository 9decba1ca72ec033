"""What ``onebin inspect`` has to say of an executable or an image."""

from collections.abc import Sequence
from typing import Literal

import msgspec

from onebin.objects.reader import ElfFacts


class Executable(msgspec.Struct, frozen=True):
    """The executable a report is about."""

    path: str
    """In the image where it is in one, else as it was given."""
    size: int
    """Bytes."""
    compressed: int
    """Bytes that gzip -9 makes of it."""
    sha256: str
    """Lower-case hex."""
    elf: ElfFacts


class FileFacts(msgspec.Struct, frozen=True):
    """One file, folder or link of an image."""

    path: str
    """Absolute."""
    kind: str
    mode: str
    """Four octal digits."""
    uid: int
    gid: int
    size: int
    """Bytes."""
    link: str = ""
    """Where a symlink or hard link leads, as written."""


class LayerReport(msgspec.Struct, frozen=True):
    """One layer, as measured."""

    digest: str
    """Of the stored blob."""
    diff_id: str
    """Of the tar in it."""
    stored: int
    """Bytes of the blob."""
    compressed: int
    """Bytes in gzip: the blob's, or what gzip -9 makes of a layer stored as a plain tar."""
    unpacked: int
    """Bytes of the data of its files."""


class ImageReport(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What an image is and holds."""

    names: tuple[str, ...]
    digest: str
    """Of the manifest; empty where the archive has none."""
    id: str
    """Digest of the config: what ``docker images`` shows."""
    platform: str
    """``os/architecture``."""
    created: str
    """RFC 3339, as written; may be empty."""
    user: str
    entrypoint: tuple[str, ...]
    cmd: tuple[str, ...]
    env: tuple[str, ...]
    """Names only: values may be secret."""
    ports: tuple[str, ...]
    volumes: tuple[str, ...]
    working_dir: str
    stop_signal: str
    healthcheck: tuple[str, ...]
    """As the config has it: ``CMD`` and a command, ``CMD-SHELL`` and a line, or nothing."""
    labels: dict[str, str]
    layers: tuple[LayerReport, ...]
    unpacked: int
    """Bytes of the data of all files of all layers: what ``docker images`` shows."""
    compressed: int
    """Bytes of all layers in gzip: what a pull moves."""
    wasted: int
    """Bytes of files that a later layer hides."""
    file_count: int
    """Regular files; the rest are folders and links."""
    files: Sequence[FileFacts]
    """Everything in it, by path; each may be made when it is asked for."""
    other_executables: tuple[str, ...]
    """ELF files with an execute bit, beside the one it starts."""
    other_elf: tuple[str, ...]
    """Further ELF files: libraries, objects."""
    shells: tuple[str, ...]
    interpreters: tuple[str, ...]
    network_tools: tuple[str, ...]
    package_managers: tuple[str, ...]
    """Programs and databases."""
    setuid: tuple[str, ...]
    """Files with the setuid or setgid bit, or with file capabilities."""
    world_writable: tuple[str, ...]
    not_listed: dict[str, int] = msgspec.field(default_factory=dict)
    """How many more there are of a list above that is too long, by its name; mostly nothing."""


class Finding(msgspec.Struct, frozen=True):
    """One check of the list in ``docs/reference/inspect.md``."""

    id: str
    status: Literal["pass", "fail", "unknown"]
    check: str
    """What must hold: one sentence."""
    evidence: tuple[str, ...]
    """What was seen."""


ImageFormat = Literal["oci-layout", "oci-archive", "docker-archive"]


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """Everything ``onebin inspect`` has to say."""

    kind: Literal["executable", "image"]
    path: str
    """What was inspected, as it was given."""
    format: Literal["elf"] | ImageFormat
    executable: Executable | None
    """None for an image that starts no ELF file."""
    image: ImageReport | None
    """None for a bare executable."""
    findings: tuple[Finding, ...]
