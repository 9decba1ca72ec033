"""``GET /metrics`` for Prometheus, in its own text format or in OpenMetrics.

Imported with the first such request.
"""

import functools
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Final

from devops_info_service.facts.linux.process import read_boot_time, read_usage
from devops_info_service.facts.open_files import OpenFiles
from devops_info_service.facts.system_files import Clock, SystemFiles
from devops_info_service.http import Counters, Handler, Request, Response, RouteMetrics
from devops_info_service.http.wire.accept import parse
from devops_info_service.prometheus.exposition import OPEN_METRICS, TEXT, Family, render
from devops_info_service.prometheus.metric_families import (
    build_family,
    expectation_families,
    placement_family,
    platform_families,
    process_families,
    request_families,
    server_families,
    worker_families,
)
from devops_info_service.snapshot_cache import PlatformSnapshots
from devops_info_service.ttl_cache import TtlCache

if TYPE_CHECKING:
    from devops_info_service.expectations.conformance import Conformance

FRESH_SECONDS: Final = 1.0
"""Seconds for which one text serves every scrape; scrapes are 10 s apart and more."""

KEPT_FILES: Final = 8
"""Of the service's own processes, open for the next scrape: one for each, and one more."""

Collector = Callable[[], Iterable[Family]]
"""Collects the families of one subject, each time it is called."""


def metrics(collectors: Sequence[Collector], clock: Clock) -> Handler:
    """Return the handler of all that *collectors* collect, rendered once in ``FRESH_SECONDS``.

    With every series it is 3,000 lines, some milliseconds that delay other requests. Values of
    two scrapes further apart are in their order, whichever workers respond: each text is
    younger than that.
    """

    def render_all(*, open_metrics: bool) -> bytes:
        families = (family for collect in collectors for family in collect())
        return render(families, open_metrics=open_metrics)

    texts = {
        is_open: TtlCache(
            functools.partial(render_all, open_metrics=is_open), FRESH_SECONDS, clock.monotonic
        )
        for is_open in (False, True)
    }

    def handle(request: Request) -> Response:
        open_metrics = prefers_open_metrics(request.headers.get(b"accept", b""))
        body = texts[open_metrics].get()
        return Response(200, body, OPEN_METRICS if open_metrics else TEXT, vary=b"Accept")

    return handle


def service_metrics(
    about: Mapping[str, str],
    snapshots: PlatformSnapshots,
    tree: SystemFiles,
    clock: Clock,
    tables: RouteMetrics,
    counters: Counters,
    limit_changes: Callable[[], int],
    check: "Callable[[], Conformance] | None" = None,
) -> Handler:
    """Return the handler of all that the service collects.

    *about* are the labels of the build; *check* gives the state of the expectations, if there
    are any.
    """
    build = build_family(about)
    own = (os.getpid(),)
    booted = functools.cache(lambda: read_boot_time(tree))

    def requests() -> Iterable[Family]:
        return request_families(tables.sums(counters.highest))

    kept = OpenFiles(KEPT_FILES)

    @functools.lru_cache(maxsize=1)
    def files_of(_pids: tuple[int, ...]) -> SystemFiles:
        kept.close_all()  # of processes that have ended
        return tree.keeping(kept)

    def processes() -> Iterable[Family]:
        pids = counters.pids() or own
        page = os.sysconf("SC_PAGE_SIZE")
        return process_families(read_usage(files_of(pids), pids, page, booted()))

    collectors: list[Collector] = [
        lambda: [build],
        requests,
        lambda: server_families(counters.totals()),
        lambda: worker_families(counters.workers()),
        processes,
        lambda: [placement_family(snapshots.placement())],
        lambda: platform_families(snapshots.metered(), limit_changes()),
    ]
    if check is not None:
        collectors.append(lambda: expectation_families(check()))
    return metrics(collectors, clock)


def prefers_open_metrics(accept: bytes) -> bool:
    """Return whether *accept* names OpenMetrics 1.0, and wants it no less than plain text.

    By its name alone: a range such as ``*/*`` gets the text that every scraper reads.
    """
    open_metrics = text = 0
    for each in parse(accept):
        if each.media == "text/plain":
            text = max(text, each.weight)
        elif each.media == "application/openmetrics-text":
            is_1_0 = each.parameters.get("version", "1.0.0") == "1.0.0"
            open_metrics = max(open_metrics, each.weight if is_1_0 else 0)
    return 0 < open_metrics >= text
