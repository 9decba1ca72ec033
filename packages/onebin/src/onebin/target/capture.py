"""Stand in for the linker of a C extension: join its objects into one relocatable object.

Called by the compiler wrapper as ``capture.py ZIG ARGUMENT…`` for every ``-shared`` link.
The output file that the build back end packs as ``name.cpython-….so`` is then an ET_REL
object. The file ONEBIN_LIBRARIES gets a line ``OUTPUT LIBRARY`` for each ``-l`` that is not
joined in: a library of the build itself is, one of onebin's (ONEBIN_PREFIX) is not, since it
is linked once for all extensions.

Runs as a separate program with the interpreter that runs onebin: standard library only.
"""

import os
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator

IGNORED_LIBRARIES = {"c", "m", "pthread", "dl", "util", "rt", "crypt", "resolv", "xnet", "gcc",
                     "gcc_s", "atomic"}  # fmt: skip
"""Part of musl's libc.a or of the compiler: always linked (EMPTY_LIB_NAMES in musl's Makefile)."""

CXX_LIBRARIES = {"stdc++", "c++", "c++abi", "unwind"}
"""Libraries of C++ by any compiler's name: one library here, which onebin has."""

TAKES_VALUE = {"-o", "-z", "-Xlinker", "-rpath", "-soname", "-install_name", "-T", "-u", "-arch",
               "-target", "-MF", "-MT", "-MQ", "-I", "-D", "-U", "-isystem", "-idirafter",
               "-iquote", "-include", "-imacros", "-isysroot", "-x", "-Xclang",
               "-mllvm"}  # fmt: skip

PASSED_ON = {"--whole-archive", "--no-whole-archive"}
"""Options of linkers that decide which members of the archives behind them are joined."""

SOURCES = (".c", ".cc", ".cpp", ".cxx", ".s", ".S")

ET_REL = b"\x01\x00"


def expanded(arguments: Iterable[str]) -> Iterator[str]:
    """Yield *arguments* with the contents of response files (``@FILE``) in their place."""
    for word in arguments:
        if word.startswith("@") and os.path.isfile(word[1:]):
            with open(word[1:], encoding="utf-8") as file:
                yield from expanded(shlex.split(file.read()))
        else:
            yield word


def parse(arguments: Iterable[str]) -> tuple[str, list[str], list[str], list[str]]:
    """Return the output file, the inputs in order, the library folders and the libraries.

    Among the inputs are options of ``PASSED_ON``, and the libraries as ``-lNAME``, each at its
    place.
    """
    output = "a.out"
    inputs: list[str] = []
    folders: list[str] = []
    libraries: list[str] = []
    words = iter(arguments)
    for word in words:
        if word == "-o":
            output = next(words)
        elif word in {"-L", "-l"}:
            (folders if word == "-L" else libraries).append(next(words))
            inputs += [f"-l{libraries[-1]}"] if word == "-l" else []
        elif word.startswith("-Wl,"):
            inputs += [item for item in word.split(",") if item in PASSED_ON]
        elif word == "-Xlinker":
            inputs += [item for item in (next(words),) if item in PASSED_ON]
        elif word in TAKES_VALUE:
            next(words)
        elif word.startswith("-L"):
            folders.append(word[2:])
        elif word.startswith("-l"):
            libraries.append(word[2:])
            inputs.append(word)
        elif not word.startswith("-"):
            inputs.append(word)
    return output, inputs, folders, libraries


def joined(inputs: Iterable[str], folders: Iterable[str]) -> tuple[list[str], list[str]]:
    """Return *inputs* with the libraries that *folders* have as files, and those they lack."""
    found: list[str] = []
    wanted: list[str] = []
    for word in inputs:
        if not word.startswith("-l"):
            found.append(word)
        elif file := _library(word[2:], folders):
            found.append(file)
        else:
            wanted.append(word[2:])
    named = ["c++" if name in CXX_LIBRARIES else name for name in wanted]
    return found, [name for name in dict.fromkeys(named) if name not in IGNORED_LIBRARIES]


def _library(name: str, folders: Iterable[str]) -> str:
    """Return the file of the library *name* in one of *folders*; empty if none has it.

    A shared library of the same build is a relocatable object too.
    """
    names = [name[1:]] if name.startswith(":") else [f"lib{name}.a", f"lib{name}.so"]
    for folder in folders:
        for file in (os.path.join(folder, item) for item in names):
            if os.path.isfile(file) and (file.endswith(".a") or _is_relocatable(file)):
                return file
    return ""


def _is_relocatable(file: str) -> bool:
    with open(file, "rb") as stream:
        head = stream.read(18)
    return head[:4] == b"\x7fELF" and head[16:18] == ET_REL


def compiled(inputs: Iterable[str], arguments: Iterable[str], folder: str) -> list[str]:
    """Return *inputs* with each source compiled into *folder*, with the options of *arguments*."""
    inputs = list(inputs)
    used = {*inputs, "-shared"}
    options = _options(arguments, used)
    made = []
    for n, word in enumerate(inputs):
        if not word.endswith(SOURCES):
            made.append(word)
            continue
        file = os.path.join(folder, f"{n}.o")
        done = subprocess.run(
            [os.environ["ONEBIN_COMPILER"], *options, "-c", word, "-o", file], check=False
        )
        if done.returncode:
            sys.exit(done.returncode)
        made.append(file)
    return made


def _options(arguments: Iterable[str], used: set[str]) -> list[str]:
    """Return the options of the compilation among *arguments*: not those of the link."""
    options: list[str] = []
    words = iter(arguments)
    for word in words:
        if word in {"-o", "-L", "-l", "-Xlinker", "-z", "-MF", "-MT", "-MQ"}:
            next(words)
        elif word in TAKES_VALUE:
            options += [word, next(words)]
        elif word not in used and not word.startswith(("-Wl,", "-L", "-l", "-M")):
            options.append(word)
    return options


def main() -> None:
    """Join, or fail as a linker fails."""
    zig, *arguments = sys.argv[1:]
    arguments = list(expanded(arguments))
    output, inputs, folders, _ = parse(arguments)
    prefix = os.environ.get("ONEBIN_PREFIX", "")
    own = [folder for folder in folders if not (prefix and _is_below(folder, prefix))]
    found, libraries = joined(inputs, own)
    with tempfile.TemporaryDirectory() as scratch:
        objects = compiled(found, arguments, scratch)
        # Groups are templates and inline functions that each C++ file brings; left open, the
        # final link would keep one module's and drop those another refers to.
        # An archive gives only the members that earlier objects need, as in any link.
        call = [zig, "ld.lld", "-r", "--force-group-allocation", "-o", output, *objects]
        done = subprocess.run(call, check=False)
    if done.returncode == 0:
        with open(os.environ["ONEBIN_LIBRARIES"], "a", encoding="utf-8") as file:
            file.writelines(f"{os.path.basename(output)} {name}\n" for name in libraries)
    sys.exit(done.returncode)


def _is_below(folder: str, prefix: str) -> bool:
    return os.path.realpath(folder).startswith(os.path.realpath(prefix))


if __name__ == "__main__":
    main()
