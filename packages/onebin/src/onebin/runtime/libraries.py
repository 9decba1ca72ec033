"""The C libraries behind modules of the standard library, each a pinned source and its recipe.

Each is the newest release that its authors or Debian's pools had; ``make update-runtime`` moves it.
"""

from typing import Final

from onebin.model import Machine, Package, Source

from .extension_libraries import extension_libraries
from .libedit import libedit
from .library import AUTOCONF, Command, Compile, Library, Text

OPENSSL_LEFT_OUT: Final = (
    # Nothing can be loaded in a static executable, and musl has no makecontext.
    "no-shared", "no-dso", "no-module", "no-engine", "no-legacy", "no-async",
    "no-tests", "no-docs", "no-apps", "no-makedepend",
    # A program would obey the openssl.cnf of whatever machine it runs on.
    "no-autoload-config",
    # Not reached through Python's ssl and hashlib: other protocols, hardware, old and regional
    # algorithms, signatures that no certificate authority issues.
    "no-ui-console", "no-afalgeng", "no-padlockeng", "no-comp", "no-dtls", "no-sctp", "no-srtp",
    "no-quic", "no-ssl-trace", "no-cmp", "no-cms", "no-ts", "no-ct", "no-http", "no-gost",
    "no-idea", "no-seed", "no-rc2", "no-rc4", "no-rc5", "no-md4", "no-mdc2", "no-rmd160",
    "no-whirlpool", "no-bf", "no-cast", "no-aria", "no-camellia", "no-sm2", "no-sm3", "no-sm4",
    "no-siv", "no-ocb", "no-srp", "no-nextprotoneg", "no-rfc3779", "no-ec2m", "no-dsa",
    "no-slh-dsa", "no-ml-dsa", "no-argon2",
)  # fmt: skip

OPENSSL: Final = Source(
    name="OpenSSL",
    version="3.5.7",
    sha256="a8c0d28a529ca480f9f36cf5792e2cd21984552a3c8e4aa11a24aa31aeac98e8",
    url="https://github.com/openssl/openssl/releases/download/openssl-3.5.7/openssl-3.5.7.tar.gz",
    debian_file="openssl_3.5.7.orig.tar.gz",
)
"""3.5 has long-term support until April 2030."""

SQLITE: Final = Source(
    name="SQLite",
    version="3.53.4",
    sha256="05366adc8ee80c6b1faa71285b49d133c2121238ca58934b077fdeb95934abd4",
    debian_file="sqlite3_3.53.4.orig.tar.xz",
)

SQLITE_FLAGS: Final = (
    "-O2", "-DNDEBUG", "-DSQLITE_THREADSAFE=1", "-DSQLITE_ENABLE_FTS5", "-DSQLITE_ENABLE_FTS3",
    "-DSQLITE_ENABLE_FTS3_PARENTHESIS", "-DSQLITE_ENABLE_RTREE", "-DSQLITE_ENABLE_MATH_FUNCTIONS",
    "-DSQLITE_ENABLE_COLUMN_METADATA", "-DSQLITE_ENABLE_DBSTAT_VTAB",
    "-DSQLITE_OMIT_LOAD_EXTENSION", "-DSQLITE_DEFAULT_MEMSTATUS=0", "-DSQLITE_USE_ALLOCA",
    "-DHAVE_USLEEP=1", "-DHAVE_FDATASYNC=1", "-DHAVE_STRERROR_R=1", "-DHAVE_GMTIME_R=1",
    "-DHAVE_LOCALTIME_R=1", "-DHAVE_MALLOC_USABLE_SIZE=1", "-DHAVE_PREAD=1", "-DHAVE_PWRITE=1",
)  # fmt: skip

LIBFFI: Final = Source(
    name="libffi",
    version="3.5.2",
    sha256="dd19253d3007f366319a51d248a40c9e5fcace4498cbea990b566291844e4e30",
    debian_file="libffi_3.5.2.orig.tar.gz",
)

FFI_FILES: Final[dict[Machine, tuple[str, ...]]] = {
    "x86_64": ("x86/ffi64.c", "x86/ffiw64.c", "x86/unix64.S", "x86/win64.S"),
    "aarch64": ("aarch64/ffi.c", "aarch64/sysv.S"),
}

FFI_CONFIG: Final = """\
#define EH_FRAME_FLAGS "a"
#define HAVE_AS_X86_PCREL 1
#define FFI_EXEC_STATIC_TRAMP 1
#define HAVE_ALLOCA_H 1
#define HAVE_HIDDEN_VISIBILITY_ATTRIBUTE 1
#define HAVE_INTTYPES_H 1
#define HAVE_LONG_DOUBLE 1
#define HAVE_MEMCPY 1
#define HAVE_MEMFD_CREATE 1
#define HAVE_MKOSTEMP 1
#define HAVE_MKSTEMP 1
#define HAVE_STDINT_H 1
#define HAVE_STDLIB_H 1
#define HAVE_STRING_H 1
#define HAVE_SYS_MEMFD_H 1
#define HAVE_UNISTD_H 1
#define SIZEOF_DOUBLE 8
#define SIZEOF_LONG_DOUBLE 16
#define SIZEOF_SIZE_T 8
#define STDC_HEADERS 1
#ifdef LIBFFI_ASM
#define FFI_HIDDEN(name) .hidden name
#else
#define FFI_HIDDEN __attribute__ ((visibility ("hidden")))
#endif
"""
"""What configure would find with musl; ``LIBFFI_ASM`` is set by the assembly files."""

