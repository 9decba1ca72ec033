"""Graphs of imports from source texts, read by the program that runs in the target."""

import ast
from collections.abc import Mapping
from typing import Any

import msgspec

from onebin.model import ModuleImports, ModuleOrigin
from onebin.selection.import_graph import ImportGraph, Reachable, build_graph, reachable
from onebin.target import imports


def facts_of(
    name: str, text: str, *, is_package: bool = False, names_of_interest: tuple[str, ...] = ()
) -> ModuleImports:
    collector = imports.ImportCollector(
        name, package=is_package, asserts=True, names_of_interest=frozenset(names_of_interest)
    )
    collector.visit(ast.parse(text))
    found: dict[str, Any] = {
        "imports": collector.block,
        "binds": sorted(collector.binds),
        "makes": sorted(collector.makes),
        "finds": sorted(collector.finds),
        "codecs": sorted(collector.codecs),
        "mentions": sorted(collector.mentions),
    }
    return msgspec.convert(found, ModuleImports)


def graph_of(
    texts: Mapping[str, str],
    *,
    builtins: str = "",
    native: Mapping[str, tuple[str, ...]] = {},
    origin: str = "stdlib",
) -> ImportGraph:
    """Return the graph of modules by name; the parent of another is a package."""
    origins = {
        name: ModuleOrigin(
            "source",
            is_package=any(other.startswith(f"{name}.") for other in texts),
            origin=origin,  # type: ignore[arg-type]
        )
        for name in texts
    }
    origins |= {name: ModuleOrigin("builtin") for name in builtins.split()}

    def analyze(found: Mapping[str, ModuleOrigin]) -> Mapping[str, ModuleImports]:
        return {
            name: facts_of(name, texts[name], is_package=origin.is_package)
            for name, origin in found.items()
        }

    return build_graph(list(origins), origins.get, analyze, native, lambda *_: "")


def reached(graph: ImportGraph, *roots: str) -> Reachable:
    return reachable(roots, graph, lambda *_: "")
