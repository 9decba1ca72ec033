"""``GET /conformance``: the expectations of the platform, checked against a snapshot of it.

Imported at start if there are expectations, else never.
"""

import functools
from collections.abc import Callable
from typing import Final

from devops_info_service.escape import json_body
from devops_info_service.expectations.condition import Expectation
from devops_info_service.expectations.conformance import Conformance, evaluate
from devops_info_service.facts.system_files import Clock
from devops_info_service.http.wire.message import Handler, Request, Response
from devops_info_service.snapshot_cache import PlatformSnapshots
from devops_info_service.ttl_cache import Derived, TtlCache

READINESS_TTL_SECONDS: Final = 5.0
"""Seconds for which readiness keeps a result: half of a kubelet's usual period, so that each of
its probes gets a new one, and a hundred balancers cost at most two snapshots in ten seconds, of
some 10 ms each, or 60."""


def checker(
    expectations: tuple[Expectation, ...], snapshots: PlatformSnapshots
) -> Callable[[], Conformance]:
    """Return a function that checks the latest snapshot, each snapshot once."""
    conformance_of = Derived(functools.partial(evaluate, expectations))
    return lambda: conformance_of.of(snapshots.get())


def readiness(check: Callable[[], Conformance], clock: Clock) -> Callable[[], bool]:
    """Return whether the platform conforms, as of at most ``READINESS_TTL_SECONDS`` ago."""
    return TtlCache(lambda: check().conforms, READINESS_TTL_SECONDS, clock.monotonic).get


def conformance(check: Callable[[], Conformance]) -> Handler:
    """Return the handler: 200 if every expectation is met, else 409."""

    def handle(_: Request) -> Response:
        checked = check()
        return Response(200 if checked.conforms else 409, json_body(checked))

    return handle