XZ: Final = Source(
    name="XZ Utils",
    version="5.8.3",
    sha256="fff1ffcf2b0da84d308a14de513a1aa23d4e9aa3464d17e64b9714bfdd0bbfb6",
    url="https://github.com/tukaani-project/xz/releases/download/v5.8.3/xz-5.8.3.tar.xz",
    debian_file="xz-utils_5.8.3.orig.tar.xz",
)

BZIP2: Final = Source(
    name="bzip2",
    version="1.0.8",
    sha256="ab5a03176ee106d3f0fa90e381da478ddae405918153cca248e682cd0c4a2269",
    url="https://sourceware.org/pub/bzip2/bzip2-1.0.8.tar.gz",
    debian_file="bzip2_1.0.8.orig.tar.gz",
)

ZSTD: Final = Source(
    name="Zstandard",
    version="1.5.7",
    sha256="0c092ef267edce57ba7f3f2645c861f72eaf5e76273c6c3632869423464b90a5",
    debian_file="libzstd_1.5.7+dfsg.orig.tar.xz",
)

MPDECIMAL: Final = Source(
    name="mpdecimal",
    version="4.0.1",
    sha256="96d33abb4bb0070c7be0fed4246cd38416188325f820468214471938545b1ac8",
    url="https://www.bytereef.org/software/mpdecimal/releases/mpdecimal-4.0.1.tar.gz",
    debian_file="mpdecimal_4.0.1.orig.tar.gz",
)

NCURSES: Final = Source(
    name="ncurses",
    version="6.5+20250216",
    sha256="b37baafa436e7133bb12a185cb8f60e1599b1947e9f0181c76f3190acf28b6eb",
    debian_file="ncurses_6.5+20250216.orig.tar.gz",
)

TERMINALS: Final = (
    "xterm", "xterm-256color", "xterm-direct", "linux", "screen", "screen-256color", "tmux",
    "tmux-256color", "vt100", "vt220", "rxvt-unicode", "alacritty", "dumb",
)  # fmt: skip
"""Known without a terminfo database: an empty image has none."""


def libraries(machine: Machine) -> dict[str, Library]:
    """Return every library for *machine*, by name."""
    found = (
        _openssl(machine), _sqlite(), _libffi(machine), _xz(), _bzip2(), _zstd(), _mpdecimal(),
        _ncurses(), libedit(), *extension_libraries(),
    )  # fmt: skip
    return {library.name: library for library in found}


def _openssl(machine: Machine) -> Library:
    configure = (
        "perl", "./Configure", f"linux-{machine}", "--prefix=/usr", "--libdir=lib",
        "--openssldir=/etc/ssl", "no-pic", "-Os", *OPENSSL_LEFT_OUT,
    )  # fmt: skip
    return Library(
        name="OpenSSL",
        source=OPENSSL,
        license="Apache-2.0",
        steps=(Command(configure), Command(("make", "-j{jobs}", "build_libs"))),
        headers=(("include/openssl/*.h", "openssl"),),
        archives=("libssl.a", "libcrypto.a"),
        programs=("perl", "make"),
        packages=(
            Package("openssl", ("ssl", "crypto")),
            Package("libssl", ("ssl", "crypto")),
            Package("libcrypto", ("crypto",)),
        ),
    )


def _sqlite() -> Library:
    return Library(
        name="SQLite",
        source=SQLITE,
        license="blessing",
        steps=(
            Command(("./configure", "CC=cc", "--disable-tcl", "--disable-shared")),
            Command(("make", "sqlite3.c")),
            Compile("libsqlite3.a", ("sqlite3.c",), SQLITE_FLAGS),
        ),
        only_generates=True,
        headers=(("sqlite3.h", ""),),
        archives=("libsqlite3.a",),
        programs=("make",),
        packages=(Package("sqlite3", ("sqlite3",)),),
    )


