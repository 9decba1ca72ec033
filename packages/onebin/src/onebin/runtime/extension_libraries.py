"""The C libraries behind extensions of distributions, each a pinned source and its recipe.

CPython needs none of them but zlib; an extension gets one if its source includes the headers.
"""

from typing import Final

from onebin.model import Package, Source

from .library import Command, Compile, Library
from .picture_libraries import picture_libraries
from .sources import ZLIB

LIBYAML: Final = Source(
    name="LibYAML",
    version="0.2.5",
    sha256="fa240dbf262be053f3898006d502d514936c818e422afdcf33921c63bed9bf2e",
    debian_file="libyaml_0.2.5.orig.tar.gz",
)

LIBXML2: Final = Source(
    name="libxml2",
    version="2.15.4",
    sha256="5868d20db42ee21e4881bc53050c7fa226286a277cb3d0543f76b81f7571e934",
    debian_file="libxml2_2.15.4+dfsg.orig.tar.xz",
)

LIBXSLT: Final = Source(
    name="libxslt",
    version="1.1.45",
    sha256="9acfe68419c4d06a45c550321b3212762d92f41465062ca4ea19e632ee5d216e",
    debian_file="libxslt_1.1.45.orig.tar.xz",
)

AUTOCONF: Final = (
    "./configure", "--build={triplet}", "--host={triplet}", "--disable-shared", "--enable-static",
    "--disable-dependency-tracking", "--without-python", "--without-debug",
    # They insist on it; here it finds everything, and the places are given otherwise.
    "PKG_CONFIG=true",
)  # fmt: skip


def extension_libraries() -> tuple[Library, ...]:
    """Return their recipes."""
    return _zlib(), _libyaml(), _libxml2(), _libxslt(), *picture_libraries()


def _zlib() -> Library:
    names = (
        "adler32", "compress", "crc32", "deflate", "gzclose", "gzlib", "gzread", "gzwrite",
        "infback", "inffast", "inflate", "inftrees", "trees", "uncompr", "zutil",
    )  # fmt: skip
    files = tuple(f"{name}.c" for name in names)
    return Library(
        name="zlib",
        source=ZLIB,
        license="Zlib",
        steps=(Compile("libz.a", files, ("-O2", "-DNDEBUG", "-DHAVE_UNISTD_H")),),
        headers=(("zlib.h", ""), ("zconf.h", "")),
        archives=("libz.a",),
        packages=(Package("zlib", ("z",)),),
    )


def _libyaml() -> Library:
    names = ("api", "dumper", "emitter", "loader", "parser", "reader", "scanner", "writer")
    major, minor, patch = LIBYAML.version.split(".")
    flags = (
        "-O2", "-DNDEBUG", "-Iinclude", f'-DYAML_VERSION_STRING="{LIBYAML.version}"',
        f"-DYAML_VERSION_MAJOR={major}", f"-DYAML_VERSION_MINOR={minor}",
        f"-DYAML_VERSION_PATCH={patch}",
    )  # fmt: skip
    return Library(
        name="LibYAML",
        source=LIBYAML,
        license="MIT",
        steps=(Compile("libyaml.a", tuple(f"src/{name}.c" for name in names), flags),),
        headers=(("include/yaml.h", ""),),
        archives=("libyaml.a",),
        packages=(Package("yaml-0.1", ("yaml",)),),
    )


def _libxml2() -> Library:
    return Library(
        name="libxml2",
        source=LIBXML2,
        license="MIT",
        steps=(
            # musl's iconv is the C library's own.
            Command((*AUTOCONF, "--without-lzma", "--without-modules", "--without-readline",
                     "--without-zlib", "CFLAGS=-O2 -DNDEBUG")),
            Command(("make", "-j{jobs}", "libxml2.la")),
        ),
        headers=(("include/libxml/*.h", "libxml"), ("include/libxml/*.h", "libxml2/libxml")),
        archives=(".libs/libxml2.a",),
        programs=("make",),
        packages=(Package("libxml-2.0", ("xml2",), "libxml2"),),
    )  # fmt: skip


def _libxslt() -> Library:
    return Library(
        name="libxslt",
        source=LIBXSLT,
        license="MIT",
        steps=(
            Command((*AUTOCONF, "--without-crypto", "--without-plugins", "CFLAGS=-O2 -DNDEBUG",
                     "LIBXML_CFLAGS=-I{needs}/include", "LIBXML_LIBS=-L{needs}/lib -lxml2")),
            Command(("make", "-j{jobs}", "-C", "libxslt", "libxslt.la")),
            Command(("make", "-j{jobs}", "-C", "libexslt", "libexslt.la")),
        ),
        headers=(("libxslt/*.h", "libxslt"), ("libexslt/*.h", "libexslt")),
        archives=("libexslt/.libs/libexslt.a", "libxslt/.libs/libxslt.a"),
        programs=("make",),
        needs=("libxml2",),
        packages=(
            Package("libxslt", ("xslt", "xml2")), Package("libexslt", ("exslt", "xslt", "xml2")),
        ),
    )  # fmt: skip
