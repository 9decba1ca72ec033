"""Files inside an executable: their contents packed, and the table that finds them.

The table is assembly, since the assembler knows where each module's code is. Its structure is
``csrc/files.h``; the functions of libc that read it are ``csrc/files_*.c``.
"""

import hashlib
import itertools
import zlib
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

import lz4.block
import msgspec

from onebin.effects import csrc
from onebin.effects.context import Context
from onebin.effects.digests import sha256_of
from onebin.effects.process import cpus
from onebin.effects.store import damaged
from onebin.model import CSource, FrozenModule, InsideFile, LinkInput

from . import libc
from .code_packing import HEADER, MARK
from .tree import Names, Row, rows

CACHE_VERSION: Final = 2
"""Raised when the same files are stored differently: part of the key."""

LEVEL: Final = 9
"""Of LZ4's 12. The highest takes twice the time for a hundredth of the size."""

PREFIX: Final = "onebin"
"""The first part of every path inside: ``FILES_PREFIX`` in files.h."""

WRAPPED: Final = (
    "open", "openat", "fopen", "freopen", "stat", "lstat", "fstat", "fstatat", "access",
    "faccessat", "statvfs", "pathconf", "readlink", "readlinkat", "realpath", "chdir", "fchdir",
    "getcwd", "mkdir", "mkdirat", "mkfifo", "mkfifoat", "mknod", "mknodat", "symlink",
    "symlinkat", "unlink", "unlinkat", "rmdir", "chmod", "fchmodat", "chown", "lchown",
    "fchownat", "truncate", "utimensat", "chroot", "setxattr", "lsetxattr", "removexattr",
    "lremovexattr", "listxattr", "llistxattr", "getxattr", "lgetxattr", "fchmod", "fchown",
    "futimens", "rename", "renameat", "link", "linkat", "opendir", "fdopendir", "readdir",
    "closedir", "rewinddir", "telldir", "seekdir", "dirfd", "execve", "execv", "posix_spawn",
)  # fmt: skip
"""Functions of libc that take a path, or a descriptor or a stream of one."""

MAPS_ZONES: Final = "__map_file"
"""musl's own function by which ``localtime`` and ``tzset`` read a time zone."""

ESCAPES: Final[dict[str, str]] = {
    "dlopen": "a shared object cannot be loaded, wherever it is",
    "execvp": "searches the PATH of the machine; the interpreter has a name with slashes",
    "execvpe": "as execvp",
    "fexecve": "a descriptor of the interpreter is that of the program itself",
    "inotify_add_watch": "nothing inside changes",
    "posix_spawnp": "as execvp",
    "sem_open": "names of semaphores are in /dev/shm",
    "sem_unlink": "as sem_open",
    "shm_open": "as sem_open",
    "shm_unlink": "as sem_open",
    "system": "a shell is another program",
    "popen": "as system",
}
"""Functions that take a path and do not see the files inside, each with the reason."""

KINDS: Final = {"directory": 0, "plain": 1, "packed": 2, "code": 3, "interpreter": 4}
"""``enum file_kind`` in files.h."""

NODE_BYTES: Final = 32
MODULE_BYTES: Final = 20
"""``struct file_node`` and ``struct file_module`` in files.h."""

OCTAL: Final = [f"\\{byte:03o}" for byte in range(256)]
"""Each byte in a string of assembly."""

PYC_HEAD: Final = 16
"""Bytes before the code in a ``.pyc`` (PEP 552)."""

STACK_BYTES: Final = 8 << 20
"""Of each thread, as glibc has it: CPython's limits of recursion in C are made for that."""

SITE: Final = "site-packages"
"""The folder of all packages but those of the standard library."""

EPOCH: Final = 946_684_800  # 2000-01-01
YEARS: Final = 20 * 365 * 86400


class Stored(msgspec.Struct, frozen=True):
    """Where the contents of one file are."""

    data: int
    """Offset in the blob."""
    stored: int
    size: int
    """Bytes there, and as they are read."""
    mtime: int
    """Seconds. It follows from the contents, as nothing else of a file is the same everywhere:
    caches compare it to see whether a file has changed."""


