"""Records of vulnerabilities in the two public formats: OSV and CVE 5.

Sources: the OSV schema 1.7 (ossf.github.io/osv-schema), the CVE record format 5.1.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from bench.vulnerabilities import versions
from bench.vulnerabilities.components import Component

_CVE: Final = re.compile(r"CVE-\d{4}-\d+")
_SUMMARY_CHARACTERS: Final = 140


class Verdict(StrEnum):
    """Whether a record concerns a version."""

    AFFECTED = "affected"
    UNAFFECTED = "unaffected"
    UNDECIDED = "undecided"
    """It names commits, and no version."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One vulnerability of one component, as a source reports it."""

    id: str
    """Its CVE where it has one."""
    component: str
    version: str
    verdict: Verdict
    severity: str
    fixed: tuple[str, ...]
    """Versions that fix it, as far as the record names any."""
    summary: str
    modified: str
    """RFC 3339."""


def of(
    document: Mapping[str, Any], component: Component, *, is_matched: bool = False
) -> Record | None:
    """Return what *document* reports about *component*; None if nothing.

    Args:
        document: In either format.
        component: Of one version.
        is_matched: The source has compared the version already (OSV's API).

    Raises:
        ValueError, LookupError, TypeError, AttributeError: it has neither format.
    """
    if document.get("dataType") == "CVE_RECORD" or "containers" in document:
        return _of_cve(document, component)
    return _of_osv(document, component, is_matched=is_matched)


def _of_osv(
    document: Mapping[str, Any], component: Component, *, is_matched: bool
) -> Record | None:
    if "withdrawn" in document:
        return None
    parts = [part for part in document.get("affected", ()) if _is_of(part, component)]
    if not parts and not is_matched:
        return None
    verdicts = {_verdict(part, component.version) for part in parts}
    verdict = next((item for item in Verdict if item in verdicts), Verdict.UNDECIDED)
    names = [document["id"], *document.get("aliases", ()), *document.get("upstream", ())]
    cves = [name for text in names for name in _CVE.findall(text)]
    return Record(
        id=cves[0] if cves else document["id"],
        component=component.name,
        version=component.version,
        verdict=Verdict.AFFECTED if is_matched else verdict,
        severity=_severity(document),
        fixed=_fixed(parts, component),
        summary=_short(document.get("summary") or document.get("details") or ""),
        modified=document.get("modified", ""),
    )


def _is_of(part: Mapping[str, Any], component: Component) -> bool:
    name = part.get("package", {}).get("name", "").lower()
    places = [item.get("repo", "") for item in part.get("ranges", ())]
    return name in component.names or bool(
        component.repository
        and any(_bare(place) == _bare(component.repository) for place in places)
    )


def _bare(address: str) -> str:
    return address.lower().rstrip("/").removesuffix(".git").partition("://")[2]


def _verdict(part: Mapping[str, Any], version: str) -> Verdict:
    wanted = versions.key(version)
    listed = part.get("versions", ())
    if any(versions.key(tag) == wanted for tag in listed):
        return Verdict.AFFECTED
    spans = [*_spans(part)]
    if any(
        versions.is_within(version, start, end, is_end_included=last) for start, end, last in spans
    ):
        return Verdict.AFFECTED
    return Verdict.UNAFFECTED if listed or spans else Verdict.UNDECIDED


def _spans(part: Mapping[str, Any]) -> Iterator[tuple[str, str, bool]]:
    """Yield start, end, and whether the end is included, of each range of versions in *part*."""
    for item in part.get("ranges", ()):
        events = item.get("database_specific", {}).get("versions", ())
        if item.get("type") != "GIT":
            events = item.get("events", ())
        start = ""
        is_open = False
        for event in events:
            if "introduced" in event:
                start, is_open = event["introduced"], True
            elif "fixed" in event or "last_affected" in event:
                end = event.get("fixed") or event["last_affected"]
                yield start, end, "last_affected" in event
                is_open = False
        if is_open:
            yield start, "", False


def _fixed(parts: Iterable[Mapping[str, Any]], component: Component) -> tuple[str, ...]:
    ends = [
        end for part in parts for start, end, is_included in _spans(part)
        if end and not is_included
        and versions.is_within(component.version, start, end)
    ]  # fmt: skip
    return tuple(dict.fromkeys(ends))


def _severity(document: Mapping[str, Any]) -> str:
    given = document.get("database_specific", {}).get("severity", "")
    for part in document.get("affected", ()):
        for place in ("ecosystem_specific", "database_specific"):
            given = given or part.get(place, {}).get("severity", "")
    scores = [item.get("score", "") for item in document.get("severity", ())]
    return str(given or next(iter(scores), "")).lower()


def _of_cve(document: Mapping[str, Any], component: Component) -> Record | None:
    if document["cveMetadata"].get("state", "PUBLISHED") != "PUBLISHED":
        return None
    content = document["containers"]["cna"]
    parts = [part for part in content.get("affected", ()) if _names(part) & component.names]
    if not parts:
        return None
    spans = [span for part in parts for span in _cve_spans(part)]
    hits = [
        span
        for span in spans
        if versions.is_within(component.version, *span[:2], is_end_included=span[2])
    ]
    verdict = Verdict.AFFECTED if hits else Verdict.UNAFFECTED if spans else Verdict.UNDECIDED
    texts = [item["value"] for item in content.get("descriptions", ())]
    return Record(
        id=document["cveMetadata"]["cveId"],
        component=component.name,
        version=component.version,
        verdict=verdict,
        severity=_cve_severity(content),
        fixed=tuple(end for _, end, last in hits if end not in {"", "*"} and not last),
        summary=_short(content.get("title") or (texts or [""])[0]),
        modified=document["cveMetadata"].get("dateUpdated") or content.get("datePublic", ""),
    )


def _names(part: Mapping[str, Any]) -> set[str]:
    """Return the names of a product: also with its vendor's, as some have a plain ``libc``."""
    vendor, product, package = (
        str(part.get(key, "")).lower() for key in ("vendor", "product", "packageName")
    )
    return {product, package, f"{vendor} {product}"}


def _cve_spans(part: Mapping[str, Any]) -> Iterator[tuple[str, str, bool]]:
    for item in part.get("versions", ()):
        if item.get("status") != "affected" or item.get("versionType") == "git":
            continue
        start = str(item.get("version", ""))
        if "lessThan" in item:
            yield start, str(item["lessThan"]), False
        else:
            yield start, str(item.get("lessThanOrEqual", start)), True


def _cve_severity(content: Mapping[str, Any]) -> str:
    for metric in content.get("metrics", ()):
        if "other" in metric:
            return str(metric["other"]["content"].get("text", "")).lower()
        for name, score in metric.items():
            if name.startswith("cvss") and "baseSeverity" in score:
                return str(score["baseSeverity"]).lower()
    return ""


def _short(text: str) -> str:
    """Return the first sentence of *text*, as one line."""
    line = " ".join(word for word in text.replace("\n", " ").split(" ") if word)
    line = line.removeprefix("Issue summary: ")
    sentence = line.partition(". ")[0]
    return (
        sentence if len(sentence) <= _SUMMARY_CHARACTERS else f"{sentence[:_SUMMARY_CHARACTERS]}…"
    )
