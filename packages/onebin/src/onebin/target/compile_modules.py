"""Compile modules and list what they import, in the very CPython that will run them.

Run by the freeze stage with the static interpreter: bytecode, marshal and grammar belong to
one release, and the interpreter that runs onebin is another. One JSON request on stdin:

    {"asserts": bool, "docstrings": bool, "out": directory,
     "modules": [{"name": str, "path": str, "label": str, "package": bool}, …]}

For the n-th module the marshalled code goes to ``out/n``; stdout gets a JSON list of facts:

    {"imports": [[module, [name, …], kind, guard, fallback], …], "codecs": [str, …],
     "files": [line, …], "error": str}

``kind`` is ``hard`` (runs when the module is imported, and fails it), ``soft`` (runs then,
under an ``except ImportError``) or ``late`` (runs in a function). ``guard`` numbers the
``try`` a soft import stands in; ``fallback`` the ``try`` for whose failure an import is.
"""

import ast
import json
import marshal
import sys

# What is known of the target when it is built: Linux, POSIX, this release.
FACTS = {"sys.platform": "linux", "os.name": "posix", "sys.version_info": sys.version_info[:3],
         "sys.implementation.name": "cpython", "platform.system()": "Linux",
         "sys.byteorder": sys.byteorder, "sys.maxsize": sys.maxsize,
         "sys.builtin_module_names": sys.builtin_module_names}  # fmt: skip
IMPORT_FAILURES = {"ImportError", "ModuleNotFoundError", "Exception", "BaseException"}
UNKNOWN = object()


def main():
    request = json.load(sys.stdin)
    facts = [one(module, n, request) for n, module in enumerate(request["modules"])]
    json.dump(facts, sys.stdout)


def one(module, number, request):
    with open(module["path"], "rb") as file:
        source = file.read()
    try:
        tree = ast.parse(source, module["label"])
        finder = Finder(module["name"], module["package"], asserts=request["asserts"])
        finder.visit(tree)
        if not request["docstrings"]:
            strip_docstrings(tree)
        code = compile(
            tree, module["label"], "exec", dont_inherit=True,
            optimize=0 if request["asserts"] else 1,
        )  # fmt: skip
    except (SyntaxError, ValueError, RecursionError) as exc:
        return {"imports": [], "codecs": [], "files": [], "error": f"{exc}"}
    with open(f"{request['out']}/{number}", "wb") as out:
        out.write(marshal.dumps(code))
    return {
        "imports": finder.imports,
        "codecs": sorted(finder.codecs),
        "files": finder.files,
        "error": "",
    }


