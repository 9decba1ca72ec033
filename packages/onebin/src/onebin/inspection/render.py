"""Reports as text for people, as JSON for programs."""

import json as stdlib_json
import re
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Final, Literal

import msgspec

from onebin.objects.facts import ElfFacts
from onebin.terminal import KILO, line, row, size

from .report import Executable, Finding, ImageReport, Report

MAX_FILES: Final = 40
"""Listed in the text; a minimal image has under ten, and JSON lists all of any."""
MAX_ITEMS: Final = 6
"""Of one kind on one line."""

_BATCH: Final = 1000
"""Files of a report made into JSON at a time: some 200 kB."""
_NO_FILES: Final = '"files": []'

_UNSAFE: Final = re.compile(r"[^\n -~]")
"""Characters that may be unsafe: all beyond ASCII, and DEL."""

_Style = Literal["bold", "red", "green", "yellow", "dim"]
_CODES: Final[dict[_Style, str]] = {
    "bold": "1",
    "red": "31",
    "green": "32",
    "yellow": "33",
    "dim": "2",
}
_STATUS: Final[dict[str, tuple[str, _Style]]] = {
    "fail": ("FAIL", "red"),
    "unknown": ("?", "yellow"),
    "pass": ("ok", "green"),
}


def json(report: Report) -> Iterator[str]:
    r"""Yield the report as JSON in pieces, two spaces deep, keys in the order of ``Report``.

    Pieces, because an image may have half a million files. Characters unsafe on a terminal
    (controls, marks that turn the direction of text) are written as ``\uXXXX``.
    """
    if report.image is None:
        yield _json(report)
        return
    short = msgspec.structs.replace(report.image, files=())
    # No foreign text can match it: quotes inside strings are escaped.
    before, _, after = _json(msgspec.structs.replace(report, image=short)).partition(_NO_FILES)
    yield before
    files, between = iter(report.image.files), _NO_FILES[:-1]
    while batch := list(islice(files, _BATCH)):
        # Without its brackets, indented two steps more.
        yield between + _json(batch)[1:-2].replace("\n", "\n" + " " * 4)
        between = ","
    yield _NO_FILES if between != "," else f"\n{' ' * 4}]"
    yield after


def _json(value: object) -> str:
    text = msgspec.json.format(msgspec.json.encode(value), indent=2).decode()
    return _UNSAFE.sub(_escaped, text)


def _escaped(match: re.Match[str]) -> str:
    char = match[0]
    # ``json`` writes pairs of surrogates beyond 16 bits, as JSON has it.
    return char if char.isprintable() else stdlib_json.dumps(char)[1:-1]


def text(report: Report, *, color: bool) -> str:
    """Return the report as lines for a terminal: facts, files, findings.

    Names in an image may hold any characters; only printable ones come out.
    """
    paint = _Paint(enabled=color)
    lines = [paint("bold", line(_title(report)))]
    lines += [row(name, line(value)) for name, value in _rows(report) if value]
    if report.image is not None:
        lines += ["", *_files(report.image)]
    lines += ["", *_findings(report.findings, paint)]
    return "\n".join(lines) + "\n"


class _Paint:
    """Adds colors if they are enabled."""

    def __init__(self, *, enabled: bool) -> None:
        self._enabled = enabled

    def __call__(self, style: _Style, value: str) -> str:
        return f"\x1b[{_CODES[style]}m{value}\x1b[0m" if self._enabled else value


def _title(report: Report) -> str:
    if report.image is None:
        return f"{report.path}: executable"
    names = "".join(f", {name}" for name in report.image.names)
    return f"{report.path}: image for {report.image.platform} ({report.format}){names}"


def _rows(report: Report) -> Iterator[tuple[str, str]]:
    image, executable = report.image, report.executable
    yield "static", _static(executable)
    if image is not None:
        yield (
            "size",
            f"{_with_bytes(image.unpacked)} unpacked, {_with_bytes(image.compressed)} in gzip",
        )
    if executable is not None:
        packed = f"{size(executable.compressed)} in gzip"
        yield "executable", f"{executable.path}: {_with_bytes(executable.size)}, {packed}"
        yield "machine", _machine(executable.elf)
        yield "hardening", _hardening(executable.elf)
    if image is not None:
        yield from _image_rows(image)
    elif executable is not None:
        yield "sha256", executable.sha256


