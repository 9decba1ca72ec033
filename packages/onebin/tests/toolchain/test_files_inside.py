"""Files inside an executable, held against the same files in a folder of this machine."""

import json
import random
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from onebin import inputs, pipeline
from onebin.embed.files import ESCAPES, WRAPPED
from onebin.model import DEFAULT_SERIES
from onebin.objects import relocatable
from onebin.tools import Tools

from .conftest import PROJECTS, Build

pytestmark = pytest.mark.toolchain

INSIDE: Final = f"/onebin/lib/python{DEFAULT_SERIES}/site-packages/inside/data"
DATA: Final = PROJECTS / "inside" / "src" / "inside" / "data"
FILES: Final = [str(file.relative_to(DATA)) for file in sorted(DATA.rglob("*"))]
FOLDERS: Final = [".", *(name for name in FILES if (DATA / name).is_dir())]
PARTS: Final = [
    ".", "..", "", "none", "a" * 256, *sorted({part for name in FILES for part in name.split("/")}),
]  # fmt: skip
READS: Final = [
    "read", "stat", "lstat", "open", "open path", "open directory", "open no link", "listdir",
    "entries",
    "walk", "fwalk", "readlink", "realpath", "strict", "exists", "kinds", "access", "mmap",
    "sendfile", "seek", "glob", "copied",
]  # fmt: skip
WRITES: Final = [
    "write", "append", "truncate", "create", "exclusive", "mkdir", "unlink", "rmdir", "rename",
    "rename in", "chmod", "utime", "symlink", "link", "truncated",
]  # fmt: skip
MAKE_NEW: Final = {"exclusive", "mkdir", "symlink", "link", "rename in"}

# Each example is one process that does hundreds of things: a failing one is short enough.
seeds = settings(max_examples=4, phases=[Phase.explicit, Phase.generate])


def a_path(chance: random.Random) -> str:
    """A path that stays in its folder: above it, a disk and the executable differ."""
    while True:
        if chance.random() < 0.4:
            return chance.choice(FILES)
        parts = chance.choices(PARTS, k=chance.randint(0, 5))
        depths = [0]
        for part in parts:
            step = 0 if part in {"", "."} else -1 if part == ".." else 1
            depths.append(depths[-1] + step)
        if min(depths) == 0:
            return "/".join(parts)


def results(program: Path, rows: Sequence[Sequence[str]]) -> list[Any]:
    """What came of each of *rows*, all in one process."""
    text = "".join(f"{json.dumps(row)}\n" for row in rows)
    done = subprocess.run([program], input=text.encode(), capture_output=True, check=True)
    return [json.loads(line) for line in done.stdout.splitlines()]


@seeds
@given(st.integers())
def test_reading_is_as_on_a_disk(build: Build, tmp_path: Path, seed: int) -> None:
    """The same result or the same errno, for any path that stays in the folder."""
    chance = random.Random(seed)
    rows: list[tuple[str, ...]] = []
    for _ in range(400):
        rows.append((chance.choice(READS), a_path(chance)))
        path = a_path(chance)
        rows.append((chance.choice(["below", "from"]), chance.choice(FOLDERS), path))
    copy = shutil.copytree(DATA, tmp_path / "copy", dirs_exist_ok=True)

    def below(folder: str) -> list[Any]:
        whole = [(what, f"{folder}/{first}", *more) for what, first, *more in rows]
        found = json.dumps(results(build("inside"), whole))
        return list(json.loads(found.replace(folder, "ROOT")))

    for row, disk, inside in zip(rows, below(str(copy)), below(INSIDE), strict=True):
        assert (row, disk) == (row, inside)


@seeds
@given(st.integers())
@pytest.mark.claim("files inside stay")
def test_nothing_inside_changes(build: Build, seed: int) -> None:
    """Each change fails; of a file that is there, because the file system is read-only."""
    chance = random.Random(seed)
    rows = [(chance.choice(WRITES), f"{INSIDE}/{a_path(chance)}") for _ in range(300)]
    kept = [("walk", INSIDE), ("read", f"{INSIDE}/a.txt")]

    found = results(build("inside"), [*kept, *rows, *kept])

    assert found[:2] == found[-2:]
    for (what, path), result in zip(rows, found[2:-2], strict=True):
        assert result in {"EROFS", "EEXIST", "EISDIR", "ENOENT", "ENOTDIR", "ENAMETOOLONG"}
        if path == f"{INSIDE}/a.txt" and what not in MAKE_NEW:
            assert "EROFS" == result, what


