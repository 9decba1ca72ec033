"""The source tree of a pinned release of CPython, fetched once."""

import shutil
from pathlib import Path
from typing import Final

from bench.lib.harness import ROOT, log
from onebin.effects import fetch, process, unpack
from onebin.model import Release
from onebin.runtime.sources import pinned

FOLDER: Final = ROOT / "dist/cpython"


def tree(release: Release, folder: Path = FOLDER) -> Path:
    """Return the source tree of *release* in *folder*; without it, fetch it.

    Raises:
        OnebinError: it cannot be fetched, or is not the pinned one.
    """
    found = folder / release.version
    if not found.is_dir():
        folder.mkdir(parents=True, exist_ok=True)
        tarball = fetch.tarball(pinned(release), folder, run=process.run, report=log)
        unpacked = folder / "unpacked"
        shutil.rmtree(unpacked, ignore_errors=True)
        unpack.tree(tarball, unpacked).rename(found)
        shutil.rmtree(unpacked)
        tarball.unlink()
    return found
