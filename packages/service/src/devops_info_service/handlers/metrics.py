"""``GET /metrics``: what Prometheus scrapes, in its own text format or in OpenMetrics.

Imported with the first such request, so that no other one and no start pays for it.
"""

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Final

from devops_info_service.facts.linux.process import read_usage
from devops_info_service.facts.linux.resources import Resources, read_resources
from devops_info_service.facts.system_files import Clock, SystemFiles
from devops_info_service.http.shared_memory.counters import Counters
from devops_info_service.http.shared_memory.route_metrics import Tables
from devops_info_service.http.wire.accept import MAX_ACCEPT_BYTES
from devops_info_service.http.wire.message import Request, Response
from devops_info_service.prometheus.exposition import OPEN_METRICS, TEXT, Family, render
from devops_info_service.prometheus.metric_families import (
    build_family,
    expectation_family,
    platform_families,
    process_families,
    request_families,
    server_families,
)

if TYPE_CHECKING:
    from devops_info_service.expectations.conformance import Conformance

FRESH_SECONDS: Final = 1.0
"""Seconds for which one look at the platform, and one text, serve all who ask; scrapes are 10 s
apart and more."""

Families = Callable[[], Iterable[Family]]
"""Tells what it has, whenever it is asked."""


class MetricsHandler:
    """Answers with whatever its sources tell, written once in ``FRESH_SECONDS`` for all.

    With every series it is 3,000 lines, some milliseconds in which nobody else is answered.
    What is told of two moments further apart is in their order, whichever workers answer: what
    each has written is younger than that.
    """

    def __init__(self, sources: Sequence[Families], clock: Clock) -> None:
        self._sources = sources
        self._clock = clock
        self._written: dict[bool, tuple[float, bytes]] = {}
        """By whether it is OpenMetrics: the moment until which it is fresh, and the text."""

    def __call__(self, request: Request) -> Response:
        """Answer *request*."""
        open_metrics = prefers_open_metrics(request.headers.get(b"accept", b""))
        until, body = self._written.get(open_metrics, (0.0, b""))
        if not body or self._clock.monotonic() >= until:
            families = (family for source in self._sources for family in source())
            body = render(families, open_metrics=open_metrics)
            # Counted from its end: a slow one is not followed by the next at once.
            self._written[open_metrics] = (self._clock.monotonic() + FRESH_SECONDS, body)
        return Response(200, body, OPEN_METRICS if open_metrics else TEXT, vary=b"Accept")


def prefers_open_metrics(accept: bytes) -> bool:
    """Say whether *accept* names OpenMetrics 1.0, and likes it no less than plain text.

    Only by its name: whoever takes anything gets what everybody reads. Not by ``page.accept``,
    which takes what is not well-formed as not sent: a scraper's ``q=.5`` is understood here.
    """
    if len(accept) > MAX_ACCEPT_BYTES:
        return False
    weights = {"application/openmetrics-text": 0.0, "text/plain": 0.0}
    for part in accept.decode("latin-1").lower().split(","):
        media, *parameters = (word.strip() for word in part.split(";"))
        given = dict(parameter.partition("=")[::2] for parameter in parameters)
        version = given.get("version", "1.0.0").strip('"')
        if media in weights and (media == "text/plain" or version == "1.0.0"):
            weights[media] = max(weights[media], _weight(given.get("q", "1")))
    open_metrics, text = weights.values()
    return open_metrics > 0 and open_metrics >= text


def _weight(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return 0.0


def metrics_handler(
    about: Mapping[str, str],
    tree: SystemFiles,
    clock: Clock,
    tables: Tables,
    counters: Counters | None,
    limit_changes: Callable[[], int],
    judge: "Callable[[], Conformance] | None" = None,
) -> MetricsHandler:
    """Return the handler with all that the service has to tell.

    *about* are the labels of what was built; without *counters* somebody else's server is in
    front, and only the requests that came through are known; *judge* says what became of
    expectations, where there are any.
    """
    build = build_family(about)
    own = (os.getpid(),)

    def requests() -> Iterable[Family]:
        return request_families(tables.sums(counters.highest if counters else 0))

    def processes() -> Iterable[Family]:
        pids = (counters and counters.pids()) or own
        return process_families(read_usage(tree, pids, os.sysconf("SC_PAGE_SIZE")))

    sources: list[Families] = [lambda: [build], requests]
    if counters is not None:
        sources.append(lambda: server_families(counters.totals()))
    sources += [processes, Platform(tree, clock, limit_changes)]
    if judge is not None:
        sources.append(lambda: [expectation_family(judge())])
    return MetricsHandler(sources, clock)


class Platform:
    """Tells of the platform, at which it looks once a second at most."""

    def __init__(self, tree: SystemFiles, clock: Clock, limit_changes: Callable[[], int]) -> None:
        self._tree = tree
        self._clock = clock
        self._limit_changes = limit_changes
        self._last: Resources | None = None
        self._taken = 0.0

    def __call__(self) -> list[Family]:
        """Return all of it."""
        if self._last is None or self._clock.monotonic() - self._taken >= FRESH_SECONDS:
            self._last = read_resources(self._tree)
            self._taken = self._clock.monotonic()
        return platform_families(self._last, self._limit_changes())
