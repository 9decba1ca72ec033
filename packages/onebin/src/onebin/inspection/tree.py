"""The files of an image as a tree: layers are laid on it one by one, each name is held once.

Half a million files with long folders in common take little room, and a whiteout costs
as many steps as its path has names, however much it hides: it leaves a mark, and ``settle``
drops what is hidden, in one walk, when the last layer is on.

Source: OCI image-spec v1.1, layer.md ("Whiteouts", "Applying Changesets").
"""

from collections.abc import Iterator, Mapping
from typing import Final, Literal

import msgspec

from . import tar_reader
from .budget import Budget

MAX_SYMLINKS: Final = 40
"""Followed for one path, as in Linux (``MAXSYMLINKS``)."""

MAX_STEPS: Final = 4096
"""Names of folders walked for one path: as many as PATH_MAX has bytes."""

_RECORD_BYTES: Final = 176
"""Of a ``Record`` (96), its size (32) and its slot in the folder's dictionary (48)."""
_FOLDER_BYTES: Final = 256
"""Of a ``_Folder`` (64) and the smallest dictionary (184)."""

Program = Literal["", "elf", "script"]


class Record(msgspec.Struct, frozen=True, gc=False):
    """What is held of one file or folder; its path is where it stands in the tree."""

    kind: tar_reader.Kind
    mode: int
    uid: int
    gid: int
    size: int
    """Bytes."""
    link: str
    """Target of a symlink or hard link, as written."""
    capabilities: bool
    layer: int
    """Number of the layer it comes from, from 0."""
    program: Program
    """What the kernel would start, by its first bytes."""
    earlier: int
    """Entries of the same path that stand before it in its layer."""


class Entry(Record, frozen=True, gc=False):
    """One file or folder of the image as a container sees it."""

    path: str
    """Absolute."""


class _Folder:
    """A name with others below it; folders nobody listed have no record."""

    __slots__ = ("children", "emptied", "hidden", "record")

    def __init__(self, record: Record | None) -> None:
        self.record = record
        self.children: dict[str, Record | _Folder] = {}
        # Layers below these numbers cannot be seen: here and below, and below only.
        self.hidden = self.emptied = 0


