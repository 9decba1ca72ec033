"""Known vulnerabilities: the order of versions, records of both formats, sources, the page."""

import json
import threading
import zipfile
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.version import Version

from bench.lib.harness import MeasureError
from bench.vulnerabilities import assessments, components, page, records, sources, versions
from bench.vulnerabilities.assessments import Status
from bench.vulnerabilities.components import Component
from bench.vulnerabilities.records import Verdict

OPENSSL = Component(name="OpenSSL", version="3.5.7", linked="programs with `_ssl`")
XML = Component(name="libxml2", version="2.15.3", linked="programs with an extension that uses it")
NCURSES = Component(name="ncurses", version="6.5+20250216", linked="", debian="ncurses")


@pytest.mark.parametrize(
    "ordered",
    [
        ["3.15.0a1", "3.15.0b2", "3.15.0rc1", "3.15.0rc2", "3.15.0", "3.15.1"],
        ["1.0.2", "1.0.2zq", "1.1.1", "1.1.1w", "1.1.1zh", "3.0.0"],
        ["6.5", "6.5+20250216", "6.5-20250329", "6.6"],
        ["v2.9.14", "v2.15.3", "v2.15.4"],
        ["R_2_4_9", "R_2_6_4", "R_2_10_0"],
        ["openssl-3.5.7", "openssl-3.5.9", "openssl-3.5.10"],
        ["bzip2-1.0.6", "1.0.8"],
    ],
)
def test_order_of_versions(ordered: list[str]) -> None:
    """As their authors mean it."""
    keys = [versions.key(text) for text in ordered]

    assert keys == sorted(key for key in keys if key)
    assert len(set(keys)) == len(keys)


@given(
    st.lists(st.integers(0, 999), min_size=1, max_size=4),
    st.lists(st.integers(0, 999), min_size=1, max_size=4),
    st.sampled_from(["", "a1", "b2", "rc1", "rc9"]),
    st.sampled_from(["", "a1", "b2", "rc1", "rc9"]),
)
def test_order_is_that_of_python(
    first: list[int], second: list[int], kind: str, other: str
) -> None:
    """Of any two versions that PEP 440 knows."""
    one, two = (
        f"{'.'.join(map(str, numbers))}{word}" for numbers, word in ((first, kind), (second, other))
    )

    left, right = versions.key(one), versions.key(two)

    assert left is not None
    assert right is not None
    assert (Version(one) < Version(two), Version(one) == Version(two)) == (
        left < right,
        left == right,
    )


@pytest.mark.parametrize("text", ["", "unspecified", "n/a", "-"])
def test_text_without_a_version(text: str) -> None:
    """It is within nothing."""
    assert versions.key(text) is None
    assert not versions.is_within(text, "", "")


def osv(**part: Any) -> dict[str, Any]:
    """A document of OSV about libxml2."""
    package = {"ecosystem": "OSS-Fuzz", "name": "libxml2"}
    return {
        "id": "OSV-2026-1", "aliases": ["GHSA-x", "CVE-2026-1"], "modified": "2026-04-12T00:00:00Z",
        "summary": "An overflow. More words.", "affected": [{"package": package, **part}],
    }  # fmt: skip


def git(*events: dict[str, str], **more: Any) -> dict[str, Any]:
    """A range of commits."""
    return {"type": "GIT", "repo": "https://gitlab.gnome.org/GNOME/libxml2.git",
            "events": [*events], **more}  # fmt: skip


