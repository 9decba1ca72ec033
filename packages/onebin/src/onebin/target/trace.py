"""Note each module that is imported or run: ``onebin build --trace``.

Frozen as ``_onebin_trace``, and run after the importer, only in an executable that is made to be
traced. Each note is a line in the file that the variable ``ONEBIN_TRACE`` names; ``trace.c``
notes files there.
"""

import _frozen_importlib as bootstrap
import posix

import _onebin_importer as importer

TYPE_CHECKING = False
if TYPE_CHECKING:  # typing would cost a start 8 ms
    import types
    from typing import Any


def note(name: str) -> None:
    """Note the module *name*."""
    note_line(b"m " + name.encode("utf-8", "surrogatepass"))


def note_line(line: bytes) -> None:
    """Write *line* at once: a process may be killed at any time."""
    target = posix.environ.get(b"ONEBIN_TRACE")
    if target is None:
        return
    try:
        file = posix.open(target, posix.O_WRONLY | posix.O_APPEND | posix.O_CLOEXEC)
    except OSError:
        return
    posix.write(file, line + b"\n")
    posix.close(file)


def follow_imports() -> None:
    """Note each module that an import finds, in C or in Python."""
    system: Any = bootstrap
    search = system._find_and_load_unlocked

    def _find_and_load_unlocked(name: str, import_: "Any") -> "Any":
        module = search(name, import_)
        note(name)
        return module

    own = _find_and_load_unlocked.__code__
    _find_and_load_unlocked.__code__ = own.replace(co_filename=search.__code__.co_filename)
    system._find_and_load_unlocked = _find_and_load_unlocked


def follow_code() -> None:
    """Note each module whose code is taken: by an import, or to run it as ``-m`` does."""
    for loader in (importer.SourceLoader, importer.CodeLoader):

        def get_code(
            self: "Any", fullname: str, take: "Any" = loader.get_code
        ) -> "types.CodeType | None":
            note(fullname)
            code: types.CodeType | None = take(self, fullname)
            return code

        loader.get_code = get_code


follow_imports()
follow_code()