def _image_rows(image: ImageReport) -> Iterator[tuple[str, str]]:
    yield "runs as", image.user or "root (no user is set)"
    yield "starts", " ".join((*image.entrypoint, *image.cmd)) or "nothing"
    yield "health check", " ".join(image.healthcheck) or "none"
    yield "ports", _first_items(image.ports)
    yield "environment", _first_items(image.env)
    yield "layers", f"{len(image.layers)}, {size(image.wasted_bytes)} of them hidden by later ones"
    yield "files", f"{image.file_count}"
    more = image.not_listed
    others = more.get("other_executables", 0) + more.get("other_elf_files", 0)
    yield "other programs", _first_items((*image.other_executables, *image.other_elf_files), others)
    yield "shells", _first_items(image.shells)
    yield "interpreters", _first_items(image.interpreters)
    yield "network tools", _first_items(image.network_tools)
    yield "packages", _first_items(image.package_managers)
    yield "setuid", _first_items(image.setuid, more.get("setuid", 0))
    yield "all may write", _first_items(image.world_writable, more.get("world_writable", 0))
    yield "digest", image.digest
    yield "image id", image.id


def _static(executable: Executable | None) -> str:
    if executable is None:
        return "no: it does not start an ELF file"
    elf = executable.elf
    return f"{'yes' if elf.static else 'no'} ({elf.kind}): {'; '.join(elf.reasons)}"


def _machine(elf: ElfFacts) -> str:
    order = "little" if elf.little_endian else "big"
    return (
        f"{elf.machine}, {elf.bits} bits, {order}-endian, {'' if elf.stripped else 'not '}stripped"
    )


def _hardening(elf: ElfFacts) -> str:
    protector = {True: "stack protector", False: "no stack protector", None: "stack protector: ?"}
    return ", ".join(
        (
            "PIE" if elf.kind.endswith("pie") else "no PIE",
            "RELRO" if elf.relro else "no RELRO",
            "executable stack" if elf.executable_stack else "no executable stack",
            protector[elf.stack_protector],
            *([f"{elf.writable_code} writable code segments"] if elf.writable_code else []),
        )
    )


def _files(image: ImageReport) -> Iterator[str]:
    if len(image.files) > MAX_FILES:
        yield f"{len(image.files)} entries; the JSON report lists every one"
        return
    for file in image.files:
        kind = "/" if file.kind == "directory" and file.path != "/" else ""
        link = f" -> {file.link}" if file.link else ""
        owner = f"{file.uid}:{file.gid}"
        yield line(f"{file.mode} {owner:>11} {file.size:>10}  {file.path}{kind}{link}")


def _findings(findings: Iterable[Finding], paint: _Paint) -> Iterator[str]:
    by_status = {status: [f for f in findings if f.status == status] for status in _STATUS}
    yield paint(
        "bold",
        f"{len(by_status['fail'])} failed, {len(by_status['unknown'])} unknown,"
        f" {len(by_status['pass'])} passed",
    )
    for status, (word, style) in _STATUS.items():
        for finding in by_status[status]:
            yield f"{paint(style, f'{word:<4}')}  {finding.id:<13}  {finding.check}"
            if status == "pass":
                continue
            yield from (paint("dim", " " * 21 + line(text)) for text in finding.evidence)


def _first_items(items: tuple[str, ...], not_listed: int = 0) -> str:
    count = len(items) + not_listed
    if count <= MAX_ITEMS:
        return ", ".join(items) or "none"
    return f"{', '.join(items[:MAX_ITEMS])} and {count - MAX_ITEMS} more"


def _with_bytes(count: int) -> str:
    return f"{size(count)} ({count} bytes)" if count >= KILO else size(count)
