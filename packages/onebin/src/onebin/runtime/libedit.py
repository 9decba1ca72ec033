"""libedit, whose files of a history are limited and continued as those of GNU readline are."""

from typing import Final

from onebin.model import Source

from .library import AUTOCONF, Command, Library, Patch

LIBEDIT: Final = Source(
    name="libedit",
    version="20250104-3.1",
    sha256="23792701694550a53720630cd1cd6167101b5773adddcb4104f7345b73a568ac",
    url="https://thrysoee.dk/editline/libedit-20250104-3.1.tar.gz",
    debian_file="libedit_3.1-20250104.orig.tar.gz",
)

COOKIE_SIZE: Final = r"""
/* A file without its first line is refused when it is read: EINVAL. */
static off_t
cookie_size(FILE *fp)
{
    static const char cookie[] = "_HiStOrY_V2_\n";
    char begin[sizeof(cookie) - 1];

    rewind(fp);
    if (fread(begin, sizeof(begin), (size_t)1, fp) != 1 ||
        memcmp(begin, cookie, sizeof(begin)) != 0)
        return 0;
    return (off_t)sizeof(begin);
}
"""

HISTORY_FILES: Final = {
    # The copy needs no folder: there may be no /tmp to write to.
    "#include <sys/stat.h>\n": "#include <sys/mman.h>\n#include <sys/stat.h>\n",
    'static const char _history_tmp_template[] = "/tmp/.historyXXXXXX";\n': COOKIE_SIZE,
    "\tchar template[sizeof(_history_tmp_template)];\n": "",
    "\tstrcpy(template, _history_tmp_template);\n": "",
    "mkstemp(template)": 'memfd_create("history", MFD_CLOEXEC)',
    "out2:\n\tunlink(template);\nout1:": "out2:\nout1:",
    # No line at all may be left.
    "if(*cp != '\\n')\n\t\tcp++;\n\tfor(;;) {": (
        "if(*cp != '\\n' || nlines <= 0)\n\t\tcp++;\n\twhile (nlines > 0) {"
    ),
    "fseeko(fp, (off_t)0, SEEK_SET)": "fseeko(fp, cookie_size(fp), SEEK_SET)",
    "if((off = ftello(fp)) > 0)": "if((off = ftello(fp)) >= 0)",
    # musl begins at 0: the first line would come a second time, as a line of the history.
    'fopen(filename, "a")) == NULL)\n\t\treturn errno;\n': (
        'fopen(filename, "a")) == NULL)\n\t\treturn errno;\n'
        "\t(void)fseeko(fp, (off_t)0, SEEK_END);\n"
    ),
}
"""Of ``readline.c``."""


def libedit() -> Library:
    """Return its recipe."""
    flags = "-Os -DNDEBUG -D__STDC_ISO_10646__=201103L -I{needs}/include"  # musl is ISO 10646
    settings = (f"CFLAGS={flags}", "LDFLAGS=-L{needs}/lib", "LIBS=-lncursesw")
    return Library(
        name="libedit",
        source=LIBEDIT,
        license="BSD-3-Clause",
        steps=(
            Patch("src/readline.c", HISTORY_FILES),
            # Its configure knows the library by this name alone.
            Command(("ln", "-s", "libncursesw.a", "{needs}/lib/libncurses.a")),
            Command((*AUTOCONF, "--disable-examples", *settings)),
            Command(("make", "-j{jobs}", "-C", "src")),
        ),
        headers=(("src/editline/readline.h", "editline"), ("src/histedit.h", "")),
        archives=("src/.libs/libedit.a",),
        programs=("make",),
        needs=("ncurses",),
    )
