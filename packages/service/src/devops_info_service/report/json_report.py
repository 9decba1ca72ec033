"""All of a report as JSON on one line, for programs."""

import msgspec

from devops_info_service.escape import printable_json
from devops_info_service.expectations.conformance import Conformance
from devops_info_service.snapshot import PlatformSnapshot


class PlatformWithConformance(PlatformSnapshot, frozen=True, kw_only=True):
    """A snapshot, and its conformance to expectations."""

    conformance: Conformance


def report_json(snapshot: PlatformSnapshot, conformance: Conformance | None = None) -> bytes:
    """Return the body of ``GET /platform``, with ``conformance`` if there is one."""
    whole = snapshot
    if conformance is not None:
        whole = PlatformWithConformance(conformance=conformance, **msgspec.structs.asdict(snapshot))
    return printable_json(msgspec.json.encode(whole)) + b"\n"
