"""Step: what each C extension imports when it is loaded, found by loading it once.

No source shows these imports. A probe is an interpreter for the target with the extensions
linked in; it reads everything else from files.
"""

from pathlib import Path
from typing import Final

import msgspec

from onebin.effects.context import Context
from onebin.model import CSource, Interpreter, LinkInput, Toolchain

from .linker import CFLAGS, OPTIONS, contents, link

CACHE_VERSION: Final = 1
"""Raised when this module probes something else: part of the key."""

MAIN: Final = CSource(
    "main.c",
    """\
#include <Python.h>
int main(int argc, char **argv) { return Py_BytesMain(argc, argv); }
""",
)

# Compiled Python reads the file of its module while that is made: one is named, as in an
# executable (target/importer.py).
# Its packages are imported with it: their imports are needed in any case. A module that no
# distribution has is absent under pip as well; one of CPython is what this build must provide,
# but Tk's, which no executable has: then the extension cannot be imported there.
SCRIPT: Final = """\
import importlib.machinery, sys
name = sys.argv[1]
builtin = importlib.machinery.BuiltinImporter
class Loader(importlib.machinery.ExtensionFileLoader):
    create_module = staticmethod(builtin.create_module)
    exec_module = staticmethod(builtin.exec_module)
class Extensions:
    @staticmethod
    def find_spec(fullname, path=None, target=None):
        top, last = fullname.partition(".")[0], fullname.rpartition(".")[2]
        if not builtin.find_spec(fullname) or top in sys.stdlib_module_names:
            return None
        file = f"{[*(path or sys.path)][0]}/{last}{importlib.machinery.EXTENSION_SUFFIXES[0]}"
        spec = importlib.machinery.ModuleSpec(fullname, Loader(fullname, file), origin=file)
        spec.has_location = True
        return spec
sys.meta_path.insert(0, Extensions)
before = set(sys.modules)
try:
    importlib.import_module(name)
except Exception as exc:
    absent = exc.name if isinstance(exc, ModuleNotFoundError) else None
    top = (absent or "").partition(".")[0]
    if not top or (top in sys.stdlib_module_names and top not in ("tkinter", "_tkinter")):
        sys.exit(f"{name} cannot be loaded: {type(exc).__name__}: {exc}")
print(*sorted(set(sys.modules) - before - {name}))
"""


class Probe(msgspec.Struct, frozen=True, kw_only=True):
    """Step: the imports of *modules*, which *parts* contain."""

    modules: tuple[str, ...]
    parts: LinkInput
    """CPython with all its C modules and the extensions, without a ``main``."""
    code: tuple[Path, ...]
    """Folders that modules are imported from; ``code_keys`` name their contents."""
    code_keys: tuple[str, ...]
    interpreter: Interpreter
    """Its standard library is imported."""
    toolchain: Toolchain
    runner: tuple[str, ...] = ()
    """Command that runs a program of the target here; empty if this machine is one."""
    main: CSource = MAIN
    script: str = SCRIPT
    options: tuple[str, ...] = OPTIONS
    cflags: tuple[str, ...] = CFLAGS
    kind = "imports"

    def key(self) -> tuple[object, ...]:
        """Return all that is linked, by contents, and all that is imported."""
        return (
            CACHE_VERSION, self.modules, contents(self.parts), self.code_keys,
            self.interpreter.key, self.toolchain.key, self.runner, self.main, self.script,
            self.options, self.cflags,
        )  # fmt: skip

    def make(self, folder: Path, ctx: Context) -> None:
        """Link the probe and let it load each module.

        Raises:
            ToolError: a module cannot be loaded.
        """
        ctx.progress.report("loading the C extensions once")
        with ctx.store.scratch() as scratch:
            probe = scratch / "probe"
            parts = LinkInput(sources=(self.main,)) + self.parts
            link(
                parts, self.toolchain, probe, scratch,
                options=self.options, cflags=self.cflags, run=ctx.run,
            )  # fmt: skip
            path = ":".join(map(str, [*self.code, self.interpreter.stdlib]))
            # Code of dependencies runs here: it does not get the caller's home.
            env = {
                "PYTHONHOME": str(self.interpreter.home), "PYTHONPATH": path,
                "HOME": str(scratch), "TMPDIR": str(scratch),
            }  # fmt: skip
            found = {}
            for module in self.modules:
                argv = [*self.runner, str(probe), "-S", "-P", "-c", self.script, module]
                found[module] = ctx.run(argv, cwd=scratch, env=env).decode().split()
        (folder / "imports.json").write_bytes(msgspec.json.encode(found))

    def load(self, folder: Path) -> dict[str, tuple[str, ...]]:
        """Return module -> modules."""
        data = (folder / "imports.json").read_bytes()
        return msgspec.json.decode(data, type=dict[str, tuple[str, ...]])