class FilesBlob(msgspec.Struct, frozen=True):
    """Step: the contents of *files*, one after the other, each packed where that is smaller."""

    files: tuple[InsideFile, ...]
    """Those with data."""
    kind = "files"

    def key(self) -> tuple[object, ...]:
        """Return the contents, by their hashes, in order."""
        return CACHE_VERSION, [_sha256(file) for file in self.files]

    def make(self, folder: Path, ctx: Context) -> None:
        """Pack them.

        Raises:
            ToolError: one in the cache has been changed.
        """
        contents = [_contents(file) for file in self.files]
        for file, data in zip(self.files, contents, strict=True):
            if file.sha256 and hashlib.sha256(data).hexdigest() != file.sha256:
                raise damaged(ctx.store.entry_of(file.source), f"{file.source.name} has changed")
        unique = [*dict.fromkeys(contents)]
        places: dict[bytes, Stored] = {}
        with Path(folder, "blob").open("wb") as blob, ThreadPoolExecutor(cpus()) as pool:
            for data, packed in zip(unique, pool.map(_packed, unique), strict=True):
                mtime = EPOCH + zlib.crc32(data) % YEARS
                places[data] = Stored(blob.tell(), len(packed), len(data), mtime)
                blob.write(packed)
        table = [places[data] for data in contents]
        Path(folder, "table.json").write_bytes(msgspec.json.encode(table))

    def load(self, folder: Path) -> tuple[Path, tuple[Stored, ...]]:
        """Return the blob and where each file is in it."""
        table = (folder / "table.json").read_bytes()
        return folder / "blob", msgspec.json.decode(table, type=tuple[Stored, ...])


def link_input(
    files: Iterable[InsideFile],
    modules: Sequence[FrozenModule],
    script: str,
    ctx: Context,
    *,
    interprets: bool = True,
    traces: bool = False,
) -> LinkInput:
    """Return *files* and the functions that serve them.

    Args:
        files: All that are inside; those of a module name it.
        modules: The frozen modules, in the order of their code (``frozen.included_code``).
        script: The path of the program's script, below the prefix.
        ctx: Builds the blob.
        interprets: Whether the program is an interpreter for its children.
        traces: Whether the program notes the files that it uses.
    """
    table = rows(files)
    blobs, places = packed(table, ctx)
    text = table_text(table, places, modules, [f"{one.parent.name}/{one.name}" for one in blobs])
    sources = (
        "start.h", "files.h", "files_wrap.h", "lz4_block.h", "main_with_files.c", "relro.c",
        "files.c", "files_tree.c", "files_paths.c", "files_changes.c", "files_directories.c",
        "files_module.c", "files_current.c", "files_zones.c",
        "trace.h", *(["trace.c"] if traces else []), *libc.SOURCES,
    )  # fmt: skip
    return LinkInput(
        sources=(
            *(csrc.source(name) for name in sources),
            CSource(
                "program.h",
                f"#define INTERPRETS {int(interprets)}\n#define TRACES {int(traces)}\n",
            ),
            CSource("files_table.s", text, is_changing=True),
            CSource("script.c", f'const char program_script[] = "/{PREFIX}/{script}";\n'),
        ),
        include=tuple({one.parent.parent: None for one in blobs}),
        wraps=(*WRAPPED, MAPS_ZONES, *libc.WRAPPED, "Py_GetArgcArgv"),
        inittab={"_onebin": "PyInit__onebin"},
        stack_bytes=STACK_BYTES,
    )


def stored_bytes(files: Iterable[InsideFile], modules: int, ctx: Context) -> int:
    """Return the bytes that *files* take in an executable of so many *modules*, with the table."""
    table = rows(files)
    names = Names()
    for row in table:
        names.place(row.name)
    blobs, _ = packed(table, ctx)
    head = NODE_BYTES * len(table) + MODULE_BYTES * modules
    return sum(one.stat().st_size for one in blobs) + len(names.data()) + head


def packed(table: Sequence[Row], ctx: Context) -> tuple[list[Path], dict[str, Stored]]:
    """Return the blobs of the files of *table*, which follow each other, and where each file is.

    A package is a blob: after a change in one file only that of its package is packed again.
    """
    firsts: dict[str, str] = {}
    groups: dict[str, list[InsideFile]] = {}
    same: dict[str, str] = {}
    for file in (row.file for row in table if row.file is not None and row.file.kind == "data"):
        same[file.path] = first = firsts.setdefault(_sha256(file), file.path)
        if first == file.path:
            groups.setdefault(_package(file.path), []).append(file)
    blobs: list[Path] = []
    places: dict[str, Stored] = {}
    start = 0
    steps = [FilesBlob(tuple(group)) for group in groups.values()]
    built = []
    with ThreadPoolExecutor(cpus()) as pool:
        for done, one in enumerate(pool.map(ctx.build, steps), 1):
            built.append(one)
            ctx.progress.report("packing files", done=done, total=len(steps))
    for group, (blob, stored) in zip(groups.values(), built, strict=True):
        for file, one in zip(group, stored, strict=True):
            places[file.path] = msgspec.structs.replace(one, data=start + one.data)
        blobs.append(blob)
        start += blob.stat().st_size
    return blobs, {path: places[first] for path, first in same.items()}


