"""The values a build is made of. Each is frozen; a stage takes some and gives the next.

directory -> Project -> Plan -> Runtime -> Extensions -> Frozen -> Binary -> Image,
and Binary or Image -> Report.
"""

from pathlib import Path
from typing import Literal

import msgspec

Machine = Literal["x86_64", "aarch64"]
"""A processor as the kernel names it (``uname -m``)."""

Architecture = Literal["amd64", "arm64"]
"""A processor as an image platform names it (``GOARCH``, OCI image-spec config.md)."""

ARCHITECTURES: dict[Machine, Architecture] = {"x86_64": "amd64", "aarch64": "arm64"}



class Binary(msgspec.Struct, frozen=True):
    """One finished executable on disk."""

    name: str
    """Its file name, which is also its path in an image: ``/app/<name>``."""
    path: Path
    """Where it lies on this machine."""
    size: int
    """Bytes."""
    sha256: str
    """Lower-case hex of its contents."""
    machine: Machine


class ImageSettings(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="kebab", kw_only=True
):
    """``[tool.onebin.image]``: what the image says of itself beside the executable."""

    ports: tuple[int, ...] = ()
    """TCP ports to expose."""
    healthcheck: tuple[str, ...] = ()
    """Arguments of the executable that check a running container; exit 0 is healthy."""
    labels: dict[str, str] = {}
    """Further labels, beside the ``org.opencontainers.image`` ones taken from ``[project]``."""
    env: dict[str, str] = {}
    """Environment of the container."""
