"""Compile modules and list their imports, in the very CPython that will run them.

Run by ``embed/compile.py`` with the static interpreter: bytecode, marshal and grammar belong to
one release, and the interpreter that runs onebin is another. One JSON request on stdin:

    {"asserts": bool, "docstrings": bool, "out": directory, "names_of_interest": [str, …],
     "modules": [{"name": str, "path": str, "label": str, "package": bool}, …]}

The marshaled code of the n-th module goes to ``out/n``; stdout gets a JSON list of facts:

    {"imports": [[module, [name, …], kind, guard, fallback], …], "codecs": [str, …],
     "mentions": [names of interest it contains], "error": str}

``kind`` is ``hard`` (runs when the module is imported, and fails it), ``soft`` (runs then,
under an ``except ImportError``) or ``late`` (runs in a function). ``guard`` numbers the
``try`` around a soft import; ``fallback`` the ``try`` after whose failure an import runs.
"""

import ast
import encodings
import json
import marshal
import operator
import sys
from collections.abc import Callable, Iterable
from encodings import aliases
from typing import Any

# Facts of the target at build time: Linux, POSIX, this release.
FACTS: dict[str, Any] = {
    "os.name": "posix",
    "platform.system()": "Linux",
    "sys.builtin_module_names": sys.builtin_module_names,
    "sys.byteorder": sys.byteorder,
    "sys.implementation.name": "cpython",
    "sys.maxsize": sys.maxsize,
    "sys.platform": "linux",
    "sys.version_info": sys.version_info[:3],
}
COMPARISONS: dict[type[ast.cmpop], Callable[[Any, Any], Any]] = {
    ast.Eq: operator.eq, ast.NotEq: operator.ne, ast.Lt: operator.lt, ast.LtE: operator.le,
    ast.Gt: operator.gt, ast.GtE: operator.ge,
    ast.In: lambda a, b: a in b, ast.NotIn: lambda a, b: a not in b,
}  # fmt: skip
IMPORT_FAILURES = {"ImportError", "ModuleNotFoundError", "Exception", "BaseException"}
UNKNOWN: Any = object()


def main() -> None:
    """Serve the request on stdin."""
    request = json.load(sys.stdin)
    json.dump(
        [compile_one(module, n, request) for n, module in enumerate(request["modules"])], sys.stdout
    )


def compile_one(module: dict[str, Any], number: int, request: dict[str, Any]) -> dict[str, Any]:
    """Compile one module of *request* and return its facts."""
    with open(module["path"], "rb") as file:
        source = file.read()
    try:
        tree = ast.parse(source, module["label"])
        collector = ImportCollector(
            module["name"], package=module["package"], asserts=request["asserts"],
            names_of_interest=frozenset(request["names_of_interest"]),
        )  # fmt: skip
        collector.visit(tree)
        if not request["docstrings"]:
            strip_docstrings(tree)
        code = compile(
            tree, module["label"], "exec", dont_inherit=True,
            optimize=0 if request["asserts"] else 1,
        )  # fmt: skip
    except (SyntaxError, ValueError, RecursionError) as exc:
        return {"imports": [], "codecs": [], "mentions": [], "error": f"{exc}"}
    with open(f"{request['out']}/{number}", "wb") as out:
        out.write(marshal.dumps(code))
    codecs, mentions = sorted(collector.codecs), sorted(collector.mentions)
    return {"imports": collector.imports, "codecs": codecs, "mentions": mentions, "error": ""}


def strip_docstrings(tree: ast.Module) -> None:
    """Drop docstrings, which are never shown; ``__doc__`` becomes None."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            body = node.body
            if ast.get_docstring(node, clean=False) is not None:
                # ``...`` fills a body that would be empty; a second string after the first must
                # not become the docstring.
                first = body[0]
                while body and isinstance(body[0], ast.Expr) and is_string(body[0].value):
                    del body[0]
                if not body and not isinstance(node, ast.Module):
                    filler = ast.Expr(ast.Constant(...))
                    body.append(ast.fix_missing_locations(ast.copy_location(filler, first)))


def is_string(node: ast.AST | None) -> bool:
    """Whether *node* is a literal string."""
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


def dotted(node: ast.AST) -> str | None:
    """``sys.version_info`` as text, or None for anything that is not a dotted name."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        left = dotted(node.value)
        return left and f"{left}.{node.attr}"
    if isinstance(node, ast.Call) and not node.args and not node.keywords:
        left = dotted(node.func)
        return left and f"{left}()"
    return None


