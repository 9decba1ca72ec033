"""Facts of CPython that its Python source does not show: imports made from C, and tooling.

Read off the C files of CPython 3.13 to 3.15 (``PyImport_Import…`` calls); a wrong entry shows
at once, since the binary's own tests import everything it holds.
"""

from typing import Final

ALWAYS: Final = (
    # Imported by the interpreter itself before any other code.
    "encodings", "encodings.aliases", "encodings.utf_8", "io", "abc", "codecs", "warnings",
    # Codecs implemented in C that still import their module: small, and any name may appear
    # in a header or a file at run time.
    "encodings.ascii", "encodings.latin_1", "encodings.utf_8_sig", "encodings.unicode_escape",
    "encodings.raw_unicode_escape",
)  # fmt: skip

INTERPRETER: Final = (
    # Of a whole program: -m, resources, and the names that site defines.
    "runpy", "importlib.readers", "importlib.resources", "importlib.metadata", "pkgutil",
    # The prompt of the interpreter: a basic one, without its console.
    "_pyrepl", "_pyrepl.main", "_pyrepl.trace",
    "_sitebuiltins", "linecache", "traceback",
)  # fmt: skip
"""What a program finds in any interpreter, whether or not it imports it by name."""

FROM_C: Final = ("zipimport",)
"""What the interpreter's start also imports if it is there: from source it would be compiled."""

BUILTINS_ALWAYS: Final = (
    "builtins", "sys", "_imp", "_warnings", "marshal", "gc", "_thread", "_weakref", "_io", "posix",
    "_codecs", "_signal", "errno", "_abc", "time", "_tracemalloc", "faulthandler",
)  # fmt: skip
"""C modules that start-up needs by name."""

BOOTSTRAP: Final = {
    "_frozen_importlib": "importlib/_bootstrap.py",
    "_frozen_importlib_external": "importlib/_bootstrap_external.py",
}
"""The import system itself; ``importlib`` finds these two in ``sys.modules``."""

ALIASES: Final = {
    "os.path": "os",
    "collections.abc": "collections",
    "importlib._bootstrap": "importlib",
    "importlib._bootstrap_external": "importlib",
}
"""Names that another module puts into ``sys.modules``, with that module: importable without code.

No file has these names. A thread that imports one while another thread is in the middle of that
module finds neither, so ``__main__`` imports the module before the program has a second thread.
"""

BUILD_FACTS: Final = "_sysconfigdata__linux_"
"""The module ``sysconfig`` imports: how CPython was built, with the build machine's paths."""

BUILD_FACTS_SOURCE: Final = """\
import sys

series = "{}.{}".format(*sys.version_info)
number = series.replace(".", "")
prefix, code = sys.prefix, f"{sys.prefix}/lib/python{series}"
build_time_vars = {
    "Py_DEBUG": 0, "Py_GIL_DISABLED": 0, "Py_ENABLE_SHARED": 0, "Py_TRACE_REFS": 0,
    "WITH_PYMALLOC": 1, "SIZEOF_VOID_P": 8, "HAVE_FORK": 1,
    "EXE": "", "ABIFLAGS": "", "MULTIARCH": "", "PYTHONFRAMEWORK": "", "MACHDEP": "linux",
    "SHLIB_SUFFIX": ".so", "SOABI": f"cpython-{number}", "EXT_SUFFIX": f".cpython-{number}.so",
    "VERSION": series, "LDVERSION": series,
    "BINDIR": f"{prefix}/bin", "LIBDIR": f"{prefix}/lib", "SCRIPTDIR": f"{prefix}/lib",
    "LIBDEST": code, "BINLIBDEST": code, "DESTSHARED": f"{code}/lib-dynload",
    "INCLUDEDIR": f"{prefix}/include", "INCLUDEPY": f"{prefix}/include/python{series}",
    "MANDIR": f"{prefix}/share/man", "datarootdir": f"{prefix}/share", "PLATLIBDIR": "lib",
    "TZPATH": "/usr/share/zoneinfo:/usr/lib/zoneinfo:/usr/share/lib/zoneinfo:/etc/zoneinfo",
}
"""
"""Its replacement in executables: facts that are always the same.

Without a compiler nothing needs to know how C is compiled; but programs join a name with ``EXE`` or
``EXT_SUFFIX`` and search ``BINDIR``, on any system.
"""

DOCUMENTED: Final = 'build_time_vars["WITH_DOC_STRINGS"] = 1\n'
"""The fact that follows in a whole program: its functions in C have docstrings."""

LIBC_PARTS: Final = ("c", "dl", "m", "pthread", "rt", "util")
"""What ``ctypes.CDLL`` finds in the executable; ``csrc/dl.c``."""

