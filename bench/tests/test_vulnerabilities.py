"""Known vulnerabilities: sources, judgments, the page."""

import json
import threading
import zipfile
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

import pytest

from bench.lib.harness import MeasureError
from bench.vulnerabilities import assessments, components, page, records, sources
from bench.vulnerabilities.assessments import Status
from bench.vulnerabilities.records import Verdict

from .vulnerability_records import NCURSES, OPENSSL, XML, cve, osv


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A folder of records, and of other things."""
    folder = tmp_path / "copy"
    folder.mkdir()
    span = {"version": "3.5.0", "lessThan": "3.5.9", "status": "affected"}
    (folder / "a.json").write_text(json.dumps(cve(span)))
    (folder / "b.yaml").write_text(json.dumps(osv(versions=["v2.15.3"])))
    (folder / "c.json").write_text('["openssl"]')
    (folder / "d.json").write_text('{"openssl": ')
    (folder / "e.json").write_text(json.dumps(cve(span, product="Another")).replace("OpenSSL", "x"))
    (folder / "f.txt").write_text("openssl")
    return folder


@pytest.mark.parametrize("packed", [False, True])
def test_copy_is_a_folder_or_a_zip(copy: Path, tmp_path: Path, *, packed: bool) -> None:
    """Both formats, in JSON and YAML; files of another format are counted."""
    place = copy
    if packed:
        place = tmp_path / "all.zip"
        with zipfile.ZipFile(place, "w") as archive:
            for file in copy.iterdir():
                archive.write(file, f"deep/{file.name}")

    found = sources.from_copy(place, [OPENSSL, XML])

    assert {"CVE-2026-1", "CVE-2026-2"} == {record.id for record in found.records}
    assert (2, 2) == (found.read, found.unreadable)


def test_copy_that_is_missing(tmp_path: Path) -> None:
    with pytest.raises(MeasureError, match="missing; expected a folder, a zip or a file"):
        sources.from_copy(tmp_path / "none", [XML])


class Service(BaseHTTPRequestHandler):
    """Responds as OSV documents it: a page, and the token of the next one."""

    asked: ClassVar[list[dict[str, Any]]] = []
    reply: ClassVar[bytes] = b""

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.asked.append(body)
        reply: dict[str, Any] = {}
        if body["package"]["name"].endswith("libxml2") and "page_token" not in body:
            reply = {"vulns": [osv()], "next_page_token": "2"}
        elif "page_token" in body:
            reply = {"vulns": [{**osv(), "aliases": [], "id": "OSV-2026-9"}]}
        self.send_response(200)
        self.end_headers()
        self.wfile.write(self.reply or json.dumps(reply).encode())

    def log_message(self, *_: object) -> None:
        """Keep quiet."""


@pytest.fixture
def api() -> Iterator[str]:
    """The address of a service like OSV's."""
    Service.asked.clear()
    Service.reply = b""
    with ThreadingHTTPServer(("127.0.0.1", 0), Service) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/v1/query"
        server.shutdown()


def test_api_is_read_to_its_last_page(api: str) -> None:
    """By repository and version; by Debian's package without one."""
    found = sources.from_api([XML, NCURSES], address=api)

    assert ["CVE-2026-1", "OSV-2026-9"] == [record.id for record in found.records]
    assert {Verdict.AFFECTED} == {record.verdict for record in found.records}
    assert [
        ("https://gitlab.gnome.org/GNOME/libxml2", "GIT", "2.15.3"),
        ("https://gitlab.gnome.org/GNOME/libxml2", "GIT", "2.15.3"),
        ("ncurses", "Debian:13", "6.5+20250216"),
    ] == [
        (body["package"]["name"], body["package"]["ecosystem"], body["version"])
        for body in Service.asked
    ]


@pytest.mark.parametrize("reply", [b"<html>", b"[]", b"\xff"])
def test_api_that_responds_otherwise(api: str, reply: bytes) -> None:
    """The error names the component and the other means."""
    Service.reply = reply

    with pytest.raises(MeasureError, match=r"libxml2 2\.15\.3: .*--from FILE"):
        sources.from_api([XML], address=api)


def test_api_out_of_reach() -> None:
    with pytest.raises(MeasureError, match="download a copy of its data"):
        sources.from_api([XML], address="http://127.0.0.1:1/")


