"""Do what stdin says, in the folder it names, and print what came of each thing."""

import errno
import glob
import json
import mmap
import os
import pathlib
import shutil
import socket
import sys


def described(found):
    return [oct(found.st_mode & 0o170000), found.st_size if not found.st_mode & 0o40000 else 0]


def opened(path, flags, dir_fd=None):
    file = os.open(path, flags, dir_fd=dir_fd)
    try:
        return described(os.fstat(file))
    finally:
        os.close(file)


def below_descriptor(folder, path):
    at = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        return [
            described(os.stat(path, dir_fd=at)),
            os.access(path, os.R_OK, dir_fd=at),
            opened(path, os.O_RDONLY, dir_fd=at),
            sorted(os.listdir(at)),
        ]
    finally:
        os.close(at)


def from_directory(folder, path):
    before = os.getcwd()
    os.chdir(folder)
    try:
        seen = os.getcwd()
        try:
            return [seen, described(os.stat(path)), sorted(os.listdir(".")), os.path.realpath(path)]
        except OSError as exc:
            return [seen, errno.errorcode[exc.errno]]
    finally:
        os.chdir(before)


def mapped(path):
    with open(path, "rb") as file, mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ) as view:
        return view[:].hex()


def sent(path):
    left, right = socket.socketpair()
    with open(path, "rb") as file, left, right:
        count = os.sendfile(left.fileno(), file.fileno(), 0, 100)
        return right.recv(100).hex() if count else ""


def moved(path):
    """Two descriptors of one file share their place in it; a third has its own."""
    with open(path, "rb", buffering=0) as file:
        other = os.dup(file.fileno())
        file.read(2)
        rest = os.read(other, 5).hex()
        os.close(other)
        return [rest, os.lseek(file.fileno(), -1, os.SEEK_END), file.read().hex()]


def walked(path, seen=os.walk):
    return sorted([row[0], sorted(row[1]), sorted(row[2])] for row in seen(path))


def entries(path):
    with os.scandir(path) as found:
        return sorted([e.name, e.is_dir(), e.is_file(), e.is_symlink()] for e in found)


READS = {
    "read": lambda path: pathlib.Path(path).read_bytes().hex(),
    "stat": lambda path: described(os.stat(path)),
    "lstat": lambda path: described(os.lstat(path)),
    "open": lambda path: opened(path, os.O_RDONLY),
    "open path": lambda path: opened(path, os.O_PATH),
    "open directory": lambda path: opened(path, os.O_RDONLY | os.O_DIRECTORY),
    "open no link": lambda path: opened(path, os.O_RDONLY | os.O_NOFOLLOW),
    "listdir": lambda path: sorted(os.listdir(path)),
    "entries": entries,
    "walk": walked,
    "fwalk": lambda path: walked(path, os.fwalk),
    "readlink": os.readlink,
    "realpath": os.path.realpath,
    "strict": lambda path: str(pathlib.Path(path).resolve(strict=True)),
    "exists": os.path.exists,
    "kinds": lambda path: [os.path.isfile(path), os.path.isdir(path), os.path.islink(path)],
    "access": lambda path: [os.access(path, mode) for mode in (os.F_OK, os.R_OK)],
    "mmap": mapped,
    "sendfile": sent,
    "seek": moved,
    "glob": lambda path: sorted(glob.glob(glob.escape(path) + "/**", recursive=True)),
    "copied": lambda path: pathlib.Path(shutil.copy2(path, "/tmp/inside-copy")).stat().st_size,
    "xattr": os.listxattr,
}
WRITES = {
    "write": lambda path: opened(path, os.O_WRONLY),
    "append": lambda path: opened(path, os.O_WRONLY | os.O_APPEND),
    "truncate": lambda path: opened(path, os.O_RDWR | os.O_TRUNC),
    "create": lambda path: opened(path, os.O_WRONLY | os.O_CREAT),
    "exclusive": lambda path: opened(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL),
    "mkdir": os.mkdir,
    "unlink": os.unlink,
    "rmdir": os.rmdir,
    "rename": lambda path: os.rename(path, path + "x"),
    "rename in": lambda path: os.rename("/tmp/inside-copy", path),
    "chmod": lambda path: os.chmod(path, 0o600),
    "utime": lambda path: os.utime(path),
    "symlink": lambda path: os.symlink("x", path),
    "link": lambda path: os.link("/tmp/inside-copy", path),
    "truncated": lambda path: os.truncate(path, 0),
}


def outcome(what, arguments):
    try:
        return what(*arguments)
    except OSError as exc:
        return errno.errorcode[exc.errno]
    except (ValueError, RuntimeError) as exc:
        return type(exc).__name__


def main():
    both = {"below": below_descriptor, "from": from_directory}
    things = READS | WRITES | both
    for line in sys.stdin:
        name, *arguments = json.loads(line)
        print(json.dumps(outcome(things[name], arguments), default=str))
    return 0