@pytest.mark.parametrize(
    ("part", "verdict", "fixed"),
    [
        ({"versions": ["v2.15.3"]}, Verdict.AFFECTED, ()),
        ({"versions": ["v2.15.30", "v2.15.2"]}, Verdict.UNAFFECTED, ()),
        ({"ranges": [git({"introduced": "0"}, {"fixed": "abc"})]}, Verdict.UNDECIDED, ()),
        (
            {"ranges": [git({"introduced": "a"}, {"fixed": "b"},
             database_specific={"versions": [{"introduced": "2.15.0"}, {"fixed": "2.15.4"}]})]},
            Verdict.AFFECTED, ("2.15.4",),
        ),
        (
            {"ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "2.9"}]}]},
            Verdict.UNAFFECTED, (),
        ),
        (
            {"ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "2.15"}]}]},
            Verdict.AFFECTED, (),
        ),
        (
            {"ranges": [{"type": "SEMVER", "events": [
                {"introduced": "0"}, {"last_affected": "2.15.3"},
            ]}]},
            Verdict.AFFECTED, (),
        ),
        (
            {"ranges": [{"type": "SEMVER", "events": [
                {"introduced": "0"}, {"fixed": "2.14.9"},
                {"introduced": "2.15.0"}, {"fixed": "2.15.5"},
            ]}]},
            Verdict.AFFECTED, ("2.15.5",),
        ),
    ],
)  # fmt: skip
def test_record_of_osv(part: dict[str, Any], verdict: Verdict, fixed: tuple[str, ...]) -> None:
    """Listed versions, ranges, versions beside commits; commits alone decide nothing."""
    found = records.of(osv(**part), XML)

    assert found is not None
    assert ("CVE-2026-1", verdict, fixed) == (found.id, found.verdict, found.fixed)
    assert ("An overflow", "2026-04-12T00:00:00Z") == (found.summary, found.modified)


def test_record_of_another_thing_is_none() -> None:
    """Of another project, or withdrawn; the repository's address alone suffices."""
    assert records.of(osv(versions=["v2.15.3"]), OPENSSL) is None
    assert records.of({**osv(versions=["v2.15.3"]), "withdrawn": "2026"}, XML) is None
    nameless = osv(ranges=[git({"introduced": "0"})])
    del nameless["affected"][0]["package"]
    assert records.of(nameless, XML) is not None


def affected(start: str, **end: str) -> dict[str, str]:
    """A range of a CVE record."""
    return {"version": start, "status": "affected", **end}


def cve(
    *spans: dict[str, str], product: str = "OpenSSL", state: str = "PUBLISHED"
) -> dict[str, Any]:
    """A CVE record, as OpenSSL's authors write them."""
    return {
        "dataType": "CVE_RECORD",
        "cveMetadata": {"cveId": "CVE-2026-2", "state": state, "dateUpdated": "2026-09-29"},
        "containers": {"cna": {
            "affected": [{"product": product, "vendor": "x", "versions": [*spans]}],
            "descriptions": [{"lang": "en", "value": "Issue summary: A leak\nof memory. Or so."}],
            "metrics": [{"other": {"content": {"text": "Low"}}}],
        }},
    }  # fmt: skip


@pytest.mark.parametrize(
    ("spans", "verdict", "fixed"),
    [
        ([affected("3.5.0", lessThan="3.5.9")], Verdict.AFFECTED, ("3.5.9",)),
        ([affected("3.5.0", lessThan="3.5.7")], Verdict.UNAFFECTED, ()),
        ([affected("1.1.1", lessThan="1.1.1zh")], Verdict.UNAFFECTED, ()),
        ([affected("0", lessThanOrEqual="3.5.7")], Verdict.AFFECTED, ()),
        ([affected("3.5.7")], Verdict.AFFECTED, ()),
        ([{"version": "3.5.7", "status": "unaffected"}], Verdict.UNDECIDED, ()),
        ([affected("0", lessThan="*")], Verdict.AFFECTED, ()),
        ([{"version": "abc", "lessThan": "def", "status": "affected", "versionType": "git"}],
         Verdict.UNDECIDED, ()),
    ],
)  # fmt: skip
def test_record_of_cve(
    spans: list[dict[str, str]], verdict: Verdict, fixed: tuple[str, ...]
) -> None:
    """Ranges with an excluded or included end, single versions, no commits."""
    found = records.of(cve(*spans), OPENSSL)

    assert found is not None
    assert ("CVE-2026-2", verdict, fixed, "low") == (
        found.id, found.verdict, tuple(end for end in found.fixed), found.severity
    )  # fmt: skip
    assert "A leak of memory" == found.summary


def test_product_with_a_common_name() -> None:
    """``libc`` is musl's if its vendor is."""
    record = cve(affected("1.2.5"), product="libc")
    musl = Component(name="musl", version="1.2.5", linked="every program")

    assert records.of(record, musl) is None
    record["containers"]["cna"]["affected"][0]["vendor"] = "musl"
    assert records.of(record, musl) is not None


def test_rejected_cve_and_other_product_are_none() -> None:
    """The product's name decides, in any case."""
    span = {"version": "0", "lessThan": "9", "status": "affected"}

    assert records.of(cve(span, state="REJECTED"), OPENSSL) is None
    assert records.of(cve(span, product="OpenSSL-like"), OPENSSL) is None
    assert records.of(cve(span, product="openssl"), OPENSSL) is not None


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
