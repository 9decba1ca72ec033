"""C libraries that distributions are made for and onebin does not build, by their headers.

A distribution that includes one in all cases cannot do without it: an obstacle of the plan, which
names what does the same work without the library.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple


class Library(NamedTuple):
    """A library of the table."""

    header: str
    """As sources include it."""
    name: str
    instead: str = ""
    """What to do; empty where there is nothing in particular."""


LIBRARIES: Final = (
    Library("libpq-fe.h", "PostgreSQL's libpq", "use pg8000 or asyncpg, which need no libpq"),
    Library("mysql.h", "MySQL's client library", "use PyMySQL, which is pure Python"),
    Library("ldap.h", "OpenLDAP", "use ldap3, which is pure Python"),
    Library("sasl/sasl.h", "Cyrus SASL", "use pure-sasl, which is pure Python"),
    Library("gssapi/gssapi.h", "Kerberos' GSSAPI"),
    Library("krb5.h", "Kerberos"),
    Library("curl/curl.h", "libcurl", "use requests or httpx, which need no libcurl"),
    Library("sql.h", "unixODBC", "use a driver of the database that is pure Python"),
    Library("sqlext.h", "unixODBC", "use a driver of the database that is pure Python"),
    Library("sqlcli1.h", "IBM's Db2 client"),
    Library("sybdb.h", "FreeTDS", "use python-tds, which is pure Python"),
    Library("librdkafka/rdkafka.h", "librdkafka", "use kafka-python or aiokafka"),
    Library("libmemcached/memcached.h", "libmemcached", "use pymemcache, which is pure Python"),
    Library("git2.h", "libgit2", "use dulwich, which needs no libgit2"),
    Library("zmq.h", "ZeroMQ"),
    Library("pcap.h", "libpcap", "use scapy, which needs no libpcap"),
    Library("hdf5.h", "HDF5"),
    Library("netcdf.h", "netCDF"),
    Library("gdal.h", "GDAL"),
    Library("geos_c.h", "GEOS"),
    Library("proj.h", "PROJ"),
    Library("gmp.h", "GMP"),
    Library("mpfr.h", "MPFR"),
    Library("re2/re2.h", "RE2"),
    Library("leveldb/db.h", "LevelDB"),
    Library("leveldb/c.h", "LevelDB"),
    Library("rocksdb/c.h", "RocksDB"),
    Library("rocksdb/db.h", "RocksDB"),
    Library("snappy-c.h", "Snappy"),
    Library("xmlsec/xmlsec.h", "XML Security Library"),
    Library("libvirt/libvirt.h", "libvirt"),
    Library("systemd/sd-journal.h", "libsystemd"),
    Library("systemd/sd-daemon.h", "libsystemd"),
    Library("selinux/selinux.h", "libselinux"),
    Library("dbus/dbus.h", "D-Bus", "use jeepney or dbus-fast"),
    Library("cups/cups.h", "CUPS"),
    Library("cairo.h", "Cairo"),
    Library("pango/pango.h", "Pango"),
    Library("gtk/gtk.h", "GTK"),
    Library("glib.h", "GLib"),
    Library("girepository.h", "GObject Introspection"),
    Library("portaudio.h", "PortAudio"),
    Library("alsa/asoundlib.h", "ALSA"),
    Library("libusb.h", "libusb"),
    Library("libusb-1.0/libusb.h", "libusb"),
    Library("fuse.h", "FUSE"),
    Library("fuse3/fuse.h", "FUSE"),
    Library("bluetooth/bluetooth.h", "BlueZ"),
    Library("SDL.h", "SDL"),
    Library("SDL2/SDL.h", "SDL"),
    Library("libavcodec/avcodec.h", "FFmpeg"),
    Library("libavformat/avformat.h", "FFmpeg"),
    Library("graphviz/cgraph.h", "Graphviz"),
    Library("enchant.h", "Enchant"),
    Library("nss.h", "NSS"),
)

BY_HEADER: Final = {library.header: library for library in LIBRARIES}

SOURCES: Final = (".c", ".cc", ".cpp", ".cxx", ".h", ".hpp", ".pyx", ".pxd")

ASIDE: Final = re.compile(
    r".*test.*|.*example.*|samples?|demos?|docs?|.*bench.*|contrib|tools?|scripts?|fuzz.*|"
    r"vendored-.*|subprojects|packages?files|windows|win32|osx|macos",
    re.IGNORECASE,
)
"""Folders that are not installed, or are for another system."""

PROJECT: Final = ("pyproject.toml", "setup.py", "configure.ac")
"""In a folder below the top: another project is there, which the build may not use."""

DIRECTIVE: Final = re.compile(
    r"^[ \t]*#[ \t]*(?P<word>if|ifdef|ifndef|endif|include|define)\b[ \t]*(?P<rest>.*)",
    re.MULTILINE,
)

HEADER: Final = re.compile(r"[<\"]([\w./+-]+)[>\"]")

CYTHON: Final = re.compile(r"\bextern\s+from\s+[\"']<?([\w./+-]+\.h)>?[\"']")

MAX_BYTES: Final = 1 << 20
"""Of a file that is searched: code that someone wrote is shorter."""


def first(tree: Path) -> Library | None:
    """Return the first library of the table that the source *tree* includes in all cases.

    Not one whose header the tree brings.
    """
    every = sorted(file for file in tree.rglob("*") if not file.is_symlink())
    own = {file.name for file in every if file.suffix == ".h"}
    others = {file.parent for file in every if file.name in PROJECT} - {tree}
    for file in every:
        if file.suffix not in SOURCES or is_aside(file.relative_to(tree)):
            continue
        if others.intersection(file.parents):
            continue
        for header in _included(file):
            if header in BY_HEADER and header.rpartition("/")[2] not in own:
                return BY_HEADER[header]
    return None


def is_aside(path: Path) -> bool:
    """Whether *path*, relative to its tree, is of tests, examples or documents."""
    return any(ASIDE.fullmatch(part) for part in path.parts[:-1])


def _included(file: Path) -> Iterator[str]:
    if not file.is_file() or file.stat().st_size > MAX_BYTES:
        return
    text = file.read_text("utf-8", "replace")
    if file.suffix in {".pyx", ".pxd"}:
        yield from CYTHON.findall(text)
        return
    yield from unconditional(text)


def unconditional(text: str) -> Iterator[str]:
    """Yield the headers that C *text* includes under no condition, but the guard of a header.

    Source: the C standard, 6.10 (conditional inclusion, source file inclusion).
    """
    depth = 0
    found = list(DIRECTIVE.finditer(text))
    guard = (
        len(found) > 1 and found[0]["word"] in {"ifndef", "if"} and found[1]["word"] == "define"
        and found[1]["rest"].split()[:1] == re.findall(r"\w+", found[0]["rest"])[-1:]
    )  # fmt: skip
    for directive in found[1:] if guard else found:
        word = directive["word"]
        if word.startswith("if"):
            depth += 1
        elif word == "endif":
            depth -= 1
        elif word == "include" and depth <= 0 and (header := HEADER.match(directive["rest"])):
            yield header[1]
