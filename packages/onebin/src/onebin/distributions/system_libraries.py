"""C libraries that sources of distributions include headers of, and that onebin can build.

A source that includes a library's header gets the library: its headers where it is compiled, its
archives where the executable is linked. Each name is that of a recipe of ``onebin.runtime``.
"""

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from onebin.model import Extension

HEADERS: Final = {
    "bzlib.h": "bzip2",
    "ffi.h": "libffi",
    "ft2build.h": "FreeType",
    "jpeglib.h": "libjpeg-turbo",
    "lcms2.h": "Little CMS",
    "libxml/": "libxml2",
    "libxslt/": "libxslt",
    "libexslt/": "libxslt",
    "lzma.h": "XZ Utils",
    "openssl/": "OpenSSL",
    "sqlite3.h": "SQLite",
    "webp/": "libwebp",
    "yaml.h": "LibYAML",
    "zlib.h": "zlib",
    "zstd.h": "Zstandard",
}
"""A header as sources include it, or the folder of a library's headers."""

LINKED: Final = {
    "bz2": "bzip2", "crypto": "OpenSSL", "exslt": "libxslt", "ffi": "libffi", "lzma": "XZ Utils",
    "freetype": "FreeType", "jpeg": "libjpeg-turbo", "lcms2": "Little CMS", "sharpyuv": "libwebp",
    "sqlite3": "SQLite", "ssl": "OpenSSL", "webp": "libwebp", "webpdemux": "libwebp",
    "webpmux": "libwebp", "xml2": "libxml2", "xslt": "libxslt", "yaml": "LibYAML", "z": "zlib",
    "zstd": "Zstandard",
}  # fmt: skip
"""Names that linkers get with ``-l``, and the library of each."""

ALWAYS: Final = frozenset({"c++", "z"})
"""C++'s library comes with the compiler, zlib with CPython: without a header none is needed."""

SOURCES: Final = (
    ".c", ".cc", ".cpp", ".cxx", ".h", ".hh", ".hpp", ".hxx", ".pxd", ".pxi", ".pyx", ".py",
)  # fmt: skip

INCLUDED: Final = re.compile(
    rb"""(?:#\s*include\s*[<"]|\bextern\s+from\s+["'])<?([\w./+-]+\.h)[>"\']"""
)
"""In C, and as Cython declares it: ``cdef extern from "yaml.h"``."""

MAX_BYTES: Final = 4 << 20
"""Of a file that is searched: larger ones are tables and amalgamations."""


def wanted(source: Path) -> tuple[str, ...]:
    """Return the libraries whose headers the tree *source* includes.

    Not those it brings in a folder of their name, as ``openssl/ssl.h``. A single header may be
    there for another platform; if it is for this one, compilers find it first.
    """
    included: set[str] = set()
    own: set[str] = set()
    for file in source.rglob("*"):
        if file.is_symlink() or not file.is_file():
            continue
        if file.suffix in {".h", ".in"}:
            own.add(f"{file.parent.name}/")
        if file.suffix in SOURCES and file.stat().st_size <= MAX_BYTES:
            included.update(name.decode("ascii") for name in INCLUDED.findall(file.read_bytes()))
    return tuple(
        sorted(
            {
                library
                for known, library in HEADERS.items()
                for header in included
                if header == known or (known.endswith("/") and header.startswith(known))
                if known not in own
            }
        )
    )


def unknown(extension: Extension, provided: Iterable[str]) -> str:
    """Return a library that *extension* is linked with and that is not *provided*, or nothing."""
    have = set(provided)
    return next(
        (
            name
            for name in extension.libraries
            if name not in ALWAYS and LINKED.get(name) not in have
        ),
        "",
    )