OF_LIBC: Final = frozenset(
    """
    open openat creat fopen freopen opendir fdopendir readdir readdir_r closedir rewinddir telldir
    seekdir dirfd scandir nftw ftw glob stat lstat fstat fstatat statx access faccessat euidaccess
    eaccess statfs fstatfs statvfs pathconf readlink readlinkat realpath canonicalize_file_name
    chdir fchdir getcwd getwd get_current_dir_name mkdir mkdirat mkfifo mkfifoat mknod mknodat
    symlink symlinkat link linkat unlink unlinkat rmdir remove rename renameat renameat2 chmod
    fchmod fchmodat lchmod chown fchown lchown fchownat truncate utime utimes futimes futimens
    lutimes utimensat chroot mount umount umount2 pivot_root acct swapon setxattr lsetxattr
    getxattr lgetxattr listxattr llistxattr removexattr lremovexattr name_to_handle_at
    inotify_add_watch fanotify_mark dlopen execl execlp execle execv execve execvp execvpe
    fexecve execveat posix_spawn posix_spawnp system popen shm_open shm_unlink sem_open sem_unlink
    mq_open mkstemp mkostemp mkdtemp mktemp tmpfile tempnam open64 fopen64 stat64 lstat64
    fstat64 fstatat64 readdir64 truncate64 statvfs64 statfs64 creat64 openat64
    """.split()  # noqa: SIM905  (a list would be 200 lines)
)
"""POSIX.1-2024 and the Linux manual pages: functions of a path, a directory, or a mark."""


def undefined(archive: bytes) -> set[str]:
    """The names that the objects of *archive* take from elsewhere."""
    found = set()
    place = 8
    while place < len(archive):
        size = int(archive[place + 48 : place + 58])
        member = archive[place + 60 : place + 60 + size]
        place += 60 + size + size % 2
        if not relocatable.is_relocatable(member):
            continue
        head = relocatable.HEADER.unpack_from(member)
        sections = [
            relocatable.Section(*relocatable.SECTION.unpack_from(member, head[6] + n * head[11]))
            for n in range(head[12])
        ]
        for section in sections:
            if section.type != relocatable.SHT_SYMTAB:
                continue
            names = sections[section.link].offset
            for start in range(0, section.size, relocatable.SYMBOL.size):
                symbol = relocatable.Symbol(
                    *relocatable.SYMBOL.unpack_from(member, section.offset + start)
                )
                if symbol.section == relocatable.SHN_UNDEF:
                    begin = names + symbol.name
                    found.add(member[begin : member.index(b"\0", begin)].decode())
    return found


def test_every_function_of_a_path_is_served_or_has_its_reason(build: Build) -> None:
    """What CPython and its libraries call: a new call of another function shows here."""
    build("inside")
    tools = Tools.for_this_machine()
    ready = pipeline.prepare(inputs.find(PROJECTS / "inside").project(), tools)
    archives = ready.python.runtime.archives

    called = set().union(*(undefined(archive.read_bytes()) for archive in archives))

    assert {"open", "stat", "readdir", "execve"} <= called
    assert set() == (called & OF_LIBC) - {*WRAPPED, *ESCAPES}


@pytest.mark.parametrize("name", ["json\\0", "json\\0.tool", "\\0", "json.tool\\0x", "\\ud800"])
def test_name_that_no_file_can_have_is_no_module(build: Build, name: str) -> None:
    """The error is CPython's."""
    code = f"try: __import__('{name}')\nexcept ModuleNotFoundError as error: print(ascii(error))"
    done = subprocess.run(
        ["/onebin/bin/python3", "-c", f"import json\n{code}"],
        executable=build("inside"), capture_output=True, check=True,
    )  # fmt: skip

    assert done.stdout.startswith(b"ModuleNotFoundError(")


