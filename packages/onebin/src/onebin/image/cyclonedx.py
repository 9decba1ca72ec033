"""A bill of materials as CycloneDX 1.6 in JSON (ECMA-424)."""

from typing import Any, Final

import msgspec

from .bill import Bill, Material
from .date import rfc3339

MEDIA_TYPE: Final = "application/vnd.cyclonedx+json"

TYPES: Final = {"interpreter": "framework", "library": "library", "distribution": "library"}


def document(bill: Bill, epoch: int) -> bytes:
    """Return *bill*, dated *epoch* (seconds): the same values give the same bytes."""
    references = [f"material-{number}" for number in range(1, len(bill.materials) + 1)]
    tool, _, version = bill.made_by.partition(" ")
    found = {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {
            "timestamp": rfc3339(epoch),
            "tools": {"components": [{"type": "application", "name": tool, "version": version}]},
            "component": _executable(bill),
        },
        "components": [
            _component(*pair) for pair in zip(references, bill.materials, strict=True)
        ],
        "dependencies": [
            {"ref": "executable", "dependsOn": references},
            *({"ref": reference} for reference in references),
        ],
    }  # fmt: skip
    return msgspec.json.format(msgspec.json.encode(found), indent=1) + b"\n"


def _executable(bill: Bill) -> dict[str, Any]:
    found = {
        "type": "application",
        "bom-ref": "executable",
        "name": bill.name,
        "version": bill.version,
        "description": bill.description,
        "hashes": [_hash(bill.sha256)],
        "licenses": _licenses(bill.license, bill.license_text),
        "properties": [
            {"name": "onebin:bytes", "value": str(bill.size)},
            {"name": "onebin:machine", "value": bill.machine},
        ],
    }
    return {key: value for key, value in found.items() if value}


def _component(reference: str, material: Material) -> dict[str, Any]:
    external: list[dict[str, Any]] = []
    if material.url:
        external.append({"type": "source-distribution", "url": material.url})
    if external and material.sha256:
        external[0]["hashes"] = [_hash(material.sha256)]
    found = {
        "type": TYPES[material.kind],
        "bom-ref": reference,
        "name": material.name,
        "version": material.version,
        "description": material.note,
        "scope": "required",
        "hashes": [_hash(material.sha256)] if material.sha256 else [],
        "licenses": _licenses(material.license, material.license_text),
        "cpe": material.cpe,
        "purl": material.purl,
        "externalReferences": external,
        "pedigree": _pedigree(material),
    }
    return {key: value for key, value in found.items() if value}


def _pedigree(material: Material) -> dict[str, Any]:
    if not material.changes:
        return {}
    return {"patches": [{"type": "unofficial"}], "notes": material.changes}


def _licenses(expression: str, text: str) -> list[dict[str, Any]]:
    if expression:
        return [{"expression": expression}]
    return [{"license": {"name": text}}] if text else []


def _hash(sha256: str) -> dict[str, str]:
    return {"alg": "SHA-256", "content": sha256}
