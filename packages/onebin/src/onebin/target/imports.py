"""The imports of a module, as blocks of statements: when each of them runs.

A block is a list of nodes, in the order of the source:

    ["import", module, [name, …], kind]        kind is hard (runs when the module is imported,
                                               and fails it), soft (runs then, or may fail) or
                                               late (runs in a function)
    ["raise", text, is_import_error]           ends the block
    ["branch", [block, …]]                     one of the blocks runs; an empty one: perhaps none
    ["function", block]                        runs later, if at all
    ["try", body, caught, rest, orelse, final, may_raise]
        caught     handler of a failed import; null if that is not caught
        rest       handlers of other exceptions
        may_raise  whether caught may run although every import of the body succeeds
"""

import ast
import encodings
from collections.abc import Iterable
from encodings import aliases
from typing import Any

from onebin.target.conditions import UNKNOWN, Conditions
from onebin.target.nodes import PASSED_OVER
from onebin.target.syntax import (
    IMPORT_CALLS,
    IMPORT_ERRORS,
    as_list,
    catches,
    catches_only_imports,
    first_text,
    is_load,
    last_name,
    listed_names,
    may_fail_otherwise,
)

COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
ABSTRACT = (ast.expr_context, ast.operator, ast.unaryop, ast.cmpop, ast.boolop)
LEAVES = frozenset({ast.Constant, *(kind for base in ABSTRACT for kind in base.__subclasses__())})
"""Nodes without a name of a module: half of all."""
MAKES_NAMES = {"globals", "vars", "locals", "exec", "eval", "setattr", "__dict__", "modules",
               "_convert_", "__getattr__", "meta_path"}  # fmt: skip
"""A module with one of these may have attributes that no statement binds."""
MAX_FOUND = 200
"""Names of modules of one finder: its author's own aliases are a few."""


