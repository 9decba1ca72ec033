"""The files of an image as a tree: layers are applied one by one, each name is held once.

Half a million files with long directories in common take little memory. A whiteout costs
as many steps as its path has names, however much it hides: it leaves a mark, and ``settle``
drops the hidden entries, in one walk, after the last layer.

Source: OCI image-spec v1.1, layer.md ("Whiteouts", "Applying Changesets").
"""

from collections.abc import Iterator, Mapping
from typing import Final

import msgspec

from .budget import Budget
from .record import FileEntry, Record, named

MAX_SYMLINKS: Final = 40
"""Followed for one path, as in Linux (``MAXSYMLINKS``)."""

MAX_STEPS: Final = 4096
"""Names walked for one path: as many as PATH_MAX has bytes."""

_RECORD_BYTES: Final = 208
"""Of a ``Record`` (96), its two numbers (64) and its slot in the directory's dictionary (48)."""
_NUMBER_BYTES: Final = 64
"""Of a place in a set that has grown."""
_FOLDER_BYTES: Final = 256
"""Of a ``_Folder`` (64) and the smallest dictionary (184)."""


class _Folder:
    """A directory; without a record if no layer lists it itself."""

    __slots__ = ("children", "emptied", "hidden", "record")

    def __init__(self, record: Record | None) -> None:
        self.record = record
        self.children: dict[str, Record | _Folder] = {}
        # Layers below these numbers are hidden: here and below; below only.
        self.hidden = self.emptied = 0