WALK = """
import json, os, subprocess, sys, threading

NOW = "import os; print(os.getcwd(), 'ONEBIN_CURRENT' in os.environ)"

def child(place):
    done = subprocess.run([sys.executable, "-c", NOW], cwd=place, capture_output=True, check=True)
    return done.stdout.decode().removesuffix(" False\\n")

def other(place):
    done = subprocess.run(["/bin/pwd"], cwd=place, env={}, capture_output=True, check=True)
    return done.stdout.decode().strip()

def spawned(place):
    reader, writer = os.pipe()
    os.chdir(place)
    out = [(os.POSIX_SPAWN_DUP2, writer, 1)]
    os.posix_spawn(sys.executable, ["x", "-c", NOW], {}, file_actions=out)
    os.wait()
    return os.read(reader, 10_000).decode().removesuffix(" False\\n")

def forked(place):
    reader, writer = os.pipe()
    if os.fork() == 0:
        before = os.getcwd()
        os.chdir(place)
        os.write(writer, json.dumps([before, os.getcwd()]).encode())
        os._exit(0)
    os.wait()
    return json.loads(os.read(reader, 10_000))

def both(place):
    found = []
    threads = [threading.Thread(target=lambda: found.append(child(place))) for _ in range(3)]
    for thread in threads: thread.start()
    for thread in threads: thread.join()
    return found

for line in sys.stdin:
    what, place = json.loads(line)
    does = {"chdir": os.chdir, "child": child, "forked": forked, "both": both, "other": other,
            "spawned": spawned}
    found = does[what](place)
    print(json.dumps([found, os.getcwd()]))
"""


@seeds
@given(st.integers())
def test_directory_of_a_child_is_its_own(build: Build, tmp_path: Path, seed: int) -> None:
    """By vfork and by fork, from threads as well; another program begins in the last real one."""
    chance = random.Random(seed)
    inside = ["/onebin/bin", f"/onebin/lib/python{DEFAULT_SERIES}", INSIDE]
    places = ["/", "/usr", str(tmp_path), *inside]
    rows = [
        (
            chance.choice(["chdir", "child", "forked", "both", "other", "spawned"]),
            chance.choice(places),
        )
        for _ in range(25)
    ]
    done = subprocess.run(
        ["/onebin/bin/python3", "-c", WALK], executable=build("inside"), cwd="/",
        input="".join(f"{json.dumps(row)}\n" for row in rows).encode(),
        capture_output=True, check=True,
    )  # fmt: skip

    here = real = "/"
    for (what, place), line in zip(rows, done.stdout.splitlines(), strict=True):
        began = real if place in inside else place
        before = here
        if what in {"chdir", "spawned"}:
            here, real = place, began
        found = {
            "chdir": None, "child": place, "forked": [before, place], "both": [place] * 3,
            "other": began, "spawned": place,
        }  # fmt: skip
        assert [what, place, [found[what], here]] == [what, place, json.loads(line)]


def test_module_has_the_spec_that_a_search_of_the_path_finds(build: Build) -> None:
    """Tools compare the two to know whether a name means the module that is imported."""
    code = (
        "import inside, json.decoder, sys; from importlib.machinery import PathFinder; "
        "print([PathFinder.find_spec(name, path) == sys.modules[name].__spec__ for name, path in "
        "(('inside', None), ('json', None), ('json.decoder', json.__path__))])"
    )
    done = subprocess.run(
        ["/onebin/bin/python3", "-c", code],
        executable=build("inside"), capture_output=True, check=True,
    )  # fmt: skip

    assert b"[True, True, True]\n" == done.stdout


def test_each_module_has_a_spec_and_a_loader(build: Build) -> None:
    """But the code of -c, as in CPython."""
    code = (
        "import inside, sys; print([name for name, module in sys.modules.items() "
        "if not (module.__spec__ and module.__loader__)])"
    )
    done = subprocess.run(
        ["/onebin/bin/python3", "-c", code],
        executable=build("inside"), capture_output=True, check=True,
    )  # fmt: skip

    assert b"['__main__']\n" == done.stdout


def test_no_module_is_compiled_when_the_program_starts(build: Build) -> None:
    """A module that is imported before the importer is there would be found as source."""
    code = (
        "import sys; print([name for name, module in sys.modules.items() "
        "if type(getattr(module, '__loader__', 0)).__name__ == 'SourceFileLoader'])"
    )
    done = subprocess.run(
        ["/onebin/bin/python3", "-c", f"import inside; {code}"],
        executable=build("inside"), capture_output=True, check=True,
    )  # fmt: skip

    assert b"[]\n" == done.stdout
