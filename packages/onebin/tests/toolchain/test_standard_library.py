"""The graph of the whole standard library, against the interpreter that imports it."""

import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from onebin import inputs, pipeline
from onebin.embed.compile import CompileOptions, compile_modules
from onebin.model import ModuleImports, ModuleOrigin
from onebin.selection import cpython
from onebin.selection.finder import Finder
from onebin.selection.import_graph import build_graph
from onebin.tools import Tools

pytestmark = pytest.mark.toolchain

PROJECTS = Path(__file__).parent.parent / "projects"
NOT_MODULES = {"test", "tests", "site-packages", "idlelib", "__pycache__"}


def module_names(stdlib: Path) -> list[str]:
    """Names of all modules of the standard library that have source."""
    names = []
    for path in sorted(stdlib.rglob("*.py")):
        parts = path.relative_to(stdlib).with_suffix("").parts
        parts = parts[:-1] if parts[-1] == "__init__" else parts
        if parts and not NOT_MODULES & {*parts} and all(part.isidentifier() for part in parts):
            names.append(".".join(parts))
    return names


def test_module_said_to_fail_fails() -> None:
    """Modules that the graph takes for failing end with an exception in the real interpreter."""
    tools = Tools.for_this_machine()
    project = inputs.find(PROJECTS / "facts").project()
    python = pipeline.prepare(project, tools).python
    interpreter = python.interpreter
    stdlib = interpreter.stdlib
    given = {
        "__main__": ModuleOrigin("source", text=""),
        **{name: ModuleOrigin("source", stdlib / file) for name, file in cpython.BOOTSTRAP.items()},
    }
    builtins = {*python.runtime.builtins, *python.runtime.library_modules}
    finder = Finder(Path("/nowhere"), (), stdlib, builtins, given)
    options = CompileOptions(
        interpreter, asserts=True, docstrings=False, columns=False, names_of_interest=()
    )

    def analyze(origins: Mapping[str, ModuleOrigin]) -> Mapping[str, ModuleImports]:
        compiled = compile_modules(origins, options, tools.context)
        return {name: module.imports for name, module in compiled.items()}

    def imports(name: str) -> bool:
        call = [str(interpreter.python), "-S", "-c", f"import {name}"]
        env = {"PYTHONHOME": str(interpreter.home)}
        return subprocess.run(call, env=env, capture_output=True, check=False).returncode == 0

    names = module_names(stdlib)
    failures = build_graph(
        names, finder.locate, analyze, cpython.NATIVE_IMPORTS, lambda *_: ""
    ).importability.failures

    assert "asyncio.windows_events" in failures
    assert [] == [name for name in failures if imports(name)]
