"""The programs of this machine that a build back end finds: file tools, shells and make.

Not its compilers, ``pkg-config`` and ``…-config``, which know this machine's libraries, nor
programs that write code, of any version.
"""

import os
import shlex
import shutil
from pathlib import Path
from typing import Final

PATH: Final = f"{os.defpath}:/usr/sbin:/sbin"
"""Where they are; the caller's own PATH must not matter."""

NAMES: Final = """
    awk basename cat chgrp chmod chown cksum cmp comm cp cut date dd df diff dirname du echo ed
    env expand expr false find fold getconf grep head iconv id join kill ln logname ls mkdir
    mkfifo mv nice nl nohup od paste patch pathchk pr printf ps pwd readlink realpath rm rmdir
    sed sh sleep sort split tail tar tee test time timeout touch tr true tsort tty uname uniq wc
    xargs [
    bash bunzip2 bzip2 dash egrep fgrep file gawk gunzip gzip hostname install make mawk md5sum
    mktemp nproc perl seq sha1sum sha256sum shuf stat unxz unzip which whoami xz xzcat yes zcat
"""
"""POSIX.1-2024, Shell and Utilities, as far as builds use them; then, in the last two lines, what
configure scripts, makefiles and libtool call beside."""


MAKE: Final = """\
#!/bin/sh
# Tests of a library in a source are its authors' work, and take longer than the rest.
tests=
for word do
    shift
    case $word in
    check | test | tests) tests=$word ;;
    *) set -- "$@" "$word" ;;
    esac
done
goal=
for word do
    case $word in
    -* | *=*) ;;
    *) goal=$word ;;
    esac
done
if [ "$tests" ] && [ -z "$goal" ]; then
    echo "make $tests: left out"
    exit
fi
exec {make} "$@"
"""


def links(folder: Path) -> Path:
    """Fill the new *folder* with links to those that this machine has, and return it.

    ``make`` leaves goals out that only test.
    """
    folder.mkdir()
    for name in NAMES.split():
        if not (found := shutil.which(name, path=PATH)):
            continue
        if name == "make":
            (folder / name).write_text(MAKE.replace("{make}", shlex.quote(found)), "utf-8")
            (folder / name).chmod(0o755)
        else:
            (folder / name).symlink_to(found)
    return folder
