"""C libraries that distributions are made for and onebin does not build, by their headers.

A distribution that includes one in all cases cannot do without it: an obstacle of the plan, which
names what does the same work without the library. A library that setup.py names and the table
does not know is missing as well, but a build may go on without the extension.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from onebin.target import capture

from . import setup_script, system_libraries


class Library(NamedTuple):
    """A library of the table."""

    header: str
    """As sources include it."""
    name: str
    instead: str = ""
    """What to do; empty where there is nothing in particular."""
    word: str = ""
    """In the build's own files, if it uses the library; empty where the header's name is it."""

    @property
    def sign(self) -> str:
        """What the build's own files contain, in lower case."""
        return self.word or self.header.rpartition("/")[2].removesuffix(".h").lower()


LIBRARIES: Final = (
    Library(
        "libpq-fe.h",
        "PostgreSQL's libpq",
        "use pg8000 or asyncpg, which need no libpq",
        "pg_config",
    ),
    Library("mysql.h", "MySQL's client library", "use PyMySQL, which is pure Python"),
    Library("ldap.h", "OpenLDAP", "use ldap3, which is pure Python"),
    Library("sasl/sasl.h", "Cyrus SASL", "use pure-sasl, which is pure Python"),
    Library("gssapi/gssapi.h", "Kerberos' GSSAPI"),
    Library("krb5.h", "Kerberos"),
    Library("curl/curl.h", "libcurl", "use requests or httpx, which need no libcurl"),
    Library("sql.h", "unixODBC", "use a driver of the database that is pure Python", "odbc"),
    Library("sqlext.h", "unixODBC", "use a driver of the database that is pure Python", "odbc"),
    Library("sqlcli1.h", "IBM's Db2 client", "", "db2"),
    Library("sybdb.h", "FreeTDS", "use python-tds, which is pure Python"),
    Library("sqlfront.h", "FreeTDS", "use python-tds, which is pure Python", "freetds"),
    Library("librdkafka/rdkafka.h", "librdkafka", "use kafka-python or aiokafka"),
    Library("libmemcached/memcached.h", "libmemcached", "use pymemcache, which is pure Python"),
    Library("git2.h", "libgit2", "use dulwich, which needs no libgit2"),
    Library("zmq.h", "ZeroMQ"),
    Library("pcap.h", "libpcap", "use scapy, which needs no libpcap"),
    Library("hdf5.h", "HDF5"),
    Library("netcdf.h", "netCDF"),
    Library("gdal.h", "GDAL"),
    Library("geos_c.h", "GEOS", "", "geos"),
    Library("proj.h", "PROJ"),
    Library("lzo/lzo1x.h", "LZO", "", "lzo"),
    Library("lz4.h", "LZ4"),
    Library("lz4frame.h", "LZ4", "", "lz4"),
    Library("libunwind.h", "libunwind", "", "unwind"),
    Library("gmp.h", "GMP"),
    Library("mpfr.h", "MPFR"),
    Library("re2/re2.h", "RE2"),
    Library("leveldb/db.h", "LevelDB", "", "leveldb"),
    Library("leveldb/c.h", "LevelDB", "", "leveldb"),
    Library("rocksdb/c.h", "RocksDB", "", "rocksdb"),
    Library("rocksdb/db.h", "RocksDB", "", "rocksdb"),
    Library("snappy-c.h", "Snappy", "", "snappy"),
    Library("xmlsec/xmlsec.h", "XML Security Library"),
    Library("libvirt/libvirt.h", "libvirt"),
    Library("systemd/sd-journal.h", "libsystemd", "", "systemd"),
    Library("systemd/sd-daemon.h", "libsystemd", "", "systemd"),
    Library("selinux/selinux.h", "libselinux"),
    Library("dbus/dbus.h", "D-Bus", "use jeepney or dbus-fast"),
    Library("cups/cups.h", "CUPS"),
    Library("cairo.h", "Cairo"),
    Library("pango/pango.h", "Pango"),
    Library("gtk/gtk.h", "GTK"),
    Library("glib.h", "GLib"),
    Library("girepository.h", "GObject Introspection"),
    Library("portaudio.h", "PortAudio"),
    Library("alsa/asoundlib.h", "ALSA", "", "asound"),
    Library("libusb.h", "libusb", "", "usb"),
    Library("libusb-1.0/libusb.h", "libusb", "", "usb"),
    Library("fuse.h", "FUSE"),
    Library("fuse3/fuse.h", "FUSE"),
    Library("bluetooth/bluetooth.h", "BlueZ", "", "bluetooth"),
    Library("SDL.h", "SDL", "", "sdl"),
    Library("SDL2/SDL.h", "SDL", "", "sdl"),
    Library("libavcodec/avcodec.h", "FFmpeg", "", "avcodec"),
    Library("libavformat/avformat.h", "FFmpeg"),
    Library("graphviz/cgraph.h", "Graphviz"),
    Library("enchant.h", "Enchant"),
    Library("nss.h", "NSS"),
)

