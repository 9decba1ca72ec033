"""C that only some programs need: modules over libraries, extensions' imports, C++."""

import re
from collections.abc import Callable, Iterable, Sequence
from typing import Final

import msgspec

from onebin.distributions import deciding, install
from onebin.effects.context import Context
from onebin.errors import ToolError
from onebin.link.interpreter import BuildInterpreter, CompilingInterpreter
from onebin.link.probe import Probe
from onebin.model import (
    BuiltLibrary,
    BuiltModule,
    CPython,
    Distribution,
    Extension,
    Interpreter,
    LinkInput,
    Plan,
    Runtime,
    Toolchain,
)
from onebin.runtime import build as runtime
from onebin.runtime import modules, sealing
from onebin.runtime.recipe import recipe
from onebin.runtime.toolchain import CxxLibraries, toolchain

MISSING_MODULE: Final = re.compile(r"No module named '([\w.]+)'")
"""Python's words for an import that nothing provides."""

UNLOADABLE: Final = re.compile(r"^(\S+) cannot be loaded: (.+)", re.MULTILINE)
"""The probe's words."""


def probe(
    plan: Plan, python: CPython, made: Sequence[Distribution], compiler: Toolchain, ctx: Context
) -> dict[str, tuple[str, ...]]:
    """Load each C extension once; with CPython's modules over libraries only if one needs them."""
    extensions = tuple(item for one in made for item in one.extensions)
    if not extensions:
        return {}
    with ctx.progress.stage("probe") as stage:
        every = runtime.link_input(python.runtime, python.runtime.builtins)
        step = Probe(
            modules=tuple(item.module for item in extensions),
            parts=every + install.link_input(extensions) + cxx(extensions, compiler, ctx),
            code=tuple(one.code for one in made),
            code_keys=tuple(one.key for one in made),
            interpreter=python.interpreter,
            toolchain=compiler,
        )
        try:
            found = ctx.build(step)
        except ToolError as exc:
            missing = MISSING_MODULE.search(exc.detail)
            if missing is None or missing[1] not in python.runtime.library_modules:
                raise _unloadable(exc, made) from exc
            names = tuple(python.runtime.library_modules)
            over = library_modules(plan, python.runtime, names, ctx)
            more = modules.link_input(over, python.runtime, compiler)
            try:
                found = ctx.build(msgspec.structs.replace(step, parts=step.parts + more))
            except ToolError as again:
                raise _unloadable(again, made) from again
        stage.summary = f"{sum(map(len, found.values()))} imports made from C"
    return found


def _unloadable(error: ToolError, made: Sequence[Distribution]) -> ToolError:
    """Return *error* of the probe in words of the project: which module, and Python's reason."""
    found = UNLOADABLE.search(error.detail)
    if found is None:
        return error
    of = {item.module: one.pin for one in made for item in one.extensions}
    hint = "choose another version or package"
    if found[1] in of:
        hint = (
            "choose another version; or, if it has a pure form and may be slower: "
            f"{deciding.silence(of[found[1]])}"
        )
    return ToolError(f"{found[1]}: its C code cannot be loaded: {found[2]}", hint=hint)


def library_modules(
    plan: Plan, python: Runtime, names: Iterable[str], ctx: Context
) -> tuple[BuiltModule, ...]:
    """Make CPython's C modules *names*, which need libraries.

    They get no program's profile: every program shares them.
    """
    compiler = plain_compiler(plan, ctx)
    level = recipe(plan.project.options.optimize).level
    return modules.build(names, python, compiler, level, plan.zlib, ctx)


def compiling(python: CPython, compiler: Toolchain, ctx: Context) -> CPython:
    """Return *python*, which runs here, with the interpreter that compiles modules."""
    every = runtime.link_input(python.runtime, python.runtime.builtins)
    step = CompilingInterpreter(interpreter=python.interpreter, parts=every, toolchain=compiler)
    return msgspec.structs.replace(python, compiling=ctx.build(step))


def build_interpreter(
    python: CPython, compiler: Toolchain, ctx: Context
) -> Callable[[Sequence[Distribution]], Interpreter]:
    """Return a function that makes the interpreter of build back ends, sealed from the machine.

    It gets the distributions whose C extensions a back end imports.
    """
    made: dict[tuple[str, ...], Interpreter] = {}

    def make(tools: Sequence[Distribution]) -> Interpreter:
        key = tuple(tool.key for tool in tools)
        if key not in made:
            extensions = tuple(item for tool in tools for item in tool.extensions)
            every = runtime.link_input(python.runtime, python.runtime.builtins)
            step = BuildInterpreter(
                interpreter=python.interpreter,
                parts=every + install.link_input(extensions) + cxx(extensions, compiler, ctx),
                hidden=sealing.MACHINE,
                toolchain=compiler,
            )
            made[key] = ctx.build(step)
        return made[key]

    return make


def plain_compiler(plan: Plan, ctx: Context) -> Toolchain:
    """Return the compiler of what programs share: without a profile, without counters."""
    return toolchain(plan.toolchain, plan.machine, ctx, build_machine=plan.build_machine)


def libraries(
    plan: Plan, names: Sequence[str], compiler: Toolchain, ctx: Context
) -> tuple[BuiltLibrary, ...]:
    """Make the C libraries *names* and all they need, for extensions, in link order."""
    every = modules.with_needs(names, plan.machine)
    if not every:
        return ()
    plain = compiler
    if plan.profile or plan.instrumented:  # every program shares them
        plain = plain_compiler(plan, ctx)
    return modules.build_libraries(every, plan.machine, plain, plan.zlib, ctx)


def cxx(extensions: Sequence[Extension], compiler: Toolchain, ctx: Context) -> LinkInput:
    """Return C++'s libraries if one of *extensions* is C++."""
    return ctx.build(CxxLibraries(compiler)) if install.needs_cxx(extensions) else LinkInput()
