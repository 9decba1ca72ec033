"""The program that compiles modules in the target: source in, imports and code out."""

import io
import json
import marshal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from onebin.target import compile_modules
from tests.lib.running_service import children_of
from tests.lib.waiting import until


def facts(
    tmp_path: Path, source: str, *, name: str = "app", package: bool = False, **request: Any
) -> dict[str, Any]:
    (tmp_path / "m.py").write_text(source)
    module = {"name": name, "path": str(tmp_path / "m.py"), "label": "m.py", "package": package}
    given = {"asserts": True, "docstrings": False, "out": str(tmp_path), "names_of_interest": []}
    return compile_modules.compile_one(module, 0, {**given, **request})


def code(tmp_path: Path) -> Any:
    return marshal.loads((tmp_path / "0").read_bytes())


A, B, C = (["import", name, [], "hard"] for name in "abc")
A_SOFT, B_SOFT = (["import", name, [], "soft"] for name in "ab")
A_LATE = ["import", "a", [], "late"]


@pytest.mark.parametrize(
    ("source", "imports"),
    [
        ("import a, b", [A, B]),
        ("import a.b as c", [["import", "a.b", [], "hard"]]),
        ("from a import b, c", [["import", "a", ["b", "c"], "hard"]]),
        ("from a import *", [["import", "a", ["*"], "hard"]]),
        ("class X:\n import a", [A]),
        ("def f(): import a", [["function", [A_LATE]]]),
        ("async def f(): import a", [["function", [A_LATE]]]),
        ("f = lambda: __import__('a')", [["function", [A_LATE]]]),
        ("def f():\n def g(): import a", [["function", [["function", [A_LATE]]]]]),
        ("def f(): raise ImportError", []),
        ("@d(__import__('a'))\ndef f(x=__import__('b')): ...", [A, B]),
        ("raise ImportError('old')", [["raise", "raise ImportError('old')", True]]),
        ("raise old.Error", [["raise", "raise old.Error", False]]),
        ("if x: import a", [["branch", [[A_SOFT], []]]]),
        ("if x: import a\nelif y: import b",
         [["branch", [[A_SOFT], [["branch", [[B_SOFT], []]]]]]]),
        ("if x: pass", []),
        ("for x in y: import a", [["branch", [[A_SOFT], []]]]),
        ("async def f():\n async for x in y: import a",
         [["function", [["branch", [[A_LATE], []]]]]]),
        ("while x: import a\nelse: import b",
         [["branch", [[A_SOFT], []]], ["branch", [[B_SOFT], []]]]),
        ("match x:\n case 1: import a\n case _: import b",
         [["branch", [[A_SOFT], [B_SOFT], []]]]),
        ("x and __import__('a')", [["branch", [[A_SOFT], []]]]),
        ("__import__('a') if x else __import__('b')", [["branch", [[A_SOFT], [B_SOFT]]]]),
        ("{__import__('a') for x in y}", [["branch", [[A_SOFT], []]]]),
        ("try: import a\nexcept ImportError: import b",
         [["try", [A_SOFT], [B_SOFT], [], [], [], False]]),
        ("try: import a\nexcept: import b",
         [["try", [A_SOFT], [B_SOFT], [], [], [], True]]),
        ("try: import a\nexcept (KeyError, ModuleNotFoundError): pass",
         [["try", [A_SOFT], [], [], [], [], True]]),
        ("try: import a; a()\nexcept ImportError: pass",
         [["try", [A_SOFT], [], [], [], [], True]]),
        ("try: a\nexcept ImportError: import b", [["try", [], [B_SOFT], [], [], [], True]]),
        ("try: import a\nexcept KeyError: import b",
         [["try", [A], None, [["branch", [[B_SOFT], []]]], [], [], False]]),
        ("try: import a\nexcept ImportError: pass\nelse: import b\nfinally: import c",
         [["try", [A_SOFT], [], [], [B_SOFT], [C], False]]),
        ("try: pass\nexcept ImportError: pass", []),
        ("try: import a\nexcept* ImportError: pass",
         [["try", [A_SOFT], [], [], [], [], False]]),
        ("with suppress(ImportError): import a", [["try", [A_SOFT], [], [], [], [], False]]),
        (
            "with contextlib.suppress(KeyError): import a",
            [["try", [A], None, [["branch", [[], []]]], [], [], False]],
        ),
        ("with open('x') as f: import a", [A]),
        ("async def f():\n async with x: import a", [["function", [A_LATE]]]),
        ("import_module('a')\nx.import_module('b')", [A, B]),
        ("import_module(name)\nimport_module('.a')\nimport_module()", []),
    ],
)  # fmt: skip
def test_imports(tmp_path: Path, source: str, imports: list[Any]) -> None:
    """Each import with its kind, in the blocks that decide whether it runs."""
    assert imports == facts(tmp_path, source)["imports"]


