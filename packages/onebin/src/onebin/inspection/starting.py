"""The file that a command of an image starts, and whether the image's user may start it.

Source: execvp(3), path_resolution(7); user and groups as runtimes read them (``accounts``).
"""

from typing import Final

from onebin.image import spec

from . import accounts
from .evidence import InspectedImage
from .merged_fs import MergedFilesystem
from .record import FileEntry

_PATH: Final = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
"""Search path of engines if the image sets no PATH."""
_MAX_FOLDERS: Final = 64
"""Directories of a PATH that are searched; usual ones have six."""

_OWNER, _GROUP, _OTHERS = 0o100, 0o010, 0o001


def find(filesystem: MergedFilesystem, process: spec.Process, name: str) -> FileEntry | None:
    """Return the file that *name* starts: a name without a slash is searched along PATH."""
    if not name:
        return None
    if "/" in name:
        return filesystem.entries.resolve(located(process, name))
    settings = dict(item.partition("=")[::2] for item in process.env or ())
    folders = settings.get("PATH", _PATH).split(":")[:_MAX_FOLDERS]
    found = (
        filesystem.entries.resolve(f"{folder}/{name}")
        for folder in folders
        if folder.startswith("/")
    )
    return next((entry for entry in found if entry is not None and is_program(entry)), None)


def located(process: spec.Process, name: str) -> str:
    """Return the absolute path of a *name* with a slash: others begin at the working directory."""
    return name if name.startswith("/") else f"{process.working_dir}/{name}"


def is_program(entry: FileEntry) -> bool:
    """Whether it is a file with an execute bit: a search along PATH passes over all others."""
    return entry.kind in ("file", "hardlink") and bool(entry.mode & 0o111)


def closed_folder(image: InspectedImage, path: str) -> FileEntry | None:
    """Return the first folder above *path* that the user may not search; None: none."""
    _, folders = image.filesystem.entries.route(path)
    return next((each for each in folders if may_execute(image, each) is False), None)


def may_execute(image: InspectedImage, entry: FileEntry) -> bool | None:
    """Whether the user may run or search *entry*; None if the image does not show that.

    Root searches every folder, and runs a file with any execute bit (capabilities(7),
    CAP_DAC_OVERRIDE).
    """
    uid = accounts.uid(image)
    if uid == 0:
        return entry.kind == "directory" or bool(entry.mode & 0o111)
    gids = accounts.gids(image)
    if uid is None or gids is None:
        answers = {bool(entry.mode & bit) for bit in (_OWNER, _GROUP, _OTHERS)}
        return answers.pop() if len(answers) == 1 else None
    bit = _OWNER if uid == entry.uid else _GROUP if entry.gid in gids else _OTHERS
    return bool(entry.mode & bit)
