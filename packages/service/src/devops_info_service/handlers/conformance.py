"""``GET /conformance``: what somebody expects of the platform, against what it gives.

Imported at the start where something is expected, else never.
"""

from collections.abc import Callable
from typing import Final

import msgspec

from devops_info_service.expectations.condition import Expectation
from devops_info_service.expectations.conformance import Conformance, evaluate
from devops_info_service.facts.system_files import Clock
from devops_info_service.http.wire.message import Request, Response
from devops_info_service.snapshot import PlatformSnapshot

READY_SECONDS: Final = 5.0
"""Seconds for which readiness keeps what was judged: half of a kubelet's usual period, so that
each of its probes sees the platform anew, and a hundred balancers cost no more than two looks in
ten seconds, of some 10 ms each, or 60."""


class Judge:
    """Holds each look against the contract once, for all who ask."""

    def __init__(
        self, contract: tuple[Expectation, ...], look: Callable[[], PlatformSnapshot]
    ) -> None:
        self._contract = contract
        self._look = look
        self._last: tuple[PlatformSnapshot, Conformance] | None = None

    def __call__(self) -> Conformance:
        """Return what the freshest look amounts to."""
        look = self._look()
        if self._last is None or self._last[0] is not look:
            self._last = look, evaluate(self._contract, look)
        return self._last[1]


class Readiness:
    """Says whether all is as expected, to those who only want to know that."""

    def __init__(self, judge: Callable[[], Conformance], clock: Clock) -> None:
        self._judge = judge
        self._clock = clock
        self._conforms = False
        self._until = 0.0

    def __call__(self) -> bool:
        """Answer from what was judged at most ``READY_SECONDS`` ago."""
        if self._clock.monotonic() >= self._until:
            self._conforms = self._judge().conforms
            self._until = self._clock.monotonic() + READY_SECONDS
        return self._conforms


class ConformanceHandler:
    """Answers with ``Conformance``: 200 if every expectation is met, 409 if one is not."""

    def __init__(self, judge: Callable[[], Conformance]) -> None:
        self._encode = msgspec.json.Encoder().encode
        self._judge = judge

    def __call__(self, request: Request) -> Response:  # noqa: ARG002  the shape of a handler
        """Answer any request alike."""
        conformance = self._judge()
        return Response(200 if conformance.conforms else 409, self._encode(conformance))
