"""What the files of a source distribution state of its requirements, without running its back end.

Sources: the core metadata specification (``PKG-INFO`` of each sdist); setuptools'
``requires.txt``, which sdists made before setuptools 67.8 have instead of ``Requires-Dist``.

Part of a separate program: standard library only.
"""

import email.parser
import re
import tarfile
import zipfile
from collections.abc import Iterator

FILE = re.compile(r"(?P<name>.+)-(?P<version>[^-]+)(\.tar\.(gz|bz2|xz)|\.tgz|\.zip)")

PKG_INFO = re.compile(r"(\./)?[^/]+/PKG-INFO")

REQUIRES = re.compile(r"(\./)?[^/]+/([^/]+/)?[^/]+\.egg-info/requires\.txt")

SECTION = re.compile(r"\[(?P<extra>[^:\]]*)(:(?P<marker>.*))?\]")

KEPT = ("Requires-Dist", "Requires-Python", "Provides-Extra")

MAX_METADATA_BYTES = 1 << 20
"""Of one file: the largest descriptions have a hundred thousand."""

MAX_BYTES = 1 << 29
"""Of files that are passed over in search of the two, unpacked."""


def stated(archive: str, file_name: str) -> tuple[str, str, list[str]] | None:
    """Return name, version and lines of metadata that *archive* states; None for other files.

    *file_name* is its name in the index.
    """
    named = FILE.fullmatch(file_name)
    if named is None:
        return None
    try:
        info, requires = _texts(archive)
    except (OSError, EOFError, ValueError, tarfile.TarError, zipfile.BadZipFile):
        return None
    message = email.parser.HeaderParser().parsestr(info)
    lines = [
        f"{key}: {_line(str(value))}" for key in KEPT for value in message.get_all(key, failobj=[])
    ]
    if not message.get_all("Requires-Dist"):
        lines += of_requires(requires)
    # Normalized names in files are written by newer back ends; the metadata has the author's.
    return str(message.get("Name") or named["name"]), named["version"], lines


def of_requires(text: str) -> Iterator[str]:
    """Yield the lines of metadata that setuptools' ``requires.txt`` means."""
    extra = marker = ""
    for line in map(str.strip, text.splitlines()):
        if section := SECTION.fullmatch(line):
            extra, marker = section["extra"].strip(), (section["marker"] or "").strip()
            if extra:
                yield f"Provides-Extra: {extra}"
        elif line:
            wanted, _, own = line.partition(";")
            conditions = [f"({item.strip()})" for item in (own, marker) if item.strip()]
            conditions += [f'extra == "{extra}"'] if extra else []
            condition = " and ".join(conditions)
            yield f"Requires-Dist: {wanted.strip()}" + (f" ; {condition}" if condition else "")


def _texts(archive: str) -> tuple[str, str]:
    """Return ``PKG-INFO`` and ``requires.txt``; empty where there is none."""
    info = requires = ""
    for name, text in _members(archive):
        if PKG_INFO.fullmatch(name):
            info = text
            if "\nRequires-Dist:" in info:
                break
        else:
            requires = text
        if info and requires:
            break
    return info, requires


def _members(archive: str) -> Iterator[tuple[str, str]]:
    """Yield the name and the text of each of the two files in *archive*."""
    if zipfile.is_zipfile(archive):
        with zipfile.ZipFile(archive) as packed:
            for member in packed.infolist():
                if _is_wanted(member.filename, member.file_size):
                    yield member.filename, packed.read(member).decode("utf-8", "replace")
        return
    passed = 0
    with tarfile.open(archive) as packed:
        for entry in packed:
            passed += entry.size
            if passed > MAX_BYTES:
                return
            if entry.isfile() and _is_wanted(entry.name, entry.size):
                file = packed.extractfile(entry)
                yield entry.name, file.read().decode("utf-8", "replace") if file else ""


def _is_wanted(name: str, size: int) -> bool:
    found = PKG_INFO.fullmatch(name) or REQUIRES.fullmatch(name)
    return bool(found) and size <= MAX_METADATA_BYTES


def _line(value: str) -> str:
    """Return *value* on one line: headers are folded."""
    return " ".join(value.split())