BY_HEADER: Final = {library.header: library for library in LIBRARIES}

SOURCES: Final = (".c", ".cc", ".cpp", ".cxx", ".h", ".hpp", ".pyx", ".pxd", ".pxi")
CYTHON_SOURCES: Final = frozenset({".pyx", ".pxd", ".pxi"})

ASIDE: Final = re.compile(
    r".*test.*|.*example.*|samples?|demos?|docs?|.*bench.*|contrib|tools?|scripts?|fuzz.*|"
    r"vendor.*|subprojects|extern(al)?|third[-_]?party|3rd[-_]?party|windows|win32|macos",
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


def first(tree: Path, backend_path: Sequence[str] = ()) -> Library | None:
    """Return the first library of the table that the source *tree* includes in all cases.

    The tree must not bring its header, and the build's own files must name it: those in the top
    folder and in *backend_path*.
    """
    build = _build_files(tree, backend_path)
    known = {header: library for header, library in BY_HEADER.items() if library.sign in build}
    return _first(tree, known.get) if known else None


def linked(tree: Path) -> Library | None:
    """Return the first library that setup.py links with and that nothing has the headers of.

    Code of the source *tree* includes a header of the library's name in all cases.
    """
    provided = {*system_libraries.LINKED, *system_libraries.ALWAYS, *capture.IGNORED_LIBRARIES}
    names = setup_script.literals(tree, "libraries") - provided

    def named(header: str) -> Library | None:
        of = {header.partition("/")[0].removesuffix(".h"), Path(header).stem}
        known = of | {name.removeprefix("lib") for name in of}
        return next((Library(header, name) for name in sorted(names & known)), None)

    return _first(tree, named) if names else None


def _first(tree: Path, library_of: Callable[[str], Library | None]) -> Library | None:
    """Return the first library that code of *tree* includes a header of, which is not its own."""
    every = sorted(file for file in tree.rglob("*") if not file.is_symlink())
    own = {file.name for file in every if file.suffix == ".h"}
    others = {file.parent for file in every if file.name in PROJECT} - {tree}
    for file in every:
        if file.suffix not in SOURCES or is_aside(file.relative_to(tree)):
            continue
        if others.intersection(file.parents):
            continue
        for header in _included(file):
            if header.rpartition("/")[2] not in own and (library := library_of(header)):
                return library
    return None


def _build_files(tree: Path, backend_path: Sequence[str]) -> str:
    folders = [tree, *(tree / folder for folder in backend_path)]
    found = sorted({file for folder in folders for file in folder.iterdir()})
    return "\n".join(
        file.read_text("utf-8", "replace").lower()
        for file in found
        if file.suffix in {".py", ".cfg", ".toml", ".build", ".txt", ".cmake"}
        and file.is_file() and not file.is_symlink() and file.stat().st_size <= MAX_BYTES
        and file.name not in {"LICENSE.txt", "SOURCES.txt"}
    )  # fmt: skip


def is_aside(path: Path) -> bool:
    """Whether *path*, relative to its tree, is of tests, examples or documents."""
    return any(ASIDE.fullmatch(part) for part in path.parts[:-1])


def _included(file: Path) -> Iterator[str]:
    if not file.is_file() or file.stat().st_size > MAX_BYTES:
        return
    text = file.read_text("utf-8", "replace")
    if file.suffix in CYTHON_SOURCES:
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