class Tree(Mapping[str, Entry]):
    """Entries by absolute path, in the order of their paths."""

    def __init__(self, budget: Budget) -> None:
        self._budget = budget
        self._root = _Folder(None)
        self._numbers: dict[int, int] = {}
        self._count = 0
        self.file_bytes = 0
        """Of what can be seen, once it is settled."""

    def put(self, parts: tuple[str, ...], record: Record) -> None:
        """Lay one entry on what is there; a file gives way to a folder of its name."""
        folder = self._root
        for part in parts[:-1]:
            child = folder.children.get(part)
            if not isinstance(child, _Folder):
                if child is None:
                    self._budget.text(part)
                self._budget.hold(_FOLDER_BYTES)
                is_folder = child is not None and child.kind == "directory"
                child = folder.children[part] = _Folder(child if is_folder else None)
            folder = child
        name = parts[-1]
        old = folder.children.get(name)
        if old is None:
            self._budget.text(name)
        self._budget.hold(_RECORD_BYTES)
        if record.link:
            self._budget.text(record.link)
        if isinstance(old, _Folder) and record.kind == "directory":
            old.record = record
        else:
            folder.children[name] = record

    def shared(self, number: int) -> int:
        """Give the one object held for *number*: owners and modes are few, files many."""
        known = self._numbers.get(number)
        if known is None:
            self._budget.hold(_RECORD_BYTES)
            known = self._numbers[number] = number
        return known

    def remove(self, parts: tuple[str, ...], layer: int) -> None:
        """Hide a path, and all below it, of the layers under *layer*."""
        folder = self._node(parts[:-1])
        if not isinstance(folder, _Folder) or not parts:
            return
        child = folder.children.get(parts[-1])
        if isinstance(child, _Folder):
            child.hidden = layer
        elif child is not None and child.layer < layer:
            del folder.children[parts[-1]]

    def empty(self, parts: tuple[str, ...], layer: int) -> None:
        """Hide what is below a path of the layers under *layer*."""
        folder = self._node(parts)
        if isinstance(folder, _Folder):
            folder.emptied = layer

    def find(self, parts: tuple[str, ...]) -> Record | None:
        """Find what stands at a path while layers are still laid on."""
        node = self._node(parts)
        return node.record if isinstance(node, _Folder) else node

    def settle(self) -> None:
        """Drop what is hidden; to be called once, after the last layer."""
        todo = [(self._root, 0)]
        while todo:  # no recursion: a path may be two thousand folders deep
            folder, least = todo.pop()
            least = max(least, folder.emptied)
            gone = []
            for name, child in folder.children.items():
                if isinstance(child, _Folder):
                    inner = max(least, child.hidden)
                    if child.record is not None and child.record.layer < inner:
                        child.record = None
                    self._count += child.record is not None
                    self.file_bytes += child.record.size if child.record else 0
                    todo.append((child, inner))
                elif child.layer < least:
                    gone.append(name)
                else:
                    self._count += 1
                    self.file_bytes += child.size
            for name in gone:
                del folder.children[name]

    def resolve(self, path: str) -> Entry | None:
        """Find what *path* leads to, through symlinks; none leads out of the image."""
        parts = path.split("/")[::-1]
        at: list[tuple[str, Record | _Folder | None]] = []
        links = steps = 0
        while parts and steps < MAX_STEPS:
            steps += 1
            part = parts.pop()
            if part == "..":
                del at[-1:]
            elif part not in ("", "."):
                above = at[-1][1] if at else self._root
                child = above.children.get(part) if isinstance(above, _Folder) else None
                if isinstance(child, Record) and child.kind == "symlink":
                    links += 1
                    if links > MAX_SYMLINKS:
                        return None
                    at = [] if child.link.startswith("/") else at
                    parts += child.link.split("/")[::-1]
                else:
                    at.append((part, child))
        if parts or not at:
            return None
        found = at[-1][1]
        record = found.record if isinstance(found, _Folder) else found
        if record is None:
            return None
        return _entry("/" + "/".join(name for name, _ in at), record)

    def walk(self) -> Iterator[Entry]:
        """Give every entry, by path; nothing of it is kept."""
        todo = [("/", self._root, iter(_ordered(self._root)))]
        while todo:
            prefix, folder, names = todo[-1]
            for name in names:
                if name.endswith("/"):
                    child = folder.children[name[:-1]]
                    if isinstance(child, _Folder):
                        todo.append((prefix + name, child, iter(_ordered(child))))
                        break
                else:
                    record = self._record(folder.children[name])
                    if record is not None:
                        yield _entry(prefix + name, record)
            else:
                todo.pop()

    def __getitem__(self, path: str) -> Entry:
        record = self.find(tuple(path.split("/")[1:])) if path.startswith("/") else None
        if record is None:
            raise KeyError(path)
        return _entry(path, record)

    def __iter__(self) -> Iterator[str]:
        return (entry.path for entry in self.walk())

    def __len__(self) -> int:
        return self._count

    def _node(self, parts: tuple[str, ...]) -> "Record | _Folder | None":
        node: Record | _Folder | None = self._root
        for part in parts:
            node = node.children.get(part) if isinstance(node, _Folder) else None
        return node

    @staticmethod
    def _record(node: "Record | _Folder") -> Record | None:
        return node.record if isinstance(node, _Folder) else node


def _ordered(folder: _Folder) -> list[str]:
    """Name what is in a folder in the order of whole paths; what is below a name ends in a slash.

    ``a-b`` and ``a.py`` stand between ``a`` and ``a/b``: a slash is greater than they are.
    """
    names = list(folder.children)
    names += [f"{name}/" for name, child in folder.children.items() if isinstance(child, _Folder)]
    names.sort()
    return names


def _entry(path: str, record: Record) -> Entry:
    return Entry(
        record.kind,
        record.mode,
        record.uid,
        record.gid,
        record.size,
        record.link,
        record.capabilities,
        record.layer,
        record.program,
        record.earlier,
        path,
    )
