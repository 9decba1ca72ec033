"""All of a report as JSON on one line, for programs."""

import msgspec

from devops_info_service.escape import printable_json
from devops_info_service.expectations.conformance import Conformance
from devops_info_service.snapshot import PlatformSnapshot


class PlatformWithConformance(PlatformSnapshot, frozen=True, kw_only=True):
    """A look, and what was expected of it."""

    conformance: Conformance


def report_json(look: PlatformSnapshot, conformance: Conformance | None = None) -> bytes:
    """Return what ``GET /platform`` answers, with ``conformance`` if something was expected."""
    whole = look
    if conformance is not None:
        whole = PlatformWithConformance(conformance=conformance, **msgspec.structs.asdict(look))
    return printable_json(msgspec.json.encode(whole)) + b"\n"
