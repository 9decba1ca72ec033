"""The types of checks: a definition, its two evaluators, and the finding."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Literal

import msgspec

from devops_info_service.facts.container.exposure import Exposure
from devops_info_service.facts.container.process_view import ProcessView
from devops_info_service.facts.fact import Evidence, Unknown
from devops_info_service.facts.kubernetes.claims import ServiceAccount
from devops_info_service.facts.linux.setid_files import SetIdFiles

if TYPE_CHECKING:
    from .requested.pod import Requested

Verdict = Literal["pass", "fail", "unknown"]
Profile = Literal["baseline", "restricted", "hardening"]


class Observed(ProcessView, frozen=True, kw_only=True):
    """The facts that checks rest on, as they show from inside a container."""

    exposure: Exposure
    set_id_files: SetIdFiles | Unknown
    service_account: ServiceAccount


class Outcome(msgspec.Struct, frozen=True):
    """A verdict, its meaning in one sentence, and the evidence."""

    verdict: Verdict
    message: str
    evidence: tuple[Evidence, ...] = ()


class Check(msgspec.Struct, frozen=True):
    """The definition of a check; it can be made of a container, of a manifest, or of both."""

    id: str
    """For a standard's check its admission id, as in the label's warnings."""
    level: Profile
    since: str = ""
    """Kubernetes version of the standard that first has it; empty outside the standard."""
    observed: Callable[[Observed], Outcome] | None = None
    requested: "Callable[[Requested], Outcome] | None" = None
    """Set by ``requested.evaluate``: only an audit needs it."""
    unobservable: str = ""
    """The reason why nothing inside a container can decide it; such a check is left out of sums."""


class Finding(msgspec.Struct, frozen=True):
    """A check that was made."""

    id: str
    profile: Profile
    since: str
    verdict: Verdict
    message: str
    evidence: tuple[Evidence, ...]


def passed(message: str, *evidence: Evidence) -> Outcome:
    """Return the outcome of a check that found nothing forbidden."""
    return Outcome("pass", message, evidence)


def failed(message: str, *evidence: Evidence) -> Outcome:
    """Return the outcome of a check that found something forbidden."""
    return Outcome("fail", message, evidence)


def unknown(reason: str | Unknown, *evidence: Evidence) -> Outcome:
    """Return an open verdict with the reason it cannot be observed."""
    message = reason.reason if isinstance(reason, Unknown) else reason
    return Outcome("unknown", f"{message[:1].upper()}{message[1:].rstrip('.')}.", evidence)
