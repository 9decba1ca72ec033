"""The smallest sources that build: a CPython with a fake build, a zlib with one byte per file."""

import hashlib
import io
import tarfile
from collections.abc import Sequence
from pathlib import Path

from onebin.effects.fetch import digest
from onebin.model import Source
from onebin.runtime.recipe import ZLIB_FILES

CONFIG_C = """
extern PyObject* PyInit__struct(void);
struct _inittab _PyImport_Inittab[] = {
    {"_struct", PyInit__struct},
    {"builtins", NULL},
    {"gc", NULL},
    {"sys", NULL},
"""

SETUP = """
*@MODULE_BUILDTYPE@*
@MODULE__SSL_TRUE@_ssl _ssl.c
@MODULE__STRUCT_TRUE@_struct _struct.c
#@MODULE__TESTCAPI_TRUE@_testcapi _testcapimodule.c
"""


def make_cpython(folder: Path) -> None:
    """Make the smallest source tree that passes for a built one."""
    texts = {
        "Makefile": "Python/ceval.o Parser/parser.o",
        "pybuilddir.txt": "build/lib.linux\n",
        "build/lib.linux/_sysconfigdata__linux_.py": "build_time_vars = {}",
        "Lib/os.py": "x = 1",
        "Lib/test/test_os.py": "x = 1",
        "Include/Python.h": "",
        "Include/patchlevel.h": "#define PY_MAJOR_VERSION 3\n#define PY_MINOR_VERSION 13\n",
        "pyconfig.h": "",
        "python": "program",
        "libpython3.13.a": "archive",
        "Modules/_hacl/libHacl.a": "archive",
        "Modules/config.c": CONFIG_C,
        "Modules/Setup.stdlib.in": SETUP,
        "Modules/_ssl.c": '#include "_ssl/misc.c"',
        "Modules/_ssl.h": "",
        "Modules/_ssl/misc.c": "",
        "Modules/_struct.c": "",
        "Modules/expat/expat.h": "",
    }
    for name, text in texts.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)


def tarball(path: Path, names: Sequence[str]) -> Path:
    with tarfile.open(path, "w:gz") as tar:
        for name in names:
            info = tarfile.TarInfo(f"zlib-1/{name}")
            info.size = 1
            tar.addfile(info, io.BytesIO(b"x"))
    return path


def sha256_of(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


def zlib_of(file: Path, files_sha256: str) -> Source:
    return Source(
        name="zlib",
        version="1",
        sha256=sha256_of(file),
        origin=str(file),
        files_sha256=files_sha256,
    )


def digest_of(folder: Path) -> str:
    for name in (*ZLIB_FILES, "zlib.h"):
        (folder / name).write_text("x")
    return digest(folder / name for name in (*ZLIB_FILES, "zlib.h"))
