"""Programs that run elsewhere, called here: pkg-config's stand-in, a back end's metadata."""

import json
import sys
from pathlib import Path

import pytest

from onebin.target import build_metadata, pkg_config

TABLE = {
    "zlib": {"version": "1.3.1", "include": ["/p/include"], "folders": ["/p/lib"],
             "libraries": ["z"]},
    "libxml-2.0": {"version": "2.15", "include": ["/x/include"], "folders": [], "libraries": []},
}  # fmt: skip


@pytest.mark.parametrize(
    ("words", "status", "printed"),
    [
        ("--version", 0, "1.8.1\n"),
        ("--list-all", 0, "libxml-2.0 libxml-2.0 2.15\nzlib zlib 1.3.1\n"),
        ("--modversion zlib", 0, "1.3.1\n"),
        ("--cflags --libs zlib", 0, "-I/p/include -L/p/lib -lz\n"),
        ("--cflags-only-I zlib libxml-2.0", 0, "-I/p/include -I/x/include\n"),
        ("--libs-only-l zlib", 0, "-lz\n"),
        ("--exists zlib >= 1.2", 0, ""),
        ("--exists zlib < 1.2", 1, ""),
        ("--exists gone", 1, ""),
        ("--atleast-version=1.3 zlib", 0, ""),
        ("--atleast-version 1.4 zlib", 1, ""),
        ("--max-version=1.3.1 zlib", 0, ""),
        ("--exact-version=1.3 zlib", 1, ""),
        ("--variable=prefix zlib", 0, "/p\n"),
        ("--variable=includedir libxml-2.0", 0, "/x/include\n"),
        ("--variable=other zlib", 0, ""),
    ],
)
def test_pkg_config(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path,
    words: str, status: int, printed: str,
) -> None:  # fmt: skip
    """Of pkg-config(1): values of the table's packages; 1 for any other."""
    table = tmp_path / "table.json"
    table.write_text(json.dumps(TABLE))
    monkeypatch.setattr(sys, "argv", ["pkg_config.py", str(table), *words.split()])

    assert (status, printed) == (pkg_config.main(), capsys.readouterr().out)


HOOK = """\
    @staticmethod
    def prepare_metadata_for_build_wheel(folder, settings):
        return "x-1.dist-info"
"""


@pytest.mark.parametrize(("hook", "expected"), [("", ""), (HOOK, "x-1.dist-info\n")])
def test_metadata_of_a_back_end(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, hook: str, expected: str
) -> None:
    """The hook is optional (PEP 517); the back end may be an object in the project's folder."""
    name = f"back_end_{len(hook)}"
    (tmp_path / f"{name}.py").write_text(f"class Hooks:\n    x = 1\n{hook}")
    monkeypatch.setattr(sys, "path", [*sys.path])
    words = [str(tmp_path / "site"), str(tmp_path), f"{name}:Hooks", str(tmp_path)]
    monkeypatch.setattr(sys, "argv", ["build_metadata.py", *words])

    build_metadata.main()

    assert expected == (tmp_path / "result").read_text()