class ImportCollector(ast.NodeVisitor):
    """Collect a module's imports, codecs, bound names and mentions."""

    def __init__(
        self, name: str, *, package: bool, asserts: bool, names_of_interest: frozenset[str]
    ) -> None:
        self.names_of_interest, self.mentions = names_of_interest, set[str]()
        self.name, self.package = name, package
        self.block: list[Any] = []
        self.codecs = set[str]()
        self.binds = set[str]()
        self.makes, self.finds = set[str](), set[str]()
        self.deferred = False  # inside a function
        self.nested = False  # inside a function or a class: binds nothing of the module
        self.optional = False  # may not run, or may fail
        self.conditions = Conditions(name, asserts=asserts)

    def generic_visit(self, node: ast.AST) -> None:
        """Visit the parts of *node*, in the order of the source."""
        # NodeVisitor's own, by the names of fields, takes twice as long.
        for value in node.__dict__.values():
            kind = value.__class__
            if kind is list:
                for part in value:
                    if isinstance(part, ast.AST):
                        self.visit(part)
            elif kind not in PASSED_OVER and isinstance(value, ast.AST):
                self.visit(value)

    def visit(self, node: ast.AST) -> None:
        """Visit *node*; other modules may import the names it binds."""
        if node.__class__ in LEAVES:
            return
        if isinstance(node, ast.Global):
            self.binds.update(node.names)
        elif not self.nested:
            name = node.id if isinstance(node, ast.Name) and not is_load(node) else None
            # Functions, classes, handlers, captures of a pattern, aliases.
            name = name or getattr(node, "asname", None) or getattr(node, "name", None)
            if isinstance(name, str):
                self.binds.add(name.partition(".")[0])
        if isinstance(node, COMPREHENSIONS):
            self.choose(list(ast.iter_child_nodes(node)), [])
        else:
            super().visit(node)

    def visit_Module(self, node: ast.Module) -> None:
        """Visit all; the names listed in a module that adds a finder may be of that finder."""
        self.generic_visit(node)
        if self.finds:
            self.finds = set(sorted(listed_names(node))[:MAX_FOUND])

    # Imports.

    def visit_Import(self, node: ast.Import) -> None:
        for alias in node.names:
            self.visit(alias)
            self.add(alias.name, [])

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        base = node.module or ""
        if node.level:
            parts = self.name.split(".")
            keep = len(parts) - node.level + (1 if self.package else 0)
            if keep < 1:
                return
            base = ".".join(parts[:keep] + ([base] if base else []))
        self.visit_all(node.names)
        self.add(base, [alias.name for alias in node.names])

    def visit_Call(self, node: ast.Call) -> None:
        called = last_name(node.func)
        text = first_text(node)
        # A name known only at run time must be in tool.onebin.include.
        if called in IMPORT_CALLS and text and not text.startswith("."):
            self.add(text, [])
        if called in {"encode", "decode"} and text:
            self.codec(text)
        owner = last_name(node.func.value) if isinstance(node.func, ast.Attribute) else ""
        if called == "setdefault" and owner == "modules" and text:
            self.makes.add(text)
        for keyword in node.keywords:
            value = keyword.value
            if keyword.arg == "encoding" and isinstance(value, ast.Constant):
                self.codec(str(value.value))
        self.generic_visit(node)

    def codec(self, name: str) -> None:
        """Note the module of ``encodings`` for a codec's name, as ``encodings`` itself finds it."""
        normal = encodings.normalize_encoding(name).lower()
        self.codecs.add(aliases.aliases.get(normal, normal))

    def visit_Attribute(self, node: ast.Attribute) -> None:
        self.mention(node.attr)
        self.generic_visit(node)

    def visit_Name(self, node: ast.Name) -> None:
        self.mention(node.id)

    def mention(self, name: str) -> None:
        """Note *name* if it is one of interest; ``*`` if it may make names of the module."""
        if name in self.names_of_interest:
            self.mentions.add(name)
        if name in MAKES_NAMES:
            self.binds.add("*")
        if name == "meta_path":
            self.finds.add(name)

    def add(self, module: str, names: list[str]) -> None:
        """Note an import at this place."""
        for name in (module, *names):
            self.mention(name)
        kind = "late" if self.deferred else "soft" if self.optional else "hard"
        self.block.append(["import", module, names, kind])

    def visit_Raise(self, node: ast.Raise) -> None:
        self.generic_visit(node)
        if self.deferred:
            return
        raised = node.exc.func if isinstance(node.exc, ast.Call) else node.exc
        # Without a name it raises the handled exception again, mostly a failed import.
        failed = raised is None or last_name(raised) in IMPORT_ERRORS
        self.block.append(["raise", ast.unparse(node), failed])

    def visit_Assign(self, node: ast.Assign) -> None:
        self.generic_visit(node)
        known = self.conditions.known
        for target in node.targets:
            if isinstance(target, ast.Name):
                # Assigned twice, or in a function: no longer known.
                again = target.id in known or self.deferred
                known[target.id] = UNKNOWN if again else self.conditions.evaluate(node.value)
            if isinstance(target, ast.Attribute) and target.attr == "__class__":
                self.binds.add("*")
            # None makes the module's import fail.
            is_none = isinstance(node.value, ast.Constant) and node.value.value is None
            if isinstance(target, ast.Subscript) and not is_none:
                self.make(target)

    def make(self, target: ast.Subscript) -> None:
        """Note the module of an assignment to ``sys.modules["name"]``."""
        key = target.slice
        name = key.value if isinstance(key, ast.Constant) else None
        if isinstance(name, str) and last_name(target.value) == "modules":
            self.makes.add(name)

    # Type parameters (PEP 695) make the interpreter import typing from C.

    def visit_TypeAlias(self, node: ast.AST) -> None:
        self.add("typing", [])
        self.generic_visit(node)

    # Functions.

    def visit_FunctionDef(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        self.visit_all(node.decorator_list)
        if getattr(node, "type_params", None):
            self.add("typing", [])
        if node.name == "__getattr__" and not self.deferred:
            self.binds.add("*")
        # Defaults run when the function is defined; annotations import nothing.
        self.visit(node.args)
        self.defer(node.body)

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> None:
        self.visit_FunctionDef(node)

    def visit_Lambda(self, node: ast.Lambda) -> None:
        self.visit(node.args)
        self.defer([node.body])

    def defer(self, body: Iterable[ast.AST]) -> None:
        """Visit the body of a function."""
        before = self.deferred, self.nested
        self.deferred = self.nested = True
        if block := self.collect(body):
            self.block.append(["function", block])
        self.deferred, self.nested = before

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        if node.decorator_list:
            self.binds.add("*")  # as enum.global_enum does, of re
        before, self.nested = self.nested, True
        if getattr(node, "type_params", None):
            self.add("typing", [])
        self.generic_visit(node)
        self.nested = before

    # Statements and expressions of which a part may not run.

    def visit_If(self, node: ast.If | ast.IfExp) -> None:
        value = self.conditions.evaluate(node.test)
        self.visit(node.test)
        body, orelse = as_list(node.body), as_list(node.orelse)
        if value is UNKNOWN:
            self.choose(body, orelse)
        else:
            self.visit_all(body if value else orelse)

    def visit_IfExp(self, node: ast.IfExp) -> None:
        self.visit_If(node)

    def visit_BoolOp(self, node: ast.BoolOp) -> None:
        self.visit(node.values[0])
        self.choose(node.values[1:], [])

    def visit_For(self, node: ast.For | ast.AsyncFor) -> None:
        self.visit(node.iter)
        self.visit(node.target)
        self.choose(node.body, [])
        self.choose(node.orelse, [])

    def visit_AsyncFor(self, node: ast.AsyncFor) -> None:
        self.visit_For(node)

    def visit_While(self, node: ast.While) -> None:
        self.visit(node.test)
        self.choose(node.body, [])
        self.choose(node.orelse, [])

    def visit_Match(self, node: ast.Match) -> None:
        self.visit(node.subject)
        self.choose(*([case] for case in node.cases), [])

    def choose(self, *bodies: Iterable[ast.AST]) -> None:
        """Visit *bodies*, of which one runs."""
        blocks = [self.collect(body, optional=True) for body in bodies]
        if any(blocks):
            self.block.append(["branch", blocks])

    # Statements that catch a failed import.

    def visit_Try(self, node: ast.Try) -> None:
        catching = [handler for handler in node.handlers if catches(handler.type)]
        first = catching[0] if catching else None
        rest = [handler for handler in node.handlers if handler is not first]
        before, self.optional = self.optional, self.optional or bool(catching)
        body, orelse = self.collect(node.body), self.collect(node.orelse)
        self.optional = before
        caught = self.collect([first], optional=True) if first else None
        blocks = [self.collect([handler], optional=True) for handler in rest]
        other = [["branch", [block, []]] for block in blocks]
        final = self.collect(node.finalbody)
        may_raise = first is not None and (
            not body or not catches_only_imports(first.type) or may_fail_otherwise(node.body)
        )
        if any((body, caught, *blocks, orelse, final)):
            self.block.append(["try", body, caught, other, orelse, final, may_raise])

    def visit_TryStar(self, node: Any) -> None:
        self.visit_Try(node)

    def visit_With(self, node: ast.With | ast.AsyncWith) -> None:
        self.visit_all(node.items)
        calls = [item.context_expr for item in node.items]
        suppressed = [
            argument
            for call in calls
            if isinstance(call, ast.Call) and last_name(call.func) == "suppress"
            for argument in call.args
        ]
        if not suppressed:
            self.visit_all(node.body)
        elif any(map(catches, suppressed)):
            if body := self.collect(node.body, optional=True):
                self.block.append(["try", body, [], [], [], [], False])
        elif body := self.collect(node.body):
            # Another exception may end the body, and what follows runs all the same.
            self.block.append(["try", body, None, [["branch", [[], []]]], [], [], False])

    def visit_AsyncWith(self, node: ast.AsyncWith) -> None:
        self.visit_With(node)

    def collect(self, nodes: Iterable[ast.AST], *, optional: bool = False) -> list[Any]:
        """Visit *nodes* and return their block."""
        outer, self.block = self.block, []
        before, self.optional = self.optional, self.optional or optional
        self.visit_all(nodes)
        found, self.block, self.optional = self.block, outer, before
        return found

    def visit_all(self, nodes: Iterable[ast.AST]) -> None:
        """Visit each of *nodes*."""
        for node in nodes:
            self.visit(node)
