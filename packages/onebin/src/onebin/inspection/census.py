"""One pass over all files of an image, sorted into the lists of the rules and the report."""

from typing import Final

import msgspec

from . import programs
from .budget import Budget
from .listing import Listing
from .record import FileEntry
from .tree import Tree
from .unwanted_names import is_left_over, is_secret

_SETID: Final = 0o6000
_STICKY: Final = 0o1000
_OTHERS_WRITE: Final = 0o002


class Files(msgspec.Struct, frozen=True, kw_only=True):
    """The lists, each of paths."""

    count: int
    """Regular files."""
    tools: programs.Tools
    elf: Listing
    """ELF files but the entry point; then those with an execute bit, and those without."""
    executables: Listing
    other_elf_files: Listing
    privileged: Listing
    """Files that give their caller more rights; a setgid directory only passes on its group."""
    world_writable: Listing
    """Entries writable by every user, ``/tmp`` included; devices belong to IMG-FS-004."""
    for_all_to_write: Listing
    """The same without ``/tmp``, if its sticky bit protects the files of each user."""
    absolute_links: Listing
    secrets: Listing
    """Keys and credentials, by name, and those that a later layer hides."""
    left_overs: Listing
    """Caches and files of development tools, by name."""


def take(entries: Tree, own: FileEntry | None, budget: Budget) -> Files:
    """Sort every entry; *own* is the executable that is started.

    Raises:
        ImageError: the budget is spent.
    """
    count, junk_folder = 0, ""
    listings = {
        name: Listing(budget) for name, kind in Files.__annotations__.items() if kind is Listing
    }
    found = Files(count=0, tools=programs.NONE, **listings)
    named = programs.Named(budget)
    for entry in entries.walk():
        path = entry.path
        name = path[path.rindex("/") + 1 :]
        count += entry.kind == "file"
        named.add(entry, name)
        if entry.program == "elf" and not (own and own.data == entry.data):
            found.elf.add(path)
            (found.executables if entry.mode & 0o111 else found.other_elf_files).add(path)
        if entry.kind == "file" and (entry.mode & _SETID or entry.capabilities):
            what = "capabilities" if entry.capabilities else f"mode {entry.mode:04o}"
            found.privileged.add(path, f"{path} ({what})")
        if entry.mode & _OTHERS_WRITE and entry.kind in ("file", "directory", "fifo"):
            found.world_writable.add(path)
            # Every user expects to write to /tmp; its sticky bit protects the files of each.
            if not (path == "/tmp" and entry.mode & _STICKY):  # noqa: S108  a path in the image
                found.for_all_to_write.add(path, f"{path} (mode {entry.mode:04o})")
        if entry.kind == "symlink" and entry.link.startswith("/"):
            found.absolute_links.add(path, f"{path} is an absolute link to {entry.link}")
        if junk_folder and path.startswith(junk_folder):
            continue  # its directory is listed
        is_key = is_secret(name, is_file=entry.kind in ("file", "hardlink"))
        if is_key or is_left_over(name):
            junk_folder = path + "/"
            (found.secrets if is_key else found.left_overs).add(path)
    for path, layer in entries.unlisted_secrets():
        found.secrets.add(path, f"{path}: layer {layer + 1} has it, whatever a later one hides")
    return msgspec.structs.replace(found, count=count, tools=named.tools(entries))