def strip_docstrings(tree):
    """Empty docstrings take room nobody reads; ``__doc__`` becomes None."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            body = node.body
            if ast.get_docstring(node, clean=False) is not None:
                # The place is kept by ``...`` where the body would be empty; a second
                # string behind the first must not become the docstring.
                while body and isinstance(body[0], ast.Expr) and is_string(body[0].value):
                    first = body.pop(0)
                if not body and not isinstance(node, ast.Module):
                    filler = ast.Expr(ast.Constant(...))
                    body.append(ast.fix_missing_locations(ast.copy_location(filler, first)))


def is_string(node):
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


def dotted(node):
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


class Finder(ast.NodeVisitor):
    """Collect a module's imports, with what must be true for each to matter."""

    def __init__(self, name, package, *, asserts):
        self.name, self.package, self.asserts = name, package, asserts
        self.imports, self.codecs, self.files = [], set(), []
        self.late = False
        self.guard = 0  # the innermost try whose except catches a failed import
        self.fallback = 0  # the try in whose except clause we stand
        self.tries = 0
        self.known = {}  # module-level names with a value known now: _MS_WINDOWS = …

    # Imports.

    def visit_Import(self, node):
        for alias in node.names:
            self.add(alias.name, [])

    def visit_ImportFrom(self, node):
        base = node.module or ""
        if node.level:
            parts = self.name.split(".")
            keep = len(parts) - node.level + (1 if self.package else 0)
            if keep < 1:
                return
            base = ".".join(parts[:keep] + ([base] if base else []))
        self.add(base, [alias.name for alias in node.names])

    def visit_Call(self, node):
        called = dotted(node.func) or ""
        first = node.args[0] if node.args else None
        if called.rpartition(".")[2] in {"import_module", "__import__"} and first is not None:
            # A name known only at run time is the project's to hint at.
            if is_string(first) and not first.value.startswith("."):
                self.add(first.value, [])
        if isinstance(node.func, ast.Attribute) and node.func.attr in {"encode", "decode"}:
            if first is not None and is_string(first):
                self.codecs.add(first.value)
        for keyword in node.keywords:
            if keyword.arg == "encoding" and is_string(keyword.value):
                self.codecs.add(keyword.value.value)
        self.generic_visit(node)

    def visit_Name(self, node):
        if node.id == "__file__" and isinstance(node.ctx, ast.Load):
            self.files.append(node.lineno)

    def add(self, module, names):
        kind = "late" if self.late else "soft" if self.guard else "hard"
        self.imports.append([module, names, kind, self.guard, self.fallback])

    def visit_Assign(self, node):
        self.generic_visit(node)
        for target in node.targets:
            if isinstance(target, ast.Name):
                # Assigned twice, or where we cannot tell: no longer known.
                value = UNKNOWN if target.id in self.known or self.late else self.evaluate(node.value)
                self.known[target.id] = value

    # Type parameters (PEP 695) make the interpreter import typing from C.

    def visit_TypeAlias(self, node):
        self.add("typing", [])
        self.generic_visit(node)

    # Where an import stands.

    def visit_FunctionDef(self, node):
        for decorator in node.decorator_list:
            self.visit(decorator)
        if getattr(node, "type_params", None):
            self.add("typing", [])
        # Defaults run when the function is defined; annotations import nothing.
        self.visit(node.args)
        before, self.late = self.late, True
        for statement in node.body:
            self.visit(statement)
        self.late = before

    visit_AsyncFunctionDef = visit_FunctionDef

    def visit_Lambda(self, node):
        before, self.late = self.late, True
        self.generic_visit(node)
        self.late = before

    def visit_If(self, node):
        value = self.evaluate(node.test)
        self.visit(node.test)
        if value is UNKNOWN or value:
            self.visit_all(node.body)
        if value is UNKNOWN or not value:
            self.visit_all(node.orelse)

    def visit_Try(self, node):
        catches = any(self.catches(handler.type) for handler in node.handlers)
        before = self.guard
        if catches:
            self.tries += 1
            self.guard = number = self.tries
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

    visit_TryStar = visit_Try

    def visit_With(self, node):
        before = self.guard
        for item in node.items:
            call = item.context_expr
            if isinstance(call, ast.Call) and (dotted(call.func) or "").endswith("suppress"):
                if any(self.catches(argument) for argument in call.args):
                    self.tries += 1
                    self.guard = self.tries
        self.generic_visit(node)
        self.guard = before

    def visit_all(self, statements):
        for statement in statements:
            self.visit(statement)

    def catches(self, node):
        if node is None:
            return True
        if isinstance(node, ast.Tuple):
            return any(self.catches(element) for element in node.elts)
        return (dotted(node) or "").rpartition(".")[2] in IMPORT_FAILURES

    # What can be decided now.

    def evaluate(self, node):
        if isinstance(node, ast.Constant):
            return node.value
        if isinstance(node, ast.Tuple):
            values = tuple(self.evaluate(element) for element in node.elts)
            return UNKNOWN if UNKNOWN in values else values
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
        name = dotted(node)
        if name in {"TYPE_CHECKING", "typing.TYPE_CHECKING", "t.TYPE_CHECKING"}:
            return False
        if name == "__debug__":
            return self.asserts
        if name == "__name__":
            return self.name
        return FACTS.get(name, self.known.get(name, UNKNOWN))

    def evaluate_bool(self, node):
        values = [self.evaluate(value) for value in node.values]
        decides = isinstance(node.op, ast.Or)  # one true decides an or, one false an and
        if any(value is not UNKNOWN and bool(value) is decides for value in values):
            return decides
        return UNKNOWN if UNKNOWN in values else not decides

    def evaluate_subscript(self, node):
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

    def evaluate_call(self, node):
        if isinstance(node.func, ast.Attribute) and node.func.attr == "startswith" and node.args:
            value, prefix = self.evaluate(node.func.value), self.evaluate(node.args[0])
            if isinstance(value, str) and prefix is not UNKNOWN:
                return value.startswith(prefix)
        return FACTS.get(dotted(node), UNKNOWN)

    def compare(self, left, operator, right):
        a, b = self.evaluate(left), self.evaluate(right)
        if a is UNKNOWN or b is UNKNOWN:
            return UNKNOWN
        compare = {
            ast.Eq: lambda: a == b, ast.NotEq: lambda: a != b,
            ast.Lt: lambda: a < b, ast.LtE: lambda: a <= b,
            ast.Gt: lambda: a > b, ast.GtE: lambda: a >= b,
            ast.In: lambda: a in b, ast.NotIn: lambda: a not in b,
        }.get(type(operator))  # fmt: skip
        try:
            return compare() if compare else UNKNOWN
        except TypeError:
            return UNKNOWN


if __name__ == "__main__":
    main()
