"""A bill of materials as SPDX 2.3 in JSON (ISO/IEC 5962 is 2.2.1, its subset)."""

import re
from typing import Any, Final

import msgspec

from .bill import Bill, Material
from .date import rfc3339

MEDIA_TYPE: Final = "application/spdx+json"

NAMESPACE: Final = "https://spdx.org/spdxdocs"
"""The place of namespaces of documents that are not published (spdx-spec 6.5)."""

UNKNOWN: Final = "NOASSERTION"


def document(bill: Bill, epoch: int) -> bytes:
    """Return *bill*, dated *epoch* (seconds): the same values give the same bytes."""
    root = "SPDXRef-executable"
    ids = [f"SPDXRef-material-{number}" for number in range(1, len(bill.materials) + 1)]
    relationships = [_relationship("SPDXRef-DOCUMENT", "DESCRIBES", root)]
    for identifier, material in zip(ids, bill.materials, strict=True):
        kind = "CONTAINS" if material.kind == "distribution" else "STATIC_LINK"
        relationships.append(_relationship(root, kind, identifier))
    own = _own_licenses(bill)
    found = {
        "spdxVersion": "SPDX-2.3",
        "dataLicense": "CC0-1.0",
        "SPDXID": "SPDXRef-DOCUMENT",
        "name": f"{bill.name}-{bill.version}",
        # Unique by the described file, and the same for the same executable.
        "documentNamespace": f"{NAMESPACE}/{_word(bill.name)}-{_word(bill.version)}-{bill.sha256}",
        "creationInfo": {
            "created": rfc3339(epoch),
            "creators": [f"Tool: {bill.made_by.replace(' ', '-')}"],
        },
        "packages": [
            _executable(root, bill),
            *(_package(*pair) for pair in zip(ids, bill.materials, strict=True)),
        ],
        "relationships": relationships,
        **({"hasExtractedLicensingInfos": own} if own else {}),
    }
    return msgspec.json.format(msgspec.json.encode(found), indent=1) + b"\n"


def _own_licenses(bill: Bill) -> list[dict[str, str]]:
    """Return the licenses that are not on SPDX's list, by the names that expressions give them."""
    found: dict[str, str] = {}
    every: tuple[Bill | Material, ...] = (bill, *bill.materials)
    for item in every:
        for name in re.findall(r"LicenseRef-[\w.-]+", item.license):
            found.setdefault(name, item.license_text or f"as {item.name} states it")
    return [{"licenseId": name, "extractedText": text} for name, text in sorted(found.items())]


def _executable(identifier: str, bill: Bill) -> dict[str, Any]:
    found = {
        "name": bill.name,
        "SPDXID": identifier,
        "versionInfo": bill.version,
        "downloadLocation": UNKNOWN,
        "filesAnalyzed": False,
        "checksums": [_checksum(bill.sha256)],
        "licenseConcluded": UNKNOWN,
        "licenseDeclared": bill.license or UNKNOWN,
        "copyrightText": UNKNOWN,
        "primaryPackagePurpose": "APPLICATION",
        "summary": bill.description,
        "licenseComments": bill.license_text,
        "comment": f"A static executable of {bill.size} bytes for Linux on {bill.machine}.",
    }
    return _without_empty(found)


def _package(identifier: str, material: Material) -> dict[str, Any]:
    references = [_reference("PACKAGE-MANAGER", "purl", material.purl)]
    if material.cpe:
        references.append(_reference("SECURITY", "cpe23Type", material.cpe))
    found = {
        "name": material.name,
        "SPDXID": identifier,
        "versionInfo": material.version,
        "packageFileName": material.file,
        "downloadLocation": material.url or UNKNOWN,
        "filesAnalyzed": False,
        "checksums": [_checksum(material.sha256)] if material.sha256 else [],
        "sourceInfo": "; ".join(filter(None, (material.note, material.changes))),
        "licenseConcluded": UNKNOWN,
        "licenseDeclared": material.license or UNKNOWN,
        "licenseComments": material.license_text,
        "copyrightText": UNKNOWN,
        "primaryPackagePurpose": "LIBRARY",
        "externalRefs": references,
    }
    return _without_empty(found)


def _without_empty(values: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in values.items() if value not in ("", [])}


def _checksum(sha256: str) -> dict[str, str]:
    return {"algorithm": "SHA256", "checksumValue": sha256}


def _reference(category: str, kind: str, locator: str) -> dict[str, str]:
    return {
        "referenceCategory": category,
        "referenceType": kind,
        "referenceLocator": locator,
    }


def _relationship(element: str, kind: str, related: str) -> dict[str, str]:
    return {
        "spdxElementId": element,
        "relationshipType": kind,
        "relatedSpdxElement": related,
    }


def _word(text: str) -> str:
    """Return *text* as a part of an address."""
    return "".join(char if char.isascii() and (char.isalnum() or char in "._-") else "-"
                   for char in text)  # fmt: skip