@pytest.mark.parametrize(
    ("source", "binds"),
    [
        ("a = 1; b: int = 2; c += 1; (d, *e) = f", "a b c d e"),
        ("def a(x): y = 1\nclass b: z = 1\nasync def c(): ...", "a b c"),
        ("def f():\n global a\n a = 1", "a f"),
        ("import a.b, c as d\nfrom e import f as g", "a d g"),
        ("for a in b: pass\nwith c as d: pass\nif (e := f): pass", "a d e"),
        ("try: pass\nexcept X as a: b = 1", "a b"),
        ("match x:\n case [a, *b]: pass", "a b"),
        ("if TYPE_CHECKING: a = 1", ""),
        ("from a import *", "*"),
        ("globals()['a'] = 1", "*"),
        ("sys.modules[__name__] = x", "*"),
        ("def __getattr__(name): ...", "* __getattr__"),
        ("x.__class__ = y", "*"),
        ("@global_enum\nclass A: ...", "* A"),
    ],
)
def test_names_bound(tmp_path: Path, source: str, binds: str) -> None:
    """Those another module may import; ``*`` where there may be others."""
    assert binds.split() == facts(tmp_path, source)["binds"]


@pytest.mark.parametrize(
    ("name", "package", "statement", "module"),
    [
        ("pkg.mod", False, "from . import x", "pkg"),
        ("pkg", True, "from . import x", "pkg"),
        ("pkg.sub", True, "from ..other import x", "pkg.other"),
        ("pkg.mod", False, "from .near import x", "pkg.near"),
        ("mod", False, "from .. import x", None),
    ],
)
def test_relative_imports(
    tmp_path: Path, name: str, *, package: bool, statement: str, module: str | None
) -> None:
    """Resolved against the module's package; above the top there is nothing."""
    found = facts(tmp_path, statement, name=name, package=package)["imports"]

    assert ([["import", module, ["x"], "hard"]] if module else []) == found


@pytest.mark.parametrize(
    ("condition", "value"),
    [
        ("sys.platform == 'win32'", False),
        ("sys.platform != 'win32'", True),
        ("sys.platform.startswith('win')", False),
        ("sys.platform.startswith(('win', 'linux'))", True),
        ("sys.version_info >= (3, 8)", True),
        ("sys.version_info[0] < 3", False),
        ("sys.version_info[:2] >= (3, 8)", True),
        ("os.name == 'nt'", False),
        ("os.name in ('nt', 'java')", False),
        ("'posix' in sys.builtin_module_names", True),
        ("platform.system() == 'Windows'", False),
        ("TYPE_CHECKING", False),
        ("typing.TYPE_CHECKING", False),
        ("not TYPE_CHECKING", True),
        ("__debug__", True),
        ("__name__ == '__main__'", False),
        ("False and unknown", False),
        ("unknown or True", True),
        ("True and True", True),
        ("False or False", False),
        ("WINDOWS", False),
        ("unknown", None),
        ("not unknown", None),
        ("unknown and True", None),
        ("unknown == 1", None),
        ("unknown[0]", None),
        ("(1, unknown)", None),
        ("sys.version_info[99]", None),
        ("sys.version_info < 'x'", None),
        ("True is True", None),
        ("1 < 2 < 3", None),
        ("unknown.startswith('x')", None),
        ("sys.platform.startswith(unknown)", None),
        ("TWICE", None),
        ("f(1)", None),
        ("-1", None),
    ],
)
def test_conditions(tmp_path: Path, condition: str, *, value: bool | None) -> None:
    """True, false, or unknown: an unknown condition counts both branches."""
    known = "WINDOWS = sys.platform == 'win32'\nTWICE = 1\nTWICE = 2\n"
    source = f"{known}if {condition}:\n import yes\nelse:\n import no"

    (*_, last) = facts(tmp_path, source)["imports"]
    found = [last[1]] if last[0] == "import" else [block[0][1] for block in last[1]]

    expected = {True: ["yes"], False: ["no"], None: ["yes", "no"]}
    assert expected[value] == found


def test_asserts_decide_debug(tmp_path: Path) -> None:
    """Without assert statements ``__debug__`` is false, and they are not compiled."""
    source = "if __debug__:\n import a\nassert never"

    assert [] == facts(tmp_path, source, asserts=False)["imports"]
    exec(code(tmp_path), {})
    facts(tmp_path, "assert never")
    with pytest.raises(NameError):
        exec(code(tmp_path), {})


def test_codecs(tmp_path: Path) -> None:
    """Codecs are reported as the modules ``encodings`` finds for their names."""
    source = "x.encode('UTF-8')\ny.decode('latin1')\nopen(p, encoding='cp437')\nz.encode(name)"

    assert ["cp437", "latin_1", "utf_8"] == facts(tmp_path, source)["codecs"]


def test_mentions(tmp_path: Path) -> None:
    """Names of interest, as a name, an attribute or an import."""
    source = "a\nx.b\nfrom y import c\nd = 1\nimport e"
    given = facts(tmp_path, source, names_of_interest=["a", "b", "c", "e", "f"])

    assert ["a", "b", "c", "e"] == given["mentions"]


DOCUMENTED = '''
"""Of the module."""
"second"
class C:
    """Of the class."""
def f():
    """Of the function."""
def g():
    """Of another."""
    return 1
'''


