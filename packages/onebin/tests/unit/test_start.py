"""A start that the code cannot have is refused by the plan; any other is left to the build."""

import importlib
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onebin.inputs.start import fault
from onebin.model import EntryPoint

FAULTS = [
    ("app:mian", "app:mian: app has no mian", "did you mean main?"),
    ("app:main.x", None, None),
    ("app.clii:main", "app.clii: no such module in the project", "did you mean cli?"),
    ("app.cli:main", None, None),
    ("app.cli:run", "app.cli:run: app.cli has no run", "spelled right"),
    ("app:cli", None, None),  # a module is a name of its package
    ("app.dynamic:any", None, None),
    ("app.star:any", None, None),
    ("app.new_syntax:any", None, None),
    ("app:", "-m app: a package without __main__.py", "module:function"),
    ("app.cli:", None, None),
    ("app.gone:", "app.gone: no such module", ""),
    ("space.inner:any", None, None),  # another distribution may have it
    ("elsewhere:any", None, None),  # a dependency
    ("single.gone:main", "single.gone: no such module", ""),
]


@pytest.fixture
def code(tmp_path: Path) -> Path:
    texts = {
        "app/__init__.py": "def main(): ...",
        "app/cli.py": "import sys as main",
        "app/dynamic.py": "globals()['any'] = print",
        "app/star.py": "from .cli import *",
        "app/new_syntax.py": "t'' ''' from the future",
        "space/other.py": "",
        "single.py": "",
    }
    for name, text in texts.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


@pytest.mark.parametrize(("start", "message", "hint"), FAULTS)
def test_start(code: Path, start: str, message: str | None, hint: str | None) -> None:
    """Module and name, with the nearest there is."""
    module, _, function = start.partition(":")
    found = fault(code, EntryPoint(module, function))
    if message is None:
        assert found is None
        return
    assert found is not None
    assert str(found).startswith(message)
    assert (hint or "") in found.hint


BINDS = [
    "{0} = 1", "({0}, *other) = 1, 2", "def {0}(): ...", "async def {0}(): ...", "class {0}: ...",
    "import sys as {0}", "from os import path as {0}", "for {0} in (1,): ...", "({0} := 1)",
    "with open('/dev/null') as {0}: ...", "{0}: int = 1", "if 1:\n    {0} = 2",
    "try: ...\nfinally:\n    {0} = 2", "match 1:\n    case {0}: ...",
    "match [1]:\n    case [*{0}]: ...", "match {{}}:\n    case {{**{0}}}: ...",
    "globals().update({0}=1)", "import sys\nvars(sys.modules[__name__])['{0}'] = 1",
    "def f():\n    global {0}\n    {0} = 1\nf()", "from operator import *\n{0} = 1",
    "exec('{0} = 1')", "def __getattr__(name): return 1", "[{0} := 1 for _ in 'a']",
    "import sys\nsetattr(sys.modules[__name__], '{0}', 1)",
]  # fmt: skip


@given(form=st.sampled_from(BINDS), before=st.lists(st.sampled_from(BINDS), max_size=2))
def test_no_start_that_python_finds_is_refused(
    tmp_path_factory: pytest.TempPathFactory, form: str, before: list[str]
) -> None:
    """Whatever binds the name: CPython's own import is the judge."""
    folder = tmp_path_factory.mktemp("code")
    lines = [text.format(f"other{n}") for n, text in enumerate(before)]
    module = f"bound_{folder.name}"
    (folder / f"{module}.py").write_text("\n".join([*lines, form.format("main")]))
    sys.path.insert(0, str(folder))
    try:
        assert hasattr(importlib.import_module(module), "main")
    finally:
        sys.path.remove(str(folder))
        sys.modules.pop(module, None)

    assert fault(folder, EntryPoint(module, "main")) is None
