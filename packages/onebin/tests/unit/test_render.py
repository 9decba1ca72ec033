"""Rendering: a person reads lines, a program reads JSON, and neither is fooled."""

import json
import re
from pathlib import Path
from typing import Any

import msgspec
import pytest

from onebin import render as plans
from onebin import terminal
from onebin.image.image import Image
from onebin.inspection import Report, inspect, render
from onebin.model import EntryPoint, OmittedModule, Options, Pin, Plan, Project, Source

from .images import write_layout


@pytest.fixture
def report(image: Image, tmp_path: Path) -> Report:
    write_layout(image, tmp_path / "out", "app:1")
    return msgspec.structs.replace(inspect(tmp_path / "out"), path="out")


def test_the_text(report: Report) -> None:
    """The title comes first, then static, size, user, files, findings."""
    lines = render.text(report, color=False).splitlines()

    assert lines[0] == "out: image for linux/amd64 (oci-layout), docker.io/library/app:1"
    assert lines[1].startswith("static          yes (static-pie): no PT_INTERP")
    assert "runs as         65532:65532" in lines
    assert "shells          none" in lines
    assert any(re.fullmatch(r"1777 +0:0 +0  /tmp/", line) for line in lines)
    assert "0 failed, 0 unknown, 24 passed" in lines
    assert lines[-1].startswith("ok    IMG-DIG-001")


def test_failures_come_first_with_their_evidence(tmp_path: Path, make_elf: Any) -> None:
    """Failures come before passes, with their evidence."""
    Path(tmp_path, "x").write_bytes(make_elf(relro=False, needed="libc.so.6"))

    lines = render.text(inspect(tmp_path / "x"), color=False).splitlines()

    at = lines.index("2 failed, 0 unknown, 1 passed")
    assert lines[at + 1].startswith("FAIL  IMG-ELF-001")
    assert lines[at + 2].strip() == "no PT_INTERP: it requests no loader"
    assert lines[-1].startswith("ok ")


@pytest.mark.parametrize("color", [True, False])
def test_color_only_on_request(report: Report, *, color: bool) -> None:
    """The text has escapes only with color on."""
    assert ("\x1b" in render.text(report, color=color)) is color


def test_no_name_moves_the_cursor(report: Report) -> None:
    """Control characters of an image are escaped."""
    evil = "\x1b[2J\r\n\u202eevil\x07"
    assert report.image is not None
    facts = msgspec.structs.replace(
        report.image,
        user=evil,
        names=(evil,),
        shells=(evil,),
        files=tuple(msgspec.structs.replace(file, path=evil) for file in report.image.files),
    )
    found = msgspec.structs.replace(report.findings[0], status="fail", evidence=(evil,))
    changed = msgspec.structs.replace(report, image=facts, findings=(found,), path=evil)

    text = render.text(changed, color=False)

    assert all(char == "\n" or char.isprintable() for char in text)
    assert r"\x1b[2J\r\n\u202eevil\x07" in text


def test_the_json_keeps_its_keys(report: Report) -> None:
    """Scripts depend on these names: a change here breaks them."""
    text = "".join(render.json(report))
    document = json.loads(text)

    assert list(document) == ["kind", "path", "format", "executable", "image", "findings"]
    assert list(document["findings"][0]) == ["id", "status", "check", "evidence"]
    assert list(document["executable"]) == ["path", "size", "compressed", "sha256", "elf"]
    assert msgspec.json.decode(text, type=Report) == report


def test_many_files_are_counted(report: Report) -> None:
    """Thousands of files do not fill the terminal."""
    assert report.image is not None
    facts = msgspec.structs.replace(report.image, files=tuple(report.image.files) * 100)

    text = render.text(msgspec.structs.replace(report, image=facts), color=False)

    assert "600 entries; the JSON report lists every one" in text


@pytest.mark.parametrize(
    ("count", "text"),
    [(0, "0 B"), (999, "999 B"), (1000, "1 kB"), (5_430_123, "5.43 MB"), (7 * 10**10, "70 GB")],
)
def test_sizes(count: int, text: str) -> None:
    """Decimal units, as Docker prints them."""
    assert terminal.size(count) == text


def test_a_plan() -> None:
    """One line per field: name and value."""
    project = Project(
        root=Path("app"),
        name="app",
        version="1",
        entry=EntryPoint("app.cli", "main"),
        code=Path("app/src"),
        dependencies=(),
        options=Options(),
    )
    planned = Plan(
        project=project,
        machine="x86_64",
        build_machine="x86_64",
        python=Source(name="CPython", version="3.13.5", sha256="00"),
        series="3.13",
        zlib=Source(name="zlib", version="1.3.1", sha256="01"),
        toolchain="ziglang 0.17.1",
        distributions=(Pin("msgspec", "0.20", ()),),
        build_pins=(),
    )

    lines = plans.plan(planned).splitlines()

    assert "starts          app.cli:main" in lines
    assert "with            msgspec 0.20" in lines
    assert "build tools     none" in lines


def test_imports_left_out() -> None:
    """A line each: module, importer, reason, and the chain behind it; nothing moves the cursor."""
    modules = [
        OmittedModule("ssl", "http.client", "ssl needs _ssl", ("http.client", "ssl")),
        OmittedModule("a\x1b[2J", "app", "no such module", ("a",)),
    ]

    assert [
        "  ssl, imported by http.client: ssl needs _ssl (http.client -> ssl)",
        "  a\\x1b[2J, imported by app: no such module",
    ] == plans.omitted(modules).splitlines()
