"""How CPython and zlib are configured and compiled, as values: all of it is part of the key."""

from typing import Final, Literal

import msgspec

Optimize = Literal["speed", "balanced", "size"]

# Results of configure's tests that run programs or inspect the machine: fixed, so that a
# container, a virtual machine and a laptop configure the same CPython, and a foreign processor
# needs no emulator.
CONFIGURE_CACHE: Final = {
    "ac_cv_file__dev_ptmx": "yes",
    "ac_cv_file__dev_ptc": "no",
    "ac_cv_buggy_getaddrinfo": "no",
    # "yes" would hash strings with FNV, which an attacker can collide, and not with SipHash.
    "ac_cv_aligned_required": "no",
    "ac_cv_working_tzset": "yes",
    "ac_cv_posix_semaphores_enabled": "yes",
    "ac_cv_broken_sem_getvalue": "no",
    "ac_cv_broken_poll": "no",
    "ac_cv_broken_nice": "no",
    "ac_cv_broken_mbstowcs": "no",
    "ac_cv_have_chflags": "no",
    "ac_cv_have_lchflags": "no",
    "ac_cv_tanh_preserves_zero_sign": "yes",
    "ac_cv_wchar_t_signed": "yes",
    "ac_cv_rshift_extends_sign": "yes",
    "ac_cv_computed_gotos": "yes",
    "ac_cv_pthread_system_supported": "yes",
    "ac_cv_little_endian_double": "yes",
    "ac_cv_big_endian_double": "no",
    "ac_cv_mixed_endian_double": "no",
}

# Modules without a use in a static executable: CPython's own tests and examples.
DISABLED_MODULES: Final = (
    "_testinternalcapi", "_testcapi", "_testbuffer", "_testimportmultiple", "_testmultiphase",
    "_testsinglephase", "_testexternalinspection", "_testclinic", "_testclinic_limited",
    "_testlimitedcapi", "_ctypes_test", "_xxtestfuzz", "xxsubtype", "xxlimited", "xxlimited_35",
)  # fmt: skip

PRUNED_STDLIB: Final = (
    "test",
    "idlelib",
    "tkinter",
    "turtledemo",
    "ensurepip",
    "venv",
    "__pycache__",
)
"""Parts of the standard library that are never frozen: tests, windows, installers."""

HOT: Final = tuple(
    f"{name}.o"
    for name in (
        "Python/ceval", "Python/ceval_gil", "Python/gc", "Python/getargs", "Python/frame",
        "Python/specialize", "Python/errors",
        "Objects/abstract", "Objects/bytesobject", "Objects/call", "Objects/classobject",
        "Objects/descrobject", "Objects/dictobject", "Objects/funcobject", "Objects/genobject",
        "Objects/listobject", "Objects/longobject", "Objects/methodobject", "Objects/object",
        "Objects/obmalloc", "Objects/tupleobject", "Objects/typeobject",
    )
)  # fmt: skip
"""Compiled with -O2 in a balanced build: any Python program spends its time there."""

COLD: Final = tuple(
    f"{name}.o"
    for name in (
        "Parser/parser", "Python/Python-ast", "Python/ast", "Python/ast_opt",
        "Python/ast_preprocess", "Python/ast_unparse", "Python/compile", "Python/flowgraph",
        "Python/symtable", "Python/assemble", "Python/initconfig", "Python/preconfig",
        "Python/pylifecycle", "Python/sysmodule", "Modules/_decimal/_decimal",
        "Modules/_datetimemodule", "Modules/posixmodule", "Modules/arraymodule",
    )
)  # fmt: skip
"""Compiled with -Oz in a balanced build: large, and run once or seldom."""


ZLIB_FILES: Final = (
    "adler32.c", "compress.c", "crc32.c", "deflate.c", "infback.c", "inffast.c", "inflate.c",
    "inftrees.c", "trees.c", "uncompr.c", "zutil.c",
)  # fmt: skip
"""All of zlib except its functions for files: CPython has its own."""

WITHOUT_DOCS: Final = "--without-doc-strings"
"""For pruned programs alone: docstrings of functions in C are also their signatures, which
``inspect.signature``, ``help`` and what builds on them need."""

CONFIGURE: Final = (
    "--prefix=/usr", "--disable-shared", "--disable-test-modules", "--without-ensurepip",
    WITHOUT_DOCS, "--with-computed-gotos",
    # An allocator for builds without the GIL: never called in this one.
    "--without-mimalloc",
)  # fmt: skip

MAKE: Final = ("MODULE_BINASCII_CFLAGS=",)
"""configure gives binascii the CRC of zlib, which would link zlib into every program."""


class Recipe(msgspec.Struct, frozen=True, kw_only=True):
    """The settings of one build of CPython and zlib."""

    level: str
    """The compiler's ``-O``."""
    object_levels: dict[str, tuple[str, ...]]
    """Other levels, each with the objects compiled so."""
    zlib_level: str
    configure: tuple[str, ...] = CONFIGURE
    configure_cache: dict[str, str] = msgspec.field(default_factory=lambda: dict(CONFIGURE_CACHE))
    make: tuple[str, ...] = MAKE
    disabled_modules: tuple[str, ...] = DISABLED_MODULES
    pruned_stdlib: tuple[str, ...] = PRUNED_STDLIB
    zlib_files: tuple[str, ...] = ZLIB_FILES


def recipe(optimize: Optimize, *, has_docs: bool = False) -> Recipe:
    """Return the recipe for the setting ``tool.onebin.optimize``; *has_docs* of a whole program."""
    return Recipe(
        configure=tuple(word for word in CONFIGURE if not (has_docs and word == WITHOUT_DOCS)),
        level="-O2" if optimize == "speed" else "-Os",
        object_levels={"-O2": HOT, "-Oz": COLD} if optimize == "balanced" else {},
        # Programs wait for compression: fast, unless size is all that counts.
        zlib_level="-Os" if optimize == "size" else "-O2",
    )