def test_page(copy: Path) -> None:
    """Each component, its records, the judgments; without a record the number is unknown."""
    found = sources.from_copy(copy, [OPENSSL, XML, NCURSES])
    judged = assessments.Assessment(
        id="CVE-2026-2", component="OpenSSL", status=Status.NOT_BUILT, because="x",
        source="https://x.example/1",
    )  # fmt: skip
    early = assessments.Assessment(
        id="CVE-2026-3", component="OpenSSL", status=Status.REACHABLE, because="a | b",
        fixed="3.5.9", severity="high",
    )  # fmt: skip

    text = page.render(
        [OPENSSL, XML, NCURSES], [found], [judged, early], date="2026-11-27", service=["zlib"]
    )
    rows = {" ".join(line.split()) for line in text.splitlines()}

    assert {
        "| OpenSSL | 3.5.7 | programs with `_ssl` | 2 | 1 | 2026-09-29 |",
        "| ncurses | 6.5+20250216 | | ? | ? | no record read |",
        "| [CVE-2026-2](https://x.example/1) | OpenSSL 3.5.7 | low | 3.5.9 | code not built | x |",
        "| CVE-2026-3 | OpenSSL 3.5.7 | high | 3.5.9 | reachable | a \\| b |",
        "| CVE-2026-1 | libxml2 2.15.3 | | unknown | not judged | An overflow |",
        "These sources have no record about ncurses.",
    } <= rows
    assert "links zlib" in text


@pytest.mark.parametrize(("date", "number"), [("2026-11-27", "0"), ("2028-01-01", "?")])
def test_old_records_prove_nothing(date: str, number: str) -> None:
    """A library without vulnerabilities in old records alone may have some."""
    record = records.of(osv(versions=["v2.15.30"]), XML)
    assert record is not None
    found = sources.Found(source="copy", records=(record,), read=1, unreadable=0)

    text = page.render([XML], [found], [], date=date, service=[])

    rows = {" ".join(line.split()) for line in text.splitlines()}
    assert f"| libxml2 | 2.15.3 | {XML.linked} | {number} | {number} | 2026-04-12 |" in rows


def test_judgments_of_the_repository() -> None:
    """Each is of a pinned component, once, with a reason and the authors' advisory."""
    names = {*components.REPOSITORIES, "ncurses", "libedit", "mpdecimal"}
    found = assessments.read()

    assert {item.component for item in found} <= names
    assert len({(item.component, item.id) for item in found}) == len(found)
    assert all(item.because and item.source.startswith("https://") for item in found)


def test_judgment_with_a_fault_is_rejected(tmp_path: Path) -> None:
    file = tmp_path / "assessments.toml"
    file.write_text('[[assessment]]\nid = "x"\nstatus = "maybe"\n')

    with pytest.raises(MeasureError, match="expected id, component, because, status"):
        assessments.read(file)


def test_components_name_what_is_linked(tmp_path: Path) -> None:
    """CPython's own bill of materials has the versions that it brings; the compiler has musl's."""
    names = {"expat": "2.7.3", "hacl-star": "1", "mpdecimal": "2.5.1"}
    packages = [{"name": name, "versionInfo": version} for name, version in names.items()]
    trees = {"3.14.7": tmp_path / "old", "3.15.0": tmp_path / "new"}
    for tree, makefile in zip(
        trees.values(), ("LIBEXPAT_OBJS= LIBMPDEC_OBJS=", "LIBEXPAT_OBJS="), strict=True
    ):
        (tree / "Misc").mkdir(parents=True)
        (tree / "Misc" / "sbom.spdx.json").write_text(json.dumps({"packages": packages}))
        (tree / "Makefile.pre.in").write_text(makefile)
    header = tmp_path / components.MUSL_VERSION
    header.parent.mkdir(parents=True)
    header.write_text('#define VERSION "1.2.5"\n')

    every = components.every(trees, tmp_path)
    found = {item.name: item for item in every}

    assert ("2.7.3", "1.2.5") == (found["expat"].version, found["musl"].version)
    assert (
        "programs of CPython 3.14.7 with `pyexpat`; programs of CPython 3.15.0 with `pyexpat`"
        == found["expat"].linked
    )
    assert ["programs of CPython 3.14.7 with `_decimal`"] == [
        item.linked for item in every if item.version == "2.5.1"
    ]
    assert "programs with `_hashlib`, `_ssl`" == found["OpenSSL"].linked
    assert "programs with `zlib`" == found["zlib"].linked
    assert "programs with an extension that uses it" == found["LibYAML"].linked


@pytest.mark.parametrize("missing", ["sbom", "musl"])
def test_version_that_is_nowhere(missing: str, tmp_path: Path) -> None:
    with pytest.raises(MeasureError, match="expected"):
        components.every({"3.14.7": tmp_path} if missing == "sbom" else {}, tmp_path)
