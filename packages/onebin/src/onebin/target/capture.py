"""Stand in for the linker of a C extension: join its objects into one relocatable object.

Called by the compiler wrapper as ``capture.py ZIG ARGUMENT…`` for every ``-shared`` link.
The output file that the build back end packs as ``name.cpython-….so`` is then an ET_REL
object; its ``-l`` libraries are added to the file ONEBIN_LIBRARIES names.

Runs as a separate program with the interpreter that runs onebin: standard library only.
"""

import os
import subprocess
import sys
from collections.abc import Iterable

IGNORED_LIBRARIES = {"c", "m", "pthread", "dl", "util", "rt", "crypt", "gcc", "gcc_s"}
"""Part of musl's libc.a or of the compiler: always linked."""

CXX_LIBRARIES = {"stdc++", "c++", "c++abi", "unwind"}
"""Libraries of C++ by any compiler's name: one library here, which onebin has."""

TAKES_VALUE = {"-o", "-z", "-Xlinker", "-rpath", "-soname", "-install_name", "-T", "-u", "-arch",
               "-target", "-MF", "-MT", "-I", "-D", "-U", "-isystem", "-idirafter", "-iquote",
               "-include", "-imacros", "-isysroot"}  # fmt: skip


def parse(arguments: Iterable[str]) -> tuple[str, list[str], list[str], list[str]]:
    """Return the output file, the inputs in order, the library folders and the libraries."""
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
        elif word in TAKES_VALUE:
            next(words)
        elif word.startswith("-L"):
            folders.append(word[2:])
        elif word.startswith("-l"):
            libraries.append(word[2:])
        elif not word.startswith("-"):
            inputs.append(word)
    named = ["c++" if name in CXX_LIBRARIES else name for name in libraries]
    wanted = [name for name in dict.fromkeys(named) if name not in IGNORED_LIBRARIES]
    return output, inputs, folders, wanted


def sources(inputs: Iterable[str]) -> list[str]:
    """Return what among *inputs* is still to be compiled."""
    return [name for name in inputs if name.endswith((".c", ".cc", ".cpp", ".cxx", ".s", ".S"))]


def main() -> None:
    """Join, or fail as a linker fails."""
    zig, *arguments = sys.argv[1:]
    output, inputs, folders, libraries = parse(arguments)
    if found := sources(inputs):
        sys.exit(f"onebin: compiling and linking {found[0]} in one step cannot be captured")
    # Groups are templates and inline functions that each C++ file brings; left open, the
    # final link would keep one module's and drop those another refers to.
    joined = [zig, "ld.lld", "-r", "--force-group-allocation", "-o", output, *inputs]
    # An archive gives only the members that earlier objects need, as in any link.
    joined += [f"-L{folder}" for folder in folders]
    done = subprocess.run(joined, check=False)
    if done.returncode == 0:
        with open(os.environ["ONEBIN_LIBRARIES"], "a", encoding="utf-8") as file:
            file.writelines(name + "\n" for name in libraries)
    sys.exit(done.returncode)


if __name__ == "__main__":
    main()
