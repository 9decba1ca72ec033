"""A bill of materials: all that an executable is made of, as values; spdx and cyclonedx write it.

Source: NTIA, The Minimum Elements For a Software Bill of Materials (2021).
"""

import re
import urllib.parse
from typing import Final, Literal

import msgspec

from onebin.model import Machine

Kind = Literal["interpreter", "library", "distribution"]

PRODUCTS: Final = {
    "CPython": "python:python",
    "OpenSSL": "openssl:openssl",
    "SQLite": "sqlite:sqlite",
    "XZ Utils": "tukaani:xz",
    "Zstandard": "facebook:zstandard",
    "LibYAML": "pyyaml:libyaml",
    "bzip2": "bzip:bzip2",
    "expat": "libexpat_project:libexpat",
    "libffi": "libffi_project:libffi",
    "libxml2": "xmlsoft:libxml2",
    "libxslt": "xmlsoft:libxslt",
    "musl": "musl-libc:musl",
    "ncurses": "gnu:ncurses",
    "zlib": "zlib:zlib",
}
"""Vendor and product in the NVD's dictionary, by which scanners find vulnerabilities (CPE 2.3)."""


class Material(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that is in an executable; an empty field is not known."""

    name: str
    version: str = ""
    kind: Kind
    license: str = ""
    """An SPDX expression."""
    license_text: str = ""
    """The words its authors state instead."""
    file: str = ""
    """Of its archive or wheel, as it was fetched."""
    url: str = ""
    """Of that file, at its authors'."""
    sha256: str = ""
    """Of that file, in hex."""
    note: str = ""
    """Its origin, if another file brought it."""
    changed_files: tuple[str, ...] = ()
    """Of its source, before it was compiled."""

    @property
    def purl(self) -> str:
        """Its package URL (ECMA-427): of the Python index, or generic."""
        version = f"@{urllib.parse.quote(self.version, safe='')}" if self.version else ""
        if self.kind == "distribution":
            more = {"file_name": self.file}
            return f"pkg:pypi/{self.name}{version}{_qualifiers(more)}"
        name = urllib.parse.quote(self.name.lower().replace(" ", "-"), safe="")
        checksum = f"sha256:{self.sha256}" if self.sha256 else ""
        more = {"checksum": checksum, "download_url": self.url}
        return f"pkg:generic/{name}{version}{_qualifiers(more)}"

    @property
    def changes(self) -> str:
        """The changed files, in words."""
        return f"changed here: {', '.join(self.changed_files)}" if self.changed_files else ""

    @property
    def cpe(self) -> str:
        """Its name in the NVD's dictionary (CPE 2.3); empty if it has none there."""
        product = PRODUCTS.get(self.name, "") if self.kind != "distribution" else ""
        if not product or not self.version:
            return ""
        version = re.sub(r"[^A-Za-z0-9._-]", r"\\\g<0>", self.version)
        return f"cpe:2.3:a:{product}:{version}{':*' * 7}"


class Bill(msgspec.Struct, frozen=True, kw_only=True):
    """All that one executable is made of."""

    name: str
    version: str
    description: str = ""
    license: str = ""
    license_text: str = ""
    """As of a material."""
    sha256: str
    """Of the executable, in hex."""
    size: int
    """Bytes."""
    machine: Machine
    made_by: str
    """``onebin 0.1.0``."""
    materials: tuple[Material, ...]
    """In the order of their names, each once."""


def _qualifiers(values: dict[str, str]) -> str:
    """Return the qualifiers of a package URL, sorted, without empty ones."""
    pairs = (
        f"{key}={urllib.parse.quote(value, safe='/:')}" for key, value in values.items() if value
    )
    text = "&".join(sorted(pairs))
    return f"?{text}" if text else ""
