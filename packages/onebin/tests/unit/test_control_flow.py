"""Programs of random statements: the modules selected from them behave as all of them would."""

import builtins
import importlib.abc
import importlib.machinery
import importlib.util
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from types import ModuleType

from hypothesis import given, note
from hypothesis import strategies as st

from .analyzed import graph_of, reached

MODULES = ("random_app", "random_pkg", "random_pkg.sub", "random_a", "random_b")
MISSING = "random_missing"
CONDITIONS = 4
"""Conditions of a program, each true or false in a run."""

Lines = list[str]


def indented(block: Sequence[str]) -> Lines:
    return [f"    {line}" for line in block or ["pass"]]


@st.composite
def statements(  # noqa: C901, PLR0911, PLR0912  (a case a kind of statement)
    draw: st.DrawFn, names: Sequence[str], *, handler: bool, deep: int
) -> Lines:
    """Draw one statement that may import one of *names*, or a missing module."""

    def block(*, handler: bool = handler) -> Lines:
        return draw(blocks(names, handler=handler, deep=deep - 1))

    module = draw(st.sampled_from([*names, MISSING, f"random_pkg.{MISSING}"]))
    simple = ["import", "from", "submodule", "call", "assign", "raise"]
    nested = ["if", "loop", "match", "function", "class", "try", "try", "suppress", "expression"]
    kind = draw(st.sampled_from(simple if deep < 1 else simple + nested))
    condition = f"CONDITIONS[{draw(st.integers(0, CONDITIONS - 1))}]"
    match kind:
        case "import":
            return [f"import {module}"]
        case "from":
            return [f"from {module} import {draw(st.sampled_from(['value', 'nothing']))}"]
        case "submodule":
            return ["from random_pkg import sub"] if "random_pkg" in names else ["value = 2"]
        case "call":
            return [f"__import__({module!r})"]
        case "assign":
            return ["value = 3"]
        case "raise":
            raised = ["ImportError('x')", "ModuleNotFoundError", "ValueError('x')"]
            return [f"raise {draw(st.sampled_from(raised + ([''] if handler else [])))}"]
        case "if":
            orelse = draw(st.sampled_from([[], ["else:", *indented(block())]]))
            return [f"if {condition}:", *indented(block()), *orelse]
        case "loop":
            return [f"for _ in range({condition}):", *indented(block(handler=False))]
        case "match":
            cases = [f"    case {value}:" for value in (True, "_")]
            bodies = [indented(indented(block())) for _ in cases]
            return [f"match {condition}:", cases[0], *bodies[0], cases[1], *bodies[1]]
        case "function":
            # Called once the program has started; a bare raise in it would handle nothing.
            name = f"function_{draw(st.integers(0, 3))}"
            return [f"def {name}():", *indented(block(handler=False))]
        case "class":
            return ["class Value:", *indented(block())]
        case "suppress":
            errors = draw(st.sampled_from(["ImportError", "ValueError", "Exception"]))
            return [f"with suppress({errors}):", *indented(block())]
        case "expression":
            return [f"{condition} and __import__({module!r})"]
        case _:
            return draw(tries(names, handler=handler, deep=deep))


@st.composite
def tries(draw: st.DrawFn, names: Sequence[str], *, handler: bool, deep: int) -> Lines:
    """Draw a ``try`` with handlers, ``else`` and ``finally``, or some of them."""

    def block(*, handler: bool = handler) -> Lines:
        return draw(blocks(names, handler=handler, deep=deep - 1))

    errors = ["ImportError", "ValueError", "(ValueError, ImportError)", "Exception", ""]
    caught = draw(st.lists(st.sampled_from(errors), max_size=2, unique=True))
    caught.sort(key=lambda error: error == "")  # a bare except comes last
    lines = ["try:", *indented(block())]
    for error in caught:
        lines += [f"except {error}:".replace(" :", ":"), *indented(block(handler=True))]
    has_else, has_finally = draw(st.booleans()), draw(st.booleans())
    if caught and has_else:
        lines += ["else:", *indented(block())]
    if has_finally or not caught:
        lines += ["finally:", *indented(block())]
    return lines


@st.composite
def blocks(draw: st.DrawFn, names: Sequence[str], *, handler: bool = False, deep: int) -> Lines:
    """Draw some statements, each followed by a mark of the run that reaches it."""
    lines: Lines = []
    for _ in range(draw(st.integers(0, 2))):
        lines += draw(statements(names, handler=handler, deep=deep))
        # Stored, not called: a call in the body of a try might itself fail.
        lines.append(f"MARKS[__name__, {draw(st.integers(0, 10**6))}] = 1")
    return lines


