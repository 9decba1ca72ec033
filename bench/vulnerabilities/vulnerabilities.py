"""Write docs/reference/vulnerabilities.md: known vulnerabilities of the pinned versions.

usage, in the repository: python3 -m bench.vulnerabilities.vulnerabilities [--from PLACE ...]

Records come from OSV's API. Where it cannot be reached, --from reads downloaded copies: a folder, a
zip or a file of documents in OSV's format or that of CVE 5, such as a checkout of
psf/advisory-database, openssl/release-metadata or CVEProject/cvelistV5, or the all.zip of an
ecosystem from osv-vulnerabilities.storage.googleapis.com. Exits with 1 if a vulnerability of a
pinned version was not judged.
"""

import argparse
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path
from typing import Final

import onebin
from bench.lib import cpython_source
from bench.lib.harness import ROOT, MeasureError, log
from bench.vulnerabilities import assessments, components, page, sources
from bench.vulnerabilities.sources import API, Found
from onebin.model import RELEASES

PAGE: Final = ROOT / "docs/reference/vulnerabilities.md"


def main(argv: Sequence[str] | None = None) -> int:
    """Read, write the page, name those without a judgment."""
    parser = argparse.ArgumentParser(
        prog="vulnerabilities", description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    parser.add_argument("--from", dest="places", action="append", type=Path, metavar="PLACE",
                        help="a downloaded copy, in place of OSV's API; repeatable")  # fmt: skip
    parser.add_argument("--api", default=API, metavar="URL", help="of OSV: %(default)s")
    options = parser.parse_args(argv)
    try:
        every = _components()
        found, unreachable = _found(every, options.places or [], options.api)
        judged = assessments.read()
        service = [item.name for item in onebin.build(ROOT / "packages/service").libraries]
    except (MeasureError, onebin.OnebinError) as error:
        log(f"vulnerabilities: {error}")
        return 2
    date = datetime.now(UTC).strftime("%Y-%m-%d")
    text = page.render(every, found, judged, date=date, service=service, unreachable=unreachable)
    PAGE.write_text(text, "utf-8")
    log(f"written: {PAGE.relative_to(ROOT)}")
    open_ones = [row for row in page.rows(every, found, judged) if row.assessment is None]
    for row in open_ones:
        record = row.record
        print(f"{record.id}: {record.component} {record.version}: not judged: {record.summary}")
    return int(bool(open_ones))


def _components() -> tuple[components.Component, ...]:
    newest = {release.series: release for release in RELEASES}
    trees = {release.version: cpython_source.tree(release) for release in newest.values()}
    spec = find_spec("ziglang")
    if spec is None or not spec.submodule_search_locations:
        raise MeasureError("ziglang: not installed; expected the compiler beside onebin")
    return components.every(trees, Path(next(iter(spec.submodule_search_locations))))


def _found(
    every: Sequence[components.Component], places: Sequence[Path], api: str
) -> tuple[list[Found], str]:
    """Return what the sources report, and why OSV's API does not."""
    if places:
        found = []
        for place in places:
            log(f"reading {place}")
            found.append(sources.from_copy(place, every))
        return found, "downloaded copies were given"
    log(f"reading {api}")
    return [sources.from_api(every, address=api)], ""


if __name__ == "__main__":
    sys.exit(main())