def test_docstrings_are_dropped_or_kept(tmp_path: Path) -> None:
    """An emptied body stays valid; a second string never becomes the docstring."""
    facts(tmp_path, DOCUMENTED)
    bare: dict[str, Any] = {}
    exec(code(tmp_path), bare)
    assert (None, None, None, 1) == (
        bare.get("__doc__"), bare["C"].__doc__, bare["f"].__doc__, bare["g"]()
    )  # fmt: skip

    facts(tmp_path, DOCUMENTED, docstrings=True)
    whole: dict[str, Any] = {}
    exec(code(tmp_path), whole)
    assert "Of the function." == whole["f"].__doc__


@pytest.mark.parametrize("source", ["def f(:", "x = 1\0", "(" * 5000])
def test_source_that_does_not_compile(tmp_path: Path, source: str) -> None:
    """Such a source gives an error, no imports and no code."""
    found = facts(tmp_path, source)

    assert found["error"]
    assert [] == found["imports"]
    assert not (tmp_path / "0").exists()


def test_type_parameters_import_typing(tmp_path: Path) -> None:
    """The interpreter imports typing from C; before Python 3.12 that is not in its grammar."""
    found = facts(tmp_path, "def f[T](x: T): ...\ntype A = int")

    if sys.hexversion < 0x030C_0000:  # mypy would take the rest for unreachable
        assert found["error"]
        return
    assert ["typing", "typing"] == [module for _, module, *_ in found["imports"]]


def test_request_on_stdin(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A list of facts on stdout, in the order of the request."""
    (tmp_path / "m.py").write_text("import a")
    module = {"name": "m", "path": str(tmp_path / "m.py"), "label": "m.py", "package": False}
    request = {
        "asserts": True, "docstrings": True, "out": str(tmp_path), "names_of_interest": [],
        "modules": [module, {**module, "name": "n"}],
    }  # fmt: skip
    monkeypatch.setattr(sys, "stdin", io.StringIO(json.dumps(request)))

    compile_modules.main()

    found = json.loads(capsys.readouterr().out)
    assert [[A]] * 2 == [item["imports"] for item in found]
    assert {"0", "1", "m.py", "queue"} == {file.name for file in tmp_path.iterdir()}


ALL = """
import json, sys
from onebin.target import compile_modules
json.dump(compile_modules.compile_all(json.load(sys.stdin), int(sys.argv[1])), sys.stdout)
"""


@pytest.mark.sample(every=3)
@pytest.mark.parametrize(("cpus", "count"), [(2, 40), (3, 100), (64, 50), (2, 17), (2, 0)])
@pytest.mark.parametrize("fails", [False, True])
def test_processes_compile_the_same(tmp_path: Path, cpus: int, count: int, *, fails: bool) -> None:
    """However many compile, code and facts are the same; what one could not do is done again.

    In another process: those of tests have threads, and should not fork.
    """
    found = []
    for tried in (1, cpus):
        out = tmp_path / f"{tried}"
        out.mkdir()
        for n in range(count):
            text = f"import a{n}\nX = {{{n}: 'text', 'b': 1.5, 'c': (1, 2, b'3')}}\n"
            text += "# as large as a module is\n" * 1000 * (n % 3)
            (tmp_path / f"m{n}.py").write_text("def" if n == 5 else text)
        if fails:
            (out / "facts-1").mkdir()
        request = {
            "asserts": True, "docstrings": True, "out": str(out), "names_of_interest": [],
            "modules": [
                {"name": f"m{n}", "path": str(tmp_path / f"m{n}.py"), "label": f"m{n}.py",
                 "package": False}
                for n in range(count)
            ],
        }  # fmt: skip
        ended = subprocess.run(
            [sys.executable, "-c", ALL, str(tried)], input=json.dumps(request).encode(),
            capture_output=True, check=True,
        )  # fmt: skip
        code = {file.name: file.read_bytes() for file in out.iterdir() if file.name.isdigit()}
        found.append((json.loads(ended.stdout), code))

    assert found[0] == found[1]
    assert len(found[0][0]) == count
    assert len(found[0][1]) == count - (count > 5)


def test_process_whose_parent_is_killed_ends(tmp_path: Path) -> None:
    """Of a build that was killed nothing goes on: after its module each process ends."""
    (tmp_path / "m.py").write_text("x = [\n" + "    {'a': (1, 2.5, 'text')},\n" * 5000 + "]\n")
    module = {"name": "m", "path": str(tmp_path / "m.py"), "label": "m.py", "package": False}
    request = {
        "asserts": True, "docstrings": True, "out": str(tmp_path), "names_of_interest": [],
        "modules": [module] * 200,
    }  # fmt: skip
    with subprocess.Popen([sys.executable, "-c", ALL, "2"], stdin=subprocess.PIPE) as first:
        assert first.stdin
        first.stdin.write(json.dumps(request).encode())
        first.stdin.close()
        (child,) = until(lambda: children_of(first.pid))
        until(lambda: (tmp_path / "0").exists() and (tmp_path / "1").exists())
        first.kill()

    until(lambda: not Path(f"/proc/{child}").exists())
    assert len([file for file in tmp_path.iterdir() if file.name.isdigit()]) < 200