@st.composite
def programs(draw: st.DrawFn) -> dict[str, str]:
    """Draw modules of which each imports only later ones: a circle may fail by its order."""
    texts = {}
    for number, name in enumerate(MODULES):
        later = [other for other in MODULES[number + 1 :] if not name.startswith("random_pkg")]
        later = later or ["random_a", "random_b"][number - 2 :] if number < 4 else []
        lines = draw(blocks(later, deep=2))
        texts[name] = "\n".join(["value = 1", *lines]) + "\n"
    return texts


class Importer(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Import modules from texts, and nothing else of their names."""

    def __init__(self, texts: Mapping[str, str]) -> None:
        self.texts = texts

    def find_spec(
        self, fullname: str, path: object = None, target: object = None
    ) -> importlib.machinery.ModuleSpec | None:
        if fullname not in self.texts:
            return None
        return importlib.util.spec_from_loader(fullname, self, is_package=fullname == "random_pkg")

    def exec_module(self, module: ModuleType) -> None:
        exec(compile(self.texts[module.__name__], module.__name__, "exec"), module.__dict__)


@contextmanager
def importing(texts: Mapping[str, str]) -> Iterator[None]:
    importer = Importer(texts)
    sys.meta_path.insert(0, importer)
    try:
        yield
    finally:
        sys.meta_path.remove(importer)
        for name in [name for name in sys.modules if name.startswith("random_")]:
            del sys.modules[name]


def run(
    texts: Mapping[str, str], conditions: Sequence[bool], root: str = "random_app"
) -> tuple[list[str], list[tuple[str, int]]]:
    """Import *root*, then call all functions; return how each ended, and the marks."""
    marks: dict[tuple[str, int], int] = {}
    given = {"CONDITIONS": conditions, "MARKS": marks, "suppress": suppress}
    vars(builtins).update(given)
    ends = []
    try:
        with importing(texts):
            ends.append(ended(lambda: importlib.import_module(root)))
            for name in MODULES if ends == ["done"] else ():
                for key, value in sorted(vars(sys.modules.get(name, object)).items()):
                    if key.startswith("function_") and value.__module__ == name:
                        marks[name, -1] = 1
                        ends.append(f"{name}.{key}: {ended(value)}")
    finally:
        for name in given:
            del vars(builtins)[name]
    return ends, list(marks)


def ended(call: object) -> str:
    try:
        call()  # type: ignore[operator]
    except (ImportError, ValueError) as exc:
        return "ImportError" if isinstance(exc, ImportError) else "ValueError"
    return "done"


Programs = given(
    texts=programs(), conditions=st.lists(st.booleans(), min_size=CONDITIONS, max_size=CONDITIONS)
)


@Programs
def test_module_that_must_fail_does(texts: dict[str, str], conditions: list[bool]) -> None:
    """Whatever the conditions are."""
    show(texts)
    for name in graph_of(texts).importability.failures:
        assert ["done"] != run(texts, conditions, name)[0][:1]


@Programs
def test_selected_modules_behave_as_all(texts: dict[str, str], conditions: list[bool]) -> None:
    """Marks of each selected module, and how it and its functions end, are the same.

    A module that must fail does so at once here: its imports before that are not selected.
    """
    show(texts)
    graph = graph_of(texts)
    failing = {
        name for name, failure in graph.importability.failures.items() if failure.is_import_error
    }
    names = reached(graph, "random_app").names
    whole = texts | dict.fromkeys(failing, "raise ImportError")
    selected = {name: text for name, text in texts.items() if name in names}

    ends, marks = run(whole, conditions)

    assert run(selected, conditions) == (
        [end for end in ends if end.rpartition(".")[0] in {"", *names}],
        [mark for mark in marks if mark[0] in names],
    )


def show(texts: Mapping[str, str]) -> None:
    for name, text in texts.items():
        note(f"# {name}\n{text}")


def test_another_exception_may_be_suppressed() -> None:
    """``suppress(ValueError)`` around an import that raises it: the module may go on."""
    texts = {
        "random_app": "with suppress(ValueError):\n    import random_a\n",
        "random_a": "raise ValueError('x')\n",
    }

    assert set(graph_of(texts).importability.failures) == {"random_a"}