class Tree(Mapping[str, FileEntry]):
    """Entries by absolute path, in the order of their paths."""

    def __init__(self, budget: Budget) -> None:
        self._budget = budget
        self._root = _Folder(None)
        self._numbers: dict[int, int] = {}
        self._count = 0
        # The last hard link to each file by number: its mode, owner and capabilities count.
        self._linked: dict[int, Record] = {}
        self._secrets: dict[str, int] = {}
        self.file_bytes = 0
        """Bytes of the visible files, after ``settle``."""

    def put(self, parts: tuple[str, ...], record: Record) -> None:
        """Put one entry over the existing ones; a directory replaces a file of its name."""
        folder = self._folder(parts[:-1])
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
        if record.kind == "hardlink" and record.data:
            if record.data not in self._linked:
                self._budget.hold(_NUMBER_BYTES)
            self._linked[record.data] = record

    def _folder(self, parts: tuple[str, ...]) -> _Folder:
        """Return the folder at *parts*, made where there is none, in place of a file too."""
        folder = self._root
        for part in parts:
            child = folder.children.get(part)
            if not isinstance(child, _Folder):
                if child is None:
                    self._budget.text(part)
                self._budget.hold(_FOLDER_BYTES)
                is_folder = child is not None and child.kind == "directory"
                child = folder.children[part] = _Folder(child if is_folder else None)
            folder = child
        return folder

    def placed(self, parts: tuple[str, ...], layer: int) -> tuple[str, ...]:
        """Return the path that *layer* writes to for *parts*: its own links to folders lead on.

        An engine unpacks a layer by itself, so a link of a lower layer does not
        lead on: a folder takes its place.
        """
        node: Record | _Folder | None = self._root
        for part in parts[:-1]:
            node = node.children.get(part) if isinstance(node, _Folder) else None
            if not isinstance(node, _Folder):
                break
        return self._led_on(parts, layer) if _is_link(node, layer) else parts

    def _led_on(self, parts: tuple[str, ...], layer: int) -> tuple[str, ...]:
        todo, links = list(parts[::-1]), 0
        names: list[str] = []
        nodes: list[Record | _Folder | None] = [self._root]
        while len(todo) > 1:
            part, above = todo.pop(), nodes[-1]
            child = above.children.get(part) if isinstance(above, _Folder) else None
            if part == "..":
                del names[-1:], nodes[max(len(nodes) - 1, 1) :]
            elif isinstance(child, Record) and _is_link(child, layer) and links < MAX_SYMLINKS:
                links += 1
                if child.link.startswith("/"):
                    del names[:], nodes[1:]
                steps = [step for step in child.link.split("/") if step not in ("", ".")]
                self._budget.steps(len(steps))
                todo += steps[::-1]
            else:
                names.append(part)
                nodes.append(child)
        return (*names, *todo)

    def note_secret(self, path: str, layer: int) -> None:
        """Note that *layer* has a key or a credential at *path*, whatever hides it later."""
        if path not in self._secrets and len(self._secrets) < self._budget.limits.listed:
            self._budget.text(path)
            self._budget.hold(_NUMBER_BYTES)
            self._secrets[path] = layer

    def unlisted_secrets(self) -> Iterator[tuple[str, int]]:
        """Yield those that are no entry, each with its layer: hidden ones, after ``settle``.

        A folder that no layer lists itself is none either, and its files are in the image.
        """
        return ((path, layer) for path, layer in self._secrets.items() if path not in self)

    def put_root(self, record: Record) -> None:
        """Put the entry of ``/`` itself, which has an owner and a mode."""
        self._root.record = record

    def shared(self, number: int) -> int:
        """Return the one object held for *number*: owners and modes are few, files many."""
        known = self._numbers.get(number)
        if known is None:
            self._budget.hold(_RECORD_BYTES)
            known = self._numbers[number] = number
        return known

    def remove(self, parts: tuple[str, ...], layer: int) -> None:
        """Hide a path and everything below it in the layers under *layer*."""
        if self._is_own_file(parts[:-1], layer):
            return
        child = (folder := self._folder(parts[:-1])).children.get(parts[-1])
        if isinstance(child, _Folder):
            child.hidden = layer
        elif child is not None and child.layer < layer:
            del folder.children[parts[-1]]

    def empty(self, parts: tuple[str, ...], layer: int) -> None:
        """Hide everything below a path in the layers under *layer*."""
        if not self._is_own_file(parts, layer):
            self._folder(parts).emptied = layer

    def _is_own_file(self, parts: tuple[str, ...], layer: int) -> bool:
        """Whether *layer* itself has a file at *parts* or above: no engine unpacks that."""
        node: Record | _Folder | None = self._root
        for part in parts:
            node = node.children.get(part) if isinstance(node, _Folder) else None
            if isinstance(node, Record) and node.kind != "directory":
                return node.layer == layer
        return False

    def find(self, parts: tuple[str, ...]) -> Record | None:
        """Return the record at a path while layers are still applied."""
        node = self._node(parts)
        return node.record if isinstance(node, _Folder) else node

    def settle(self) -> None:
        """Drop hidden entries; called once, after the last layer.

        A file stays under its other names when the first is hidden: the next one has it then.
        """
        seen: set[int] = set()
        todo = [(self._root, 0)]
        while todo:  # no recursion: a path may be two thousand names deep
            folder, least = todo.pop()
            least = max(least, folder.emptied)
            hidden = []
            for name, child in folder.children.items():
                if isinstance(child, _Folder):
                    inner = max(least, child.hidden)
                    if child.record is not None and child.record.layer < inner:
                        child.record = None
                    self._count += child.record is not None
                    self.file_bytes += child.record.size if child.record else 0
                    todo.append((child, inner))
                elif child.layer < least:
                    hidden.append(name)
                else:
                    self._count += 1
                    if child.kind == "file":
                        self.file_bytes += child.size
                        if child.data in self._linked:
                            seen.add(child.data)
            for name in hidden:
                del folder.children[name]
        if len(seen) < len(self._linked):
            self._rename_files(seen)

    def _rename_files(self, seen: set[int]) -> None:
        """Make the first of the names left of each file that is not in *seen* the file."""
        first: dict[int, str] = {}
        for entry in self.walk():
            if entry.kind != "hardlink" or not entry.data or entry.data in seen:
                continue
            *folders, name = entry.path.split("/")[1:]
            folder = self._node(tuple(folders))
            record = folder.children[name] if isinstance(folder, _Folder) else None
            if not isinstance(folder, _Folder) or not isinstance(record, Record):
                continue
            if (path := first.get(entry.data)) is None:
                self._budget.text(entry.path)
                first[entry.data] = entry.path
                self.file_bytes += entry.size
                changed = msgspec.structs.replace(record, kind="file", link="")
            else:
                changed = msgspec.structs.replace(record, link=path)
            folder.children[name] = changed

    def resolve(self, path: str) -> FileEntry | None:
        """Find the entry *path* leads to, through symlinks; none leads out of the image."""
        return self.route(path)[0]

    def route(self, path: str) -> tuple[FileEntry | None, tuple[FileEntry, ...]]:
        """Find the entry *path* leads to, and the folders that are searched for it.

        Those that no layer lists are not among them: engines make them, for all to search.
        """
        searched: dict[int, FileEntry] = {}
        parts = path.split("/")[::-1]
        at: list[tuple[str, Record | _Folder | None]] = []
        links = steps = 0
        while parts and steps < MAX_STEPS:
            steps += 1
            part = parts.pop()
            above = at[-1][1] if at else self._root
            if not _is_folder(above):
                return None, ()
            own = self._record(above) if above else None
            if own and part and id(own) not in searched:
                searched[id(own)] = named("/" + "/".join(name for name, _ in at), own)
            child = above.children.get(part) if isinstance(above, _Folder) else None
            if part == "..":
                del at[-1:]
            elif part not in ("", "."):
                if isinstance(child, Record) and child.kind == "symlink":
                    links += 1
                    if links > MAX_SYMLINKS:
                        return None, ()
                    at = [] if child.link.startswith("/") else at
                    parts += child.link.split("/")[::-1]
                else:
                    at.append((part, child))
        if parts or not at:
            return None, ()
        found = at[-1][1]
        record = found.record if isinstance(found, _Folder) else found
        if record is None:
            return None, ()
        entry = self._entry("/" + "/".join(name for name, _ in at), record)
        return entry, tuple(searched.values())

    def walk(self) -> Iterator[FileEntry]:
        """Yield every entry, by path; none is kept."""
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
                        yield self._entry(prefix + name, record)
            else:
                todo.pop()

    def __getitem__(self, path: str) -> FileEntry:
        record = self.find(tuple(path.split("/")[1:])) if path.startswith("/") else None
        if record is None:
            raise KeyError(path)
        return self._entry(path, record)

    def __iter__(self) -> Iterator[str]:
        return (entry.path for entry in self.walk())

    def __len__(self) -> int:
        return self._count

    def _node(self, parts: tuple[str, ...]) -> "Record | _Folder | None":
        node: Record | _Folder | None = self._root
        for part in parts:
            node = node.children.get(part) if isinstance(node, _Folder) else None
        return node

    def _entry(self, path: str, record: Record) -> FileEntry:
        return named(path, record, self._linked.get(record.data) if record.data else None)

    @staticmethod
    def _record(node: "Record | _Folder") -> Record | None:
        return node.record if isinstance(node, _Folder) else node


def _ordered(folder: _Folder) -> list[str]:
    """Return the names in a directory in the order of whole paths, subdirectories with a slash.

    ``a-b`` and ``a.py`` come between ``a`` and ``a/b``, as a slash is greater than both.
    """
    names = list(folder.children)
    names += [f"{name}/" for name, child in folder.children.items() if isinstance(child, _Folder)]
    names.sort()
    return names


def _is_folder(node: "Record | _Folder | None") -> bool:
    return isinstance(node, _Folder) or (node is not None and node.kind == "directory")


def _is_link(node: "Record | _Folder | None", layer: int) -> bool:
    return isinstance(node, Record) and node.kind == "symlink" and node.layer == layer