EXTENDED: Final = {
    "platform": (
        "platform.py",
        """

_libc_ver = libc_ver


def libc_ver(executable=None, lib="", version="", chunksize=16384):
    # Known: a search would read the whole executable, and find names in texts inside.
    if not executable:
        return "musl", "1"
    return _libc_ver(executable, lib, version, chunksize)
""",
    ),
    "ctypes.util": (
        "ctypes/util.py",
        f"""

_find_library = find_library


def find_library(name):
    # Part of this static executable: no file has it, and no compiler or ldconfig knows it.
    if name in {LIBC_PARTS}:
        return "libc.so.6"
    return _find_library(name)
""",
    ),
}
"""Modules, each with its file and the code that follows it in a whole program."""

NATIVE_IMPORTS: Final[dict[str, tuple[str, ...]]] = {
    "_asyncio": (
        "asyncio.base_futures", "asyncio.base_tasks", "asyncio.coroutines", "asyncio.events",
        "asyncio.exceptions", "traceback", "weakref",
    ),
    "_datetime": ("_strptime",),
    "time": ("_strptime",),
    # Not from C: dbm.open imports the first that works, by its name.
    "dbm": ("dbm.sqlite3", "dbm.dumb"),
    "dbm.sqlite3": ("urllib.request",),  # by Path.as_uri, since 3.14: see TOOLING_EDGES
    # Their reports: print_stats of each, and what -m prints.
    "cProfile": ("pstats",),
    "profile": ("pstats",),
    "_decimal": ("numbers", "collections"),
    "_elementtree": ("copy", "pyexpat", "xml.etree.ElementPath"),
    "_json": ("json.decoder",),
    # Nearly all of it is linked with _ssl in any case.
    "_ssl": ("_socket", "_hashlib"),
    "_sqlite3": ("sqlite3.dump",),
    "_ctypes": ("ctypes._endian", "ctypes._layout"),
    "_curses_panel": ("_curses",),
    "math": ("_math_integer",),  # since 3.15
    "_pickle": ("copyreg", "_compat_pickle", "functools"),
    # getaddrinfo encodes a host name given as str with the idna codec.
    "_socket": ("encodings.idna",),
    "sysconfig": (BUILD_FACTS,),
    # The default encoding of names in a zip file.
    "zipfile": ("encodings.cp437",),
    "_zoneinfo": ("zoneinfo._common", "zoneinfo._tzpath"),
}  # fmt: skip

TOOLING: Final = frozenset(
    {
        # Tools a module of the standard library starts from its own command line or self-test.
        "argparse", "optparse", "getopt", "doctest", "unittest", "test", "pdb", "bdb", "cmd",
        "code", "codeop", "pydoc", "pydoc_data", "profile", "cProfile", "pstats", "trace",
        "timeit", "tkinter", "turtle", "idlelib", "webbrowser", "readline", "rlcompleter",
        "_pyrepl", "ensurepip", "venv", "lib2to3", "distutils", "antigravity", "this",
    }
)  # fmt: skip
"""Not followed where the standard library imports them inside a function."""

TOOLING_EDGES: Final[dict[str, tuple[str, ...]]] = {
    # For modules found on a path; a frozen program has none.
    "_frozen_importlib_external": ("importlib.metadata", "importlib.readers"),
    # It draws with curses and ctypes, which would be in every program.
    "_pyrepl.main": ("_pyrepl.simple_interact", "_pyrepl.console"),
    "concurrent.futures": ("concurrent.futures.process",),
    # OpenSSL's hashes: CPython has its own of every guaranteed algorithm, in a hundredth.
    "hashlib": ("_hashlib",),
    "hmac": ("_hashlib",),
    "logging": ("pickle",),  # the exception raised when a logger is pickled
    # Of as_uri, since 3.14; http.client would bring OpenSSL into every program.
    "pathlib": ("urllib.request",),
    "random": ("statistics",),  # its self-test
    "shutil": ("tarfile", "zipfile", "zlib"),
    "sysconfig": ("_aix_support", "_osx_support"),
    "uuid": ("shutil",),  # to find ifconfig, arp and netstat
    "warnings": ("tracemalloc",),  # to show where a leaked object was made, if it was traced
}
"""Further imports of the standard library that may fail, not followed: importer -> modules."""

ENABLED_BY_NAME: Final[dict[str, tuple[str, ...]]] = {
    "ProcessPoolExecutor": ("concurrent.futures.process",),
    # Only OpenSSL has these.
    "pbkdf2_hmac": ("_hashlib",),
    "scrypt": ("_hashlib",),
    "make_archive": ("tarfile", "zipfile", "zlib"),
    "unpack_archive": ("tarfile", "zipfile", "zlib"),
    "tracemalloc": ("tracemalloc",),
    "as_uri": ("urllib.request",),
    "from_uri": ("urllib.request",),
    "breakpoint": ("pdb",),  # imported from C
}
"""Names that enable such an import again where the program or a dependency mentions them."""