def _package(path: str) -> str:
    """Return the folder of the package at *path*: all of the standard library is one."""
    parts = path.split("/")
    depth = parts.index(SITE) + 2 if SITE in parts else 2
    return "/".join(parts[:depth])


def table_text(
    table: Sequence[Row],
    places: Mapping[str, Stored],
    modules: Sequence[FrozenModule],
    blobs: Iterable[str],
) -> str:
    """Return the assembly of *table* and of the table of *modules*, with *blobs*; see files.h."""
    names = Names()
    # The code of all modules is one run of bytes: frozen.included_code.
    starts = itertools.accumulate((module.size for module in modules), initial=0)
    numbers = {
        module.name: (n, start)
        for (n, module), start in zip(enumerate(modules), starts, strict=False)
    }
    nodes: dict[str, int] = {}
    lines = ['.section .rodata.files,"a",@progbits', ".balign 4"]
    lines += [".globl file_nodes", "file_nodes:"]
    for number, row in enumerate(table):
        lines.append(f".long {', '.join(map(str, _row(row, names, places, modules, numbers)))}")
        if row.file is not None and row.file.module:
            nodes[row.file.module] = number
    lines += [".globl file_modules", "file_modules:"]
    in_c = {row.file.module for row in table if row.file and row.file.kind == "extension"}
    listed = sorted(name for name in nodes if name in numbers or name in in_c)
    for name in listed:
        code = "0, 0, 0"
        if name not in in_c:
            n, start = numbers[name]
            code = f"{start}, {modules[n].size}, {int(modules[n].is_package)}"
        lines.append(f".long {names.place(name)}, {nodes[name]}, {code}")
    lines += _counted("file_node_count", len(table)) + _counted("file_module_count", len(listed))
    escaped = "".join(map(OCTAL.__getitem__, names.data()))
    lines += [".globl file_names", "file_names:", f'.ascii "{escaped}"']
    lines += [".globl file_data", "file_data:", *(f'.incbin "{blob}"' for blob in blobs)]
    lines.append('.section .note.GNU-stack,"",@progbits')
    return "\n".join([*lines, ""])


def _counted(name: str, count: int) -> list[str]:
    return [f".globl {name}", f"{name}: .long {count}"]


def _row(
    row: Row,
    names: Names,
    places: Mapping[str, Stored],
    modules: Sequence[FrozenModule],
    numbers: Mapping[str, tuple[int, int]],
) -> tuple[object, ...]:
    """Return the fields of ``struct file_node``."""
    head = names.place(row.name), row.parent
    file = row.file
    if file is None:
        return *head, KINDS["directory"], row.first, row.children, 0, 0, EPOCH
    if file.kind == "interpreter":
        return *head, KINDS["interpreter"], 0, 0, 0, 0, EPOCH
    if file.kind == "extension":
        return *head, KINDS["plain"], 0, 0, 0, 0, EPOCH
    if file.kind == "code":
        n, place = numbers[file.module]
        size = PYC_HEAD + _code_size(modules[n])
        return *head, KINDS["code"], 0, size, place, modules[n].size, EPOCH
    found = places[file.path]
    kind = KINDS["packed" if found.stored < found.size else "plain"]
    return *head, kind, 0, found.size, found.data, found.stored, found.mtime


def _code_size(module: FrozenModule) -> int:
    with module.code.open("rb") as file:
        head = file.read(HEADER.size)
    return HEADER.unpack(head)[1] if head[:1] == bytes([MARK]) else module.size


def _sha256(file: InsideFile) -> str:
    if file.text is not None:
        return hashlib.sha256(file.text.encode()).hexdigest()
    return file.sha256 or sha256_of(file.source)


def _contents(file: InsideFile) -> bytes:
    return file.source.read_bytes() if file.text is None else file.text.encode()


def _packed(data: bytes) -> bytes:
    packed = lz4.block.compress(data, mode="high_compression", compression=LEVEL, store_size=False)
    return packed if len(packed) < len(data) else data