def _libffi(machine: Machine) -> Library:
    folder = "x86" if machine == "x86_64" else machine
    major, minor, patch = LIBFFI.version.split(".")
    replace = {
        "@VERSION@": LIBFFI.version,
        "@FFI_VERSION_STRING@": LIBFFI.version,
        "@FFI_VERSION_NUMBER@": f"{major}{minor:0>2}{patch:0>2}",
        "@TARGET@": "X86_64" if machine == "x86_64" else "AARCH64",
        "@HAVE_LONG_DOUBLE@": "1",
        "@FFI_EXEC_TRAMPOLINE_TABLE@": "0",
    }
    names = ("prep_cif.c", "types.c", "raw_api.c", "java_raw_api.c", "closures.c", "tramp.c")
    flags = ("-Os", "-DNDEBUG", "-D_GNU_SOURCE", "-Iinclude", "-Isrc", f"-Isrc/{folder}")
    files = tuple(f"src/{name}" for name in (*names, *FFI_FILES[machine]))
    return Library(
        name="libffi",
        source=LIBFFI,
        license="MIT",
        steps=(
            Text("include/ffi.h", template="include/ffi.h.in", replace=replace),
            Text("include/fficonfig.h", FFI_CONFIG),
            Compile("libffi.a", files, flags),
        ),
        headers=(("include/ffi.h", ""), (f"src/{folder}/ffitarget.h", "")),
        archives=("libffi.a",),
        packages=(Package("libffi", ("ffi",)),),
    )


def _xz() -> Library:
    left_out = (
        "xz", "xzdec", "lzmadec", "lzmainfo", "scripts", "doc", "nls", "microlzma",
        "lzip-decoder",
    )  # fmt: skip
    options = (*(f"--disable-{name}" for name in left_out), "--enable-threads=no")
    return Library(
        name="XZ Utils",
        source=XZ,
        license="0BSD",
        steps=(
            Command((*AUTOCONF, *options, "CFLAGS=-O2 -DNDEBUG")),
            Command(("make", "-j{jobs}", "-C", "src/liblzma")),
        ),
        headers=(("src/liblzma/api/lzma.h", ""), ("src/liblzma/api/lzma/*.h", "lzma")),
        archives=("src/liblzma/.libs/liblzma.a",),
        programs=("make",),
        packages=(Package("liblzma", ("lzma",)),),
    )


def _bzip2() -> Library:
    names = ("blocksort", "huffman", "crctable", "randtable", "compress", "decompress", "bzlib")
    files = tuple(f"{name}.c" for name in names)
    return Library(
        name="bzip2",
        source=BZIP2,
        license="bzip2-1.0.6",
        steps=(Compile("libbz2.a", files, ("-O2", "-DNDEBUG", "-D_FILE_OFFSET_BITS=64")),),
        headers=(("bzlib.h", ""),),
        archives=("libbz2.a",),
        packages=(Package("bzip2", ("bz2",)),),
    )


def _zstd() -> Library:
    make = ("make", "-j{jobs}", "-C", "lib", "libzstd.a")
    settings = ("ZSTD_LEGACY_SUPPORT=0", "ZSTD_LIB_DEPRECATED=0", "CC=cc", "AR=ar")
    return Library(
        name="Zstandard",
        source=ZSTD,
        license="BSD-3-Clause",
        steps=(Command((*make, *settings, "CFLAGS=-O2", "CPPFLAGS=-DZSTD_MULTITHREAD -DNDEBUG")),),
        headers=(("lib/*.h", ""),),
        archives=("lib/libzstd.a",),
        programs=("make",),
        packages=(Package("libzstd", ("zstd",)),),
    )


def _mpdecimal() -> Library:
    configure = ("./configure", "--build={triplet}", "--host={triplet}", "--disable-shared")
    return Library(
        name="mpdecimal",
        source=MPDECIMAL,
        license="BSD-2-Clause",
        steps=(
            Command((*configure, "--disable-cxx", "CFLAGS=-O2 -DNDEBUG")),
            Command(("make", "-j{jobs}", "-C", "libmpdec", "libmpdec.a")),
        ),
        headers=(("libmpdec/mpdecimal.h", ""),),
        archives=("libmpdec/libmpdec.a",),
        programs=("make",),
    )


def _ncurses() -> Library:
    configure = (
        "./configure", "--build={triplet}", "--host={triplet}", "BUILD_CC=cc", "BUILD_CFLAGS=-O1",
        "CFLAGS=-Os -DNDEBUG", "--without-shared", "--with-normal", "--without-debug",
        "--without-ada", "--without-cxx", "--without-cxx-binding", "--without-progs",
        "--without-tests", "--without-manpages", "--disable-db-install", "--enable-widec",
        "--disable-stripping", "--without-pkg-config", "--disable-pc-files",
        "--disable-home-terminfo", "--enable-ext-colors",
        "--with-default-terminfo-dir=/usr/share/terminfo",
        "--with-terminfo-dirs=/etc/terminfo:/lib/terminfo:/usr/share/terminfo",
        f"--with-fallbacks={','.join(TERMINALS)}",
    )  # fmt: skip
    return Library(
        name="ncurses",
        source=NCURSES,
        license="MIT-open-group",
        # Parallel, make may compile before it has written a header.
        steps=(Command(configure), Command(("make", "libs"))),
        headers=tuple(
            (f"include/{name}.h", "")
            for name in ("curses", "ncurses_dll", "panel", "term", "termcap", "unctrl")
        ),
        archives=("lib/libpanelw.a", "lib/libncursesw.a"),
        programs=("make", "tic", "infocmp"),
    )
