"""Where records come from: OSV's API, or copies that someone has downloaded."""

import json
import urllib.error
import urllib.request
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

from bench.lib.harness import MeasureError
from bench.vulnerabilities import records
from bench.vulnerabilities.components import Component
from bench.vulnerabilities.records import Record

API: Final = "https://api.osv.dev/v1/query"
"""Public, without an account (google.github.io/osv.dev/post-v1-query)."""

_TIMEOUT_SECONDS: Final = 30
_MAX_BYTES: Final = 64 << 20
"""Of a response, of a document: the largest have a few megabytes."""
_FORMATS: Final = (".json", ".yaml", ".yml")


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What one source reports."""

    source: str
    records: tuple[Record, ...]
    read: int
    """Documents that name a component, whatever the version."""
    unreadable: int
    """Files that have neither format."""


def from_api(components: Sequence[Component], *, address: str = API) -> Found:
    """Return what OSV reports about the versions of *components*.

    Raises:
        MeasureError: it cannot be reached, or its response is not the documented one.
    """
    found = []
    for component in components:
        for document in _query(component, address):
            record = records.of(document, component, is_matched=True)
            if record:
                found.append(record)
    return Found(source=address, records=tuple(found), read=len(found), unreadable=0)


def _query(component: Component, address: str) -> Iterator[dict[str, Any]]:
    """Yield all documents about *component*, page by page."""
    package = {"name": component.repository, "ecosystem": "GIT"}
    if not component.repository:
        if not component.debian:
            return
        package = {"name": component.debian, "ecosystem": "Debian:13"}
    body: dict[str, object] = {"package": package, "version": component.version}
    while True:
        try:
            request = urllib.request.Request(  # noqa: S310  (https, the constant above)
                address, json.dumps(body).encode(), {"Content-Type": "application/json"}
            )
            with urllib.request.urlopen(request, timeout=_TIMEOUT_SECONDS) as response:  # noqa: S310
                page = json.loads(response.read(_MAX_BYTES))
            yield from page.get("vulns", ())
        except (OSError, ValueError, AttributeError) as exc:
            reason = exc.reason if isinstance(exc, urllib.error.URLError) else exc
            raise MeasureError(
                f"{address}: {component.name} {component.version}: {reason}; download a copy of "
                "its data and give it by --from FILE"
            ) from exc
        if not page.get("next_page_token"):
            return
        body["page_token"] = page["next_page_token"]


def from_copy(place: Path, components: Sequence[Component]) -> Found:
    """Return what the documents in *place*, a folder, a zip or one file, report.

    Raises:
        MeasureError: there is nothing of that kind.
    """
    found: list[Record] = []
    read = unreadable = 0
    names = {name for component in components for name in component.names}
    for text in _texts(place):
        # Most documents of a large database are about other things: parsing them is slow.
        small = text.lower()
        if not any(name in small for name in names):
            continue
        try:
            document = json.loads(text) if text.lstrip().startswith("{") else yaml.safe_load(text)
            made = [records.of(document, component) for component in components]
        except (ValueError, LookupError, TypeError, AttributeError, yaml.YAMLError):
            unreadable += 1
            continue
        found += [record for record in made if record]
        read += any(made)
    return Found(source=place.name, records=tuple(found), read=read, unreadable=unreadable)


def _texts(place: Path) -> Iterator[str]:
    if place.is_dir():
        for file in sorted(path for path in place.rglob("*") if path.suffix in _FORMATS):
            yield file.read_text("utf-8", "replace")
    elif zipfile.is_zipfile(place):
        with zipfile.ZipFile(place) as archive:
            for entry in archive.infolist():
                if entry.filename.endswith(_FORMATS) and entry.file_size < _MAX_BYTES:
                    yield archive.read(entry).decode("utf-8", "replace")
    elif place.is_file():
        yield place.read_text("utf-8", "replace")
    else:
        raise MeasureError(
            f"--from {place}: missing; expected a folder, a zip or a file of records"
        )
