"""What handlers may need: given at the start, or made at the first use."""

import functools
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from devops_info_service import __version__
from devops_info_service.coarse_clock import CoarseClock
from devops_info_service.config import Config
from devops_info_service.facts.linux.host import Host, read_host
from devops_info_service.facts.linux.uptime import Runtime, UptimeClock
from devops_info_service.facts.system_files import Source, SystemFiles
from devops_info_service.http import Counters, ProcessLifecycle, RouteMetrics
from devops_info_service.readiness import ReadySwitch
from devops_info_service.service_info import Service

from .limit_changes import LimitChanges

if TYPE_CHECKING:
    from devops_info_service.expectations.conformance import Conformance
    from devops_info_service.facts.linux.limit_watch import Change, LimitWatch
    from devops_info_service.http.wire.forwarded import TrustedProxies
    from devops_info_service.snapshot_cache import PlatformSnapshots
    from devops_info_service.tools.injection import Injection
    from devops_info_service.tools.rate_limit import TokenBucket

NAME: Final = "devops-info-service"
DESCRIPTION: Final = "DevOps course info service"
DEFAULTS: Final = Config()


class Services:
    """The parts that handlers share, made before any fork; cached properties per process.

    Cached properties import their modules with the first use: no start pays for some forty
    modules that only a request for the platform needs.
    """

    def __init__(
        self,
        source: Source,
        framework: str,
        config: Config = DEFAULTS,
        *,
        files: SystemFiles | None = None,
        lifecycle: ProcessLifecycle | None = None,
        counters: Counters | None = None,
        route_metrics: RouteMetrics | None = None,
        ready_switch: ReadySwitch | None = None,
        limit_changes: LimitChanges | None = None,
        coarse_clock: CoarseClock | None = None,
    ) -> None:
        """Take the server's state; without a server there are counters of this process alone.

        Args:
            source: the machine: its name, CPUs and clocks.
            framework: the server's name, as ``GET /`` shows it.
            config: the settings.
            files: ``/proc``, ``/sys`` and the rest; the real ones if absent.
            lifecycle: the state of the process that serves.
            counters: the server's counters.
            route_metrics: the server's counters by route.
            ready_switch: takes the service out of readiness.
            limit_changes: the workers' counters of a server that polls ``limit_watch``; without
                one each reader of it does.
            coarse_clock: the second that responses state; *source* is read for each if absent.
        """
        self.config = config
        self.source = source
        self.files = files or SystemFiles()
        self.lifecycle = lifecycle or ProcessLifecycle()
        self.counters = counters or Counters()
        self.ready_switch = ready_switch or ReadySwitch()
        self.counted_limit_changes = limit_changes or LimitChanges()
        self._route_metrics = route_metrics
        self._polls_limits = limit_changes is not None
        self.host: Host = read_host(source)
        self.service = Service(NAME, __version__, DESCRIPTION, framework)
        self.uptime: Callable[[], Runtime] = UptimeClock(source, coarse_clock).now

    def route_metrics(self, paths: tuple[str, ...]) -> RouteMetrics:
        """Return the counters by route: the server's, or tables of *paths* that stay empty."""
        return self._route_metrics or RouteMetrics(paths)

    @functools.cached_property
    def injection(self) -> "Injection":
        """The injected faults; of this process alone unless read before it forks."""
        from devops_info_service.tools.injection import Injection  # noqa: PLC0415

        workers = 1 if self.config.workers == 1 else 2
        return Injection(self.source.monotonic, workers)

    @functools.cached_property
    def tool_requests(self) -> "TokenBucket":
        """The requests for tools that this process serves."""
        from devops_info_service.tools.rate_limit import TokenBucket  # noqa: PLC0415
        from devops_info_service.tools.requests import REQUESTS_PER_SECOND as RATE  # noqa: PLC0415

        return TokenBucket(RATE, RATE, self.source.monotonic)

    @functools.cached_property
    def snapshots(self) -> "PlatformSnapshots":
        """The snapshots of the platform that all handlers share."""
        from devops_info_service.snapshot_cache import PlatformSnapshots  # noqa: PLC0415

        return PlatformSnapshots(self.files, self.source, frozenset(self.config.show_environment))

    @functools.cached_property
    def proxies(self) -> "TrustedProxies":
        """The proxies whose forwarding headers are trusted."""
        from devops_info_service.http.wire.forwarded import TrustedProxies  # noqa: PLC0415

        return TrustedProxies(self.config.trusted_proxies, self.config.forwarded_field)

    @functools.cached_property
    def limit_watch(self) -> "LimitWatch":
        """The watch of this process's limits."""
        from devops_info_service.facts.linux.limit_watch import LimitWatch, limits_of  # noqa: PLC0415

        return LimitWatch(limits_of(self.files), self.source)

    def limit_history(self) -> "tuple[Change, ...]":
        """Return the last changes of limits that this process noticed, oldest first."""
        return self._polled_watch().history

    def limit_changes(self) -> int:
        """Return how many changes of limits were noticed, by all workers if there are any."""
        if self._polls_limits:
            return self.counted_limit_changes.total
        return self._polled_watch().changes

    def _polled_watch(self) -> "LimitWatch":
        if not self._polls_limits:
            self.limit_watch.poll()
        return self.limit_watch

    @functools.cached_property
    def conformance(self) -> "Callable[[], Conformance] | None":
        """Compare the expectations with the freshest snapshot; None: there are none.

        Raises:
            ConfigError: an expectation cannot be parsed.
        """
        if not self.config.expectations:
            return None
        from devops_info_service.expectations.conformance import load_expectations  # noqa: PLC0415
        from devops_info_service.handlers.conformance import checker  # noqa: PLC0415

        return checker(load_expectations(self.config.expectations), self.snapshots)

    @functools.cached_property
    def meets_expectations(self) -> Callable[[], bool] | None:
        """The requirement of readiness; None: there is none."""
        if not self.config.ready_requires_expectations or self.conformance is None:
            return None
        from devops_info_service.handlers.conformance import readiness  # noqa: PLC0415

        return readiness(self.conformance, self.source)
