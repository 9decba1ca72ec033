"""Step per module: its packed bytecode and its imports; modules are compiled in batches."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from typing import Any, Final

import msgspec

from onebin.effects.context import Context
from onebin.effects.process import cpus
from onebin.effects.store import key_of
from onebin.model import FrozenModule, Interpreter, ModuleImports, ModuleOrigin

from .code_packing import CACHE_VERSION, compress

COMPILE_SCRIPTS: Final = tuple(
    Path(__file__).parent.parent / "target" / f"{name}.py"
    for name in ("compile_modules", "computed", "conditions", "imports", "nodes", "syntax", "uses")
)
"""The program, and the modules it imports."""

DIGEST: Final = "sha256"
"""The file with the digest of the others: the interpreter takes these as they are, cut or not."""


@cache
def _scripts() -> tuple[tuple[str, str], ...]:
    return tuple((script.name, script.read_text("utf-8")) for script in COMPILE_SCRIPTS)


class CompileOptions(msgspec.Struct, frozen=True):
    """What all modules of an executable have in common."""

    interpreter: Interpreter
    asserts: bool
    docstrings: bool
    columns: bool
    """Whether tracebacks can point into a line: a tenth of the code."""
    names_of_interest: tuple[str, ...]
    """Names whose mention is reported."""
    scripts: tuple[tuple[str, str], ...] = msgspec.field(default_factory=_scripts)
    """The program that compiles, and the modules it imports: file name and text of each."""


@cache
def _digest(scripts: tuple[tuple[str, str], ...]) -> str:
    return key_of(*scripts)


class Compiler(msgspec.Struct, frozen=True):
    """Step: the program that compiles, compiled itself: that takes half the time of one module."""

    interpreter: Interpreter
    scripts: tuple[tuple[str, str], ...]
    kind = "scripts"

    def key(self) -> tuple[object, ...]:
        """Return the interpreter and the scripts."""
        return CACHE_VERSION, self.interpreter.key, self.scripts

    def make(self, folder: Path, ctx: Context) -> None:
        """Write its files, each with its bytecode, which is valid whatever the dates."""
        package = folder / "onebin" / "target"
        package.mkdir(parents=True)
        for name, text in self.scripts:
            (package / name).write_text(text, "utf-8")
        kept = ["-m", "compileall", "-q", "--invalidation-mode", "unchecked-hash", "-d", "", "."]
        home = {"PYTHONHOME": str(self.interpreter.home), "PYTHONHASHSEED": "0"}
        ctx.run([self.interpreter.python, "-P", "-S", *kept], cwd=folder, env=home)
        (folder / DIGEST).write_text(_contents(folder), "ascii")

    def load(self, folder: Path) -> Path:
        """Return the folder of its package, whose files are as they were made."""
        if _contents(folder) != (folder / DIGEST).read_text("ascii"):
            raise ValueError("a file of the compiling program has changed")
        return folder


def _contents(folder: Path) -> str:
    """Return a digest of all files in *folder* but that of this digest."""
    found = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.name != DIGEST:
            found.update(b"%s\0%d\0" % (bytes(path.relative_to(folder)), path.stat().st_size))
            found.update(path.read_bytes())
    return found.hexdigest()


class CompiledModule(msgspec.Struct, frozen=True):
    """Step: one module's code and imports."""

    name: str
    origin: ModuleOrigin
    options: CompileOptions
    kind = "module"

    def key(self) -> tuple[object, ...]:
        """Return the source, by its hash, and all that compiles it."""
        options, origin = self.options, self.origin
        data = origin.path.read_bytes() if origin.text is None else origin.text.encode()
        return (
            CACHE_VERSION,
            options.interpreter.key,
            _digest(options.scripts),
            options.names_of_interest,
            (options.asserts, options.docstrings, options.columns),
            (self.name, origin.label, origin.is_package),
            hashlib.sha256(data).hexdigest(),
        )

    def make(self, folder: Path, ctx: Context) -> None:
        """Compile this module alone."""
        with ctx.store.scratch() as scratch:
            (batched,) = _batch([self], scratch, ctx)
            batched.make(folder, ctx)

    def load(self, folder: Path) -> FrozenModule:
        """Return the module; its imports are read from ``imports.json``."""
        code = folder / "code"
        imports = msgspec.json.decode((folder / "imports.json").read_bytes(), type=ModuleImports)
        size = code.stat().st_size
        return FrozenModule(self.name, self.origin.is_package, code, size, folder.name, imports)


class Batched(msgspec.Struct, frozen=True):
    """Step: the same module, compiled already with others."""

    step: CompiledModule
    code: bytes
    """Packed; empty if the module does not compile."""
    imports: Mapping[str, Any]
    """A ``ModuleImports`` as JSON has it."""
    kind = "module"

    def key(self) -> tuple[object, ...]:
        """Return the module's own key."""
        return self.step.key()

    def make(self, folder: Path, _: Context) -> None:
        """Write both."""
        (folder / "imports.json").write_text(json.dumps(self.imports), "utf-8")
        (folder / "code").write_bytes(self.code)

    def load(self, folder: Path) -> FrozenModule:
        """Return the module."""
        return self.step.load(folder)


def compile_modules(
    origins: Mapping[str, ModuleOrigin], options: CompileOptions, ctx: Context
) -> dict[str, FrozenModule]:
    """Return the modules of *origins*, which all have source; one process compiles the new ones."""
    steps = [CompiledModule(name, origin, options) for name, origin in origins.items()]
    found = {step.name: ctx.store.get(step) for step in steps}
    missing = [step for step in steps if found[step.name] is None]
    if missing:
        ctx.progress.report(f"compiling {len(missing)} modules")
        with ctx.store.scratch() as scratch:
            found |= {module.name: module for module in ctx.put(_batch(missing, scratch, ctx))}
    return {name: module for name, module in found.items() if module is not None}


def _batch(steps: Iterable[CompiledModule], scratch: Path, ctx: Context) -> list[Batched]:
    """Compile *steps*, which share their options, into *scratch*."""
    steps = list(steps)
    options = steps[0].options
    modules = []
    for n, step in enumerate(steps):
        path = step.origin.path
        if step.origin.text is not None:
            path = scratch / f"{n}.py"
            path.write_text(step.origin.text, "utf-8")
        modules.append(
            {
                "name": step.name,
                "path": str(path),
                "label": step.origin.label,
                "package": step.origin.is_package,
            }
        )
    request = {
        "asserts": options.asserts,
        "docstrings": options.docstrings,
        "out": str(scratch),
        "names_of_interest": options.names_of_interest,
        "modules": modules,
    }
    program = options.scripts[0][0].removesuffix(".py")
    compiler = ctx.build(Compiler(options.interpreter, options.scripts))
    columns = () if options.columns else ("-X", "no_debug_ranges")
    printed = ctx.run(
        [options.interpreter.python, "-P", "-S", *columns, "-m", f"onebin.target.{program}"],
        env={
            "PYTHONHOME": str(options.interpreter.home),
            "PYTHONPATH": str(compiler),
            "PYTHONHASHSEED": "0",
            "PYTHONDONTWRITEBYTECODE": "1",
        },
        stdin=json.dumps(request).encode(),
    )
    with ThreadPoolExecutor(cpus()) as pool:
        codes = pool.map(_packed, [scratch / str(n) for n in range(len(steps))])
    return [
        Batched(step, code, imports)
        for step, code, imports in zip(steps, codes, json.loads(printed), strict=True)
    ]


def _packed(code: Path) -> bytes:
    return compress(code.read_bytes() if code.exists() else b"")
