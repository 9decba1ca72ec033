"""The C modules that CPython tests itself with, as a source distribution: onebin builds it.

Without them a third of the suite skips itself. They are in no executable but this one's.
"""

import gzip
import hashlib
import io
import re
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from onebin.model import Release

NAME: Final = "cpython-test-modules"

MODULES: Final = (
    "_testcapi", "_testinternalcapi", "_testlimitedcapi", "_testbuffer", "_testclinic",
    "_testclinic_limited", "_testimportmultiple", "_testmultiphase", "_testsinglephase",
    "_ctypes_test",
)  # fmt: skip

SETUP_LINE: Final = re.compile(r"^@MODULE_\w+_TRUE@(\w+) (.+)$", re.MULTILINE)
"""Of Modules/Setup.stdlib.in: a module, its sources."""

PYPROJECT: Final = """\
[build-system]
requires = ["setuptools"]
build-backend = "setuptools.build_meta"
"""

SETUP: Final = '''\
"""Built with the headers that CPython's own modules see."""

import sysconfig

from setuptools import Extension, setup

INCLUDE = sysconfig.get_path("include")
setup(
    name={name!r},
    version={version!r},
    py_modules=[],
    ext_modules=[
        Extension(
            module,
            sources,
            include_dirs=["Modules", INCLUDE + "/internal"],
            define_macros=[("Py_BUILD_CORE_MODULE", "1")],
        )
        for module, sources in {modules!r}.items()
    ],
)
'''


def write(release: Release, tree: Path, folder: Path) -> str:
    """Write the distribution of *release* into *folder*; return its line of a lock.

    Args:
        release: Its version is that of the distribution.
        tree: The source tree of CPython.
        folder: Where an index is expected to have it (``PIP_FIND_LINKS``).
    """
    version = release.version
    text = (tree / "Modules" / "Setup.stdlib.in").read_text("utf-8")
    sources = {
        name: [f"Modules/{word}" for word in words.split() if word.endswith(".c")]
        for name, words in SETUP_LINE.findall(text)
        if name in MODULES
    }
    files = {
        "PKG-INFO": f"Metadata-Version: 2.1\nName: {NAME}\nVersion: {version}\n",
        "pyproject.toml": PYPROJECT,
        "setup.py": SETUP.format(name=NAME, version=version, modules=sources),
        **{str(path.relative_to(tree)): path.read_text("utf-8") for path in _files(tree, sources)},
    }
    stem = f"{NAME.replace('-', '_')}-{version}"
    folder.mkdir(parents=True, exist_ok=True)
    archive = folder / f"{stem}.tar.gz"
    # Of a fixed time: the archive counts by its hash.
    with (
        archive.open("wb") as out,
        gzip.GzipFile(filename="", mode="wb", fileobj=out, compresslevel=1, mtime=0) as packed,
        tarfile.open(fileobj=packed, mode="w") as tar,
    ):
        for name, content in sorted(files.items()):
            entry = tarfile.TarInfo(f"{stem}/{name}")
            entry.size = len(content.encode())
            tar.addfile(entry, io.BytesIO(content.encode()))
    sha256 = hashlib.sha256(archive.read_bytes()).hexdigest()
    return f"{NAME}=={version} --hash=sha256:{sha256}\n"


def _files(tree: Path, sources: dict[str, list[str]]) -> Iterator[Path]:
    """Yield the sources, the files beside them, and the headers below ``Modules``."""
    found = {tree / name for names in sources.values() for name in names}
    for name in MODULES:
        found.update((tree / "Modules" / name).glob("**/*.[ch]"))
    for suffix in ("h", "inc"):
        headers = (tree / "Modules").rglob(f"*.{suffix}")
        found.update(path for path in headers if "_hacl" not in path.parts)
    yield from sorted(found)
