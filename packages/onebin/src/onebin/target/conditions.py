"""Conditions whose value is known before a program runs: facts of the target, and constants."""

import ast
import operator
import sys
from collections.abc import Callable
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
UNKNOWN: Any = object()


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


class Conditions:
    """Values of expressions in one module."""

    def __init__(self, name: str, *, asserts: bool) -> None:
        self.name, self.asserts = name, asserts
        self.known = dict[str, Any]()
        """Names of the module with a value known now."""

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
        if name.rpartition(".")[2] == "TYPE_CHECKING":
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
