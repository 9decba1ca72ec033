"""Steps: CPython linked again, to run build back ends and to compile modules.

Back ends import C extensions of build requirements (cffi's, numpy's), and a static interpreter
loads no shared object: they are linked in. It does not see the machine's headers and libraries.
"""

from pathlib import Path
from typing import Final

import msgspec

from onebin.effects import csrc
from onebin.effects.context import Context
from onebin.model import CSource, Interpreter, LinkInput, Toolchain

from .linker import CFLAGS, OPTIONS, contents, link
from .probe import MAIN

CACHE_VERSION: Final = 1
"""Raised when this module links something else from the same inputs: part of the key."""

WRAPS: Final = (
    "stat", "lstat", "fstatat", "access", "faccessat", "opendir", "readlink", "readlinkat", "open",
    "openat",
)  # fmt: skip
"""Functions of libc that ``csrc/sealed.c`` replaces."""


PYTHON: Final = "python"

STRINGS: Final = ("strchr", "memchr")
"""Functions of libc that ``csrc/libc_strings.c`` replaces."""


class CompilingInterpreter(msgspec.Struct, frozen=True, kw_only=True):
    """Step: *interpreter*, reading source four times as fast.

    The compiler's own ``strchr`` measures the whole rest of a text, which CPython's tokenizer
    passes to it for each line.
    """

    interpreter: Interpreter
    parts: LinkInput
    """CPython with all its C modules, without a ``main``."""
    toolchain: Toolchain
    main: CSource = MAIN
    strings: CSource = csrc.source("libc_strings.c")
    options: tuple[str, ...] = OPTIONS
    cflags: tuple[str, ...] = CFLAGS
    kind = "interpreter"

    def key(self) -> tuple[object, ...]:
        """Return all that is linked, by contents."""
        return (
            CACHE_VERSION, self.interpreter.key, contents(self.parts), self.toolchain.key,
            self.main, self.strings, self.options, self.cflags,
        )  # fmt: skip

    def make(self, folder: Path, ctx: Context) -> None:
        """Link it."""
        ctx.progress.report("linking the interpreter that compiles modules")
        own = LinkInput(sources=(self.main, self.strings), wraps=STRINGS)
        _link(self, own, folder, ctx)

    def load(self, folder: Path) -> Interpreter:
        """Return it; home and standard library are those of CPython's build."""
        return _linked(self, folder)


class BuildInterpreter(msgspec.Struct, frozen=True, kw_only=True):
    """Step: *interpreter* with other parts, and with folders of the machine hidden."""

    interpreter: Interpreter
    """Its standard library is imported."""
    parts: LinkInput
    """CPython with all its C modules, and extensions, without a ``main``."""
    hidden: tuple[str, ...]
    """Folders that it does not see."""
    toolchain: Toolchain
    main: CSource = MAIN
    sealed: CSource = csrc.source("sealed.c")
    options: tuple[str, ...] = OPTIONS
    cflags: tuple[str, ...] = CFLAGS
    kind = "interpreter"

    def key(self) -> tuple[object, ...]:
        """Return all that is linked, by contents."""
        return (
            CACHE_VERSION, self.interpreter.key, contents(self.parts), self.hidden,
            self.toolchain.key, self.main, self.sealed, self.options, self.cflags,
        )  # fmt: skip

    def make(self, folder: Path, ctx: Context) -> None:
        """Link it."""
        ctx.progress.report("linking the interpreter of build back ends")
        names = "".join(f'    "{name}",\n' for name in self.hidden)
        table = CSource(
            "sealed.h", f"static const char *const onebin_hidden[] = {{\n{names}    0\n}};\n"
        )
        own = LinkInput(sources=(self.main, self.sealed, table), wraps=WRAPS)
        _link(self, own, folder, ctx)

    def load(self, folder: Path) -> Interpreter:
        """Return it; home and standard library are those of CPython's build."""
        return _linked(self, folder)


def _link(
    step: CompilingInterpreter | BuildInterpreter, own: LinkInput, folder: Path, ctx: Context
) -> None:
    with ctx.store.scratch() as scratch:
        link(
            own + step.parts, step.toolchain, folder / PYTHON, scratch,
            options=step.options, cflags=step.cflags, run=ctx.run,
        )  # fmt: skip


def _linked(step: CompilingInterpreter | BuildInterpreter, folder: Path) -> Interpreter:
    return msgspec.structs.replace(step.interpreter, python=folder / PYTHON, key=folder.name)
