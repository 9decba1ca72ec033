"""The report of ``onebin inspect`` on an executable or an image."""

from collections.abc import Sequence
from typing import Literal

import msgspec

from onebin.objects.facts import ElfFacts


class Executable(msgspec.Struct, frozen=True):
    """The executable a report is about."""

    path: str
    """Its path in the image, or as given for a bare executable."""
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
    """Target of a symlink or hard link, as written."""


class LayerReport(msgspec.Struct, frozen=True):
    """One layer, as measured."""

    digest: str
    """Of the blob."""
    diff_id: str
    """Of the tar in it."""
    stored_bytes: int
    """Bytes of the blob."""
    compressed: int
    """Bytes in gzip: the blob's own, or of a plain tar those that gzip -9 makes of it."""
    unpacked: int
    """Bytes of the data of its files."""


class ImageReport(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The facts of an image."""

    names: tuple[str, ...]
    digest: str
    """Of the manifest; empty if the archive has none."""
    id: str
    """Digest of the config, which ``docker images`` shows."""
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
    """As in the config: ``CMD`` and a command, ``CMD-SHELL`` and a line, or nothing."""
    labels: dict[str, str]
    layers: tuple[LayerReport, ...]
    unpacked: int
    """Bytes of all files of all layers, which ``docker images`` shows."""
    compressed: int
    """Bytes of all layers in gzip, which a pull moves."""
    wasted_bytes: int
    """Bytes of files that a later layer hides."""
    file_count: int
    """Regular files; the rest are folders and links."""
    files: Sequence[FileFacts]
    """Every entry, by path; each may be made on access."""
    other_executables: tuple[str, ...]
    """ELF files with an execute bit, but the one it starts."""
    other_elf_files: tuple[str, ...]
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
    """Count of items missing in a list above that is too long, by its name; usually empty."""


Status = Literal["pass", "fail", "unknown"]


class Finding(msgspec.Struct, frozen=True):
    """One check of the list in ``docs/reference/inspect.md``."""

    id: str
    status: Status
    check: str
    """The requirement: one sentence."""
    evidence: tuple[str, ...]
    """The facts the status is based on."""


ImageFormat = Literal["oci-layout", "oci-archive", "docker-archive"]


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """The whole report."""

    kind: Literal["executable", "image"]
    path: str
    """The path inspected, as given."""
    format: Literal["elf"] | ImageFormat
    executable: Executable | None
    """None for an image that starts no ELF file."""
    image: ImageReport | None
    """None for a bare executable."""
    findings: tuple[Finding, ...]