class ImportCollector(ast.NodeVisitor):
    """Collect a module's imports, with what must be true for each to matter."""

    def __init__(
        self, name: str, *, package: bool, asserts: bool, names_of_interest: frozenset[str]
    ) -> None:
        self.names_of_interest, self.mentions = names_of_interest, set[str]()
        self.name, self.package, self.asserts = name, package, asserts
        self.imports: list[list[Any]] = []
        self.codecs = set[str]()
        self.deferred = False
        self.guard = 0  # the innermost try whose except catches a failed import
        self.fallback = 0  # the try whose except clause this is
        self.tries = 0
        self.known = dict[str, Any]()  # module-level names with a value known now

    # Imports.

    def visit_Import(self, node: ast.Import) -> None:
        for alias in node.names:
            self.add(alias.name, [])

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        base = node.module or ""
        if node.level:
            parts = self.name.split(".")
            keep = len(parts) - node.level + (1 if self.package else 0)
            if keep < 1:
                return
            base = ".".join(parts[:keep] + ([base] if base else []))
        self.add(base, [alias.name for alias in node.names])

    def visit_Call(self, node: ast.Call) -> None:
        called = str(dotted(node.func) or getattr(node.func, "attr", ""))
        first = node.args[0] if node.args else None
        text = first.value if isinstance(first, ast.Constant) else None
        importing = called.rpartition(".")[2] in {"import_module", "__import__"}
        # A name known only at run time must be in tool.onebin.include.
        if importing and isinstance(text, str) and not text.startswith("."):
            self.add(text, [])
        if called.rpartition(".")[2] in {"encode", "decode"} and isinstance(text, str):
            self.codec(text)
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

    def mention(self, name: str) -> None:
        """Note *name* if it is one of interest."""
        if name in self.names_of_interest:
            self.mentions.add(name)

    def visit_Name(self, node: ast.Name) -> None:
        self.mention(node.id)

    def add(self, module: str, names: list[str]) -> None:
        """Note an import at this place."""
        for name in (module, *names):
            self.mention(name)
        kind = "late" if self.deferred else "soft" if self.guard else "hard"
        self.imports.append([module, names, kind, self.guard, self.fallback])

    def visit_Assign(self, node: ast.Assign) -> None:
        self.generic_visit(node)
        for target in node.targets:
            if isinstance(target, ast.Name):
                # Assigned twice, or in a function: no longer known.
                again = target.id in self.known or self.deferred
                self.known[target.id] = UNKNOWN if again else self.evaluate(node.value)

    # Type parameters (PEP 695) make the interpreter import typing from C.

    def visit_TypeAlias(self, node: ast.AST) -> None:
        self.add("typing", [])
        self.generic_visit(node)

    # What surrounds an import.

    def visit_FunctionDef(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        for decorator in node.decorator_list:
            self.visit(decorator)
        if getattr(node, "type_params", None):
            self.add("typing", [])
        # Defaults run when the function is defined; annotations import nothing.
        self.visit(node.args)
        before, self.deferred = self.deferred, True
        for statement in node.body:
            self.visit(statement)
        self.deferred = before

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> None:
        self.visit_FunctionDef(node)

    def visit_Lambda(self, node: ast.Lambda) -> None:
        before, self.deferred = self.deferred, True
        self.generic_visit(node)
        self.deferred = before

    def visit_If(self, node: ast.If) -> None:
        value = self.evaluate(node.test)
        self.visit(node.test)
        if value is UNKNOWN or value:
            self.visit_all(node.body)
        if value is UNKNOWN or not value:
            self.visit_all(node.orelse)

    def visit_Try(self, node: ast.Try) -> None:
        catches = any(self.catches(handler.type) for handler in node.handlers)
        before, number = self.guard, 0
        if catches:
            self.tries += 1
            number = self.guard = self.tries
        self.visit_all(node.body)
        self.guard = before
        for handler in node.handlers:
            outer = self.fallback
            if catches and self.catches(handler.type):
                self.fallback = number
            self.visit_all(handler.body)
            self.fallback = outer
        self.visit_all(node.orelse)
        self.visit_all(node.finalbody)

    def visit_TryStar(self, node: Any) -> None:
        self.visit_Try(node)

    def visit_With(self, node: ast.With) -> None:
        before = self.guard
        for item in node.items:
            call = item.context_expr
            if not isinstance(call, ast.Call) or not (dotted(call.func) or "").endswith("suppress"):
                continue
            if any(self.catches(argument) for argument in call.args):
                self.tries += 1
                self.guard = self.tries
        self.generic_visit(node)
        self.guard = before

    def visit_all(self, statements: Iterable[ast.stmt]) -> None:
        """Visit a block."""
        for statement in statements:
            self.visit(statement)

    def catches(self, node: ast.expr | None) -> bool:
        """Whether an ``except`` of *node* catches a failed import."""
        if node is None:
            return True
        if isinstance(node, ast.Tuple):
            return any(self.catches(element) for element in node.elts)
        return (dotted(node) or "").rpartition(".")[2] in IMPORT_FAILURES

    # What can be decided now.

    def evaluate(self, node: ast.AST) -> Any:  # noqa: C901, PLR0911  (a case a kind of node)
        """Return the value of an expression, or ``UNKNOWN``."""
        if isinstance(node, ast.Constant):
            return node.value
        if isinstance(node, ast.Tuple):
            values = tuple(self.evaluate(element) for element in node.elts)
            return UNKNOWN if any(value is UNKNOWN for value in values) else values
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            value = self.evaluate(node.operand)
            return UNKNOWN if value is UNKNOWN else not value
        if isinstance(node, ast.BoolOp):
            return self.evaluate_bool(node)
        if isinstance(node, ast.Compare) and len(node.ops) == 1:
            return self.compare(node.left, node.ops[0], node.comparators[0])
        if isinstance(node, ast.Subscript):
            return self.evaluate_subscript(node)
        if isinstance(node, ast.Call):
            return self.evaluate_call(node)
        name = dotted(node) or ""
        if name in {"TYPE_CHECKING", "typing.TYPE_CHECKING", "t.TYPE_CHECKING"}:
            return False
        if name == "__debug__":
            return self.asserts
        if name == "__name__":
            return self.name
        return FACTS.get(name, self.known.get(name, UNKNOWN))

    def evaluate_bool(self, node: ast.BoolOp) -> Any:
        """``and`` and ``or``, of which one side may decide alone."""
        values = [self.evaluate(value) for value in node.values]
        decides = isinstance(node.op, ast.Or)  # one true decides an or, one false an and
        if any(value is not UNKNOWN and bool(value) is decides for value in values):
            return decides
        return UNKNOWN if any(value is UNKNOWN for value in values) else not decides

    def evaluate_subscript(self, node: ast.Subscript) -> Any:
        """An index or a slice: ``sys.version_info[:2]``."""
        value, index = self.evaluate(node.value), node.slice
        if value is UNKNOWN:
            return UNKNOWN
        try:
            if isinstance(index, ast.Slice):
                low = self.evaluate(index.lower) if index.lower else None
                high = self.evaluate(index.upper) if index.upper else None
                return value[low:high]
            return value[self.evaluate(index)]
        except (TypeError, IndexError, KeyError):
            return UNKNOWN

    def evaluate_call(self, node: ast.Call) -> Any:
        """``startswith``, and calls among the facts."""
        if isinstance(node.func, ast.Attribute) and node.func.attr == "startswith" and node.args:
            value, prefix = self.evaluate(node.func.value), self.evaluate(node.args[0])
            if isinstance(value, str) and prefix is not UNKNOWN:
                return value.startswith(prefix)
        return FACTS.get(dotted(node) or "", UNKNOWN)

    def compare(self, left: ast.expr, how: ast.cmpop, right: ast.expr) -> Any:
        """One comparison."""
        a, b = self.evaluate(left), self.evaluate(right)
        if a is UNKNOWN or b is UNKNOWN:
            return UNKNOWN
        compare = COMPARISONS.get(type(how))
        try:
            return compare(a, b) if compare else UNKNOWN
        except TypeError:
            return UNKNOWN


if __name__ == "__main__":
    main()
