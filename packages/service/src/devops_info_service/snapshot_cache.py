"""Snapshots of the platform, shared by all requests that come while one is fresh."""

from typing import TYPE_CHECKING, Final

from devops_info_service.facts.fact import Fact, value_of
from devops_info_service.facts.linux.cpu import MeteredCpu
from devops_info_service.facts.linux.provenance import sourced
from devops_info_service.facts.linux.resources import Metered, ResourceReader, Resources
from devops_info_service.facts.linux.sandbox import Detection
from devops_info_service.facts.open_files import OpenFiles
from devops_info_service.facts.system_files import Clock, SystemFiles

from .ttl_cache import TtlCache

if TYPE_CHECKING:
    from devops_info_service.snapshot import PlatformSnapshot

FRESH_SECONDS: Final = 1.0
"""Seconds for which a snapshot serves every request: monitoring polls no more often, and however
many clients poll, reading takes at most one snapshot's time of each second: some 10 ms, 50 more
where there are many files to search for set-uid programs."""

PLACES_SECONDS: Final = 60.0
"""Seconds for which a scrape reads where groups and mounts were found, and no file that was absent:
engines change none, and a mount over a file of limits or a controller shows a minute later. Where
the mounts are then the same, so are the groups: to find these takes as long as two scrapes."""

KEPT_FILES: Final = 32
"""Files that stay open for the next scrape: a fifth of its time. Those of two groups above each
other are about thirty."""

RATE_SECONDS: Final = 10.0
"""How far back the CPU time is compared: one interval alone jumps, and an older one is past."""


class PlatformSnapshots:
    """The latest snapshot, and the latest resources, each read again once it is not fresh.

    *allowed* are names of environment variables whose values may be shown.
    """

    def __init__(self, tree: SystemFiles, clock: Clock, allowed: frozenset[str]) -> None:
        self._tree = tree
        self._clock = clock
        self._allowed = allowed
        self._whole = TtlCache(self._read, FRESH_SECONDS, clock.monotonic)
        self._resources = TtlCache(self._read_resources, FRESH_SECONDS, clock.monotonic)
        self._metered = TtlCache(self._read_metered, FRESH_SECONDS, clock.monotonic)
        self._reader = TtlCache(self._find, PLACES_SECONDS, clock.monotonic)
        self._kept = OpenFiles(KEPT_FILES, absent=KEPT_FILES)
        self._found: ResourceReader | None = None
        self._placement: Fact[Detection] | None = None
        self._samples: list[tuple[float, int]] = []
        self.cpus_in_use: float | None = None
        """Average of the last ``RATE_SECONDS``; ``None`` if nothing was read in them before."""

    def get(self) -> "PlatformSnapshot":
        """Return the snapshot of everything."""
        return self._whole.get()

    def resources(self) -> Resources:
        """Return the snapshot's resources while one is fresh; else read nothing but them."""
        whole = self._whole.fresh()
        return whole.resources if whole else self._resources.get()

    def metered(self) -> Metered:
        """Return resources that are fresh; else read nothing but what metrics are taken from."""
        whole = self._whole.fresh()
        resources = whole.resources if whole else self._resources.fresh()
        return resources or self._metered.get()

    def placement(self) -> Fact[Detection]:
        """Return whether this is a container, as first read: that never changes."""
        if self._placement is None:
            from devops_info_service.facts.container.process_view import (  # noqa: PLC0415
                read_process_view,
            )

            self._placement = read_process_view(sourced(self._tree)).placement
        return self._placement

    def _read(self) -> "PlatformSnapshot":
        # Local: forty modules, of which a scrape of the metrics needs a third.
        from devops_info_service.snapshot import read_platform  # noqa: PLC0415

        whole = read_platform(self._tree, self._clock, self._allowed)
        self._sample(whole.resources.cpu)
        return whole

    def _read_resources(self) -> Resources:
        resources = self._current_reader().read()
        self._sample(resources.cpu)
        return resources

    def _read_metered(self) -> Metered:
        metered = self._current_reader().read_metered()
        self._sample(metered.cpu)
        return metered

    def _find(self) -> ResourceReader:
        found = self._found
        if found is not None and found.is_current and found.has_same_mounts:
            self._kept.forget_absent()
            return found
        self._kept.close_all()
        self._found = ResourceReader(self._tree, self._kept)
        return self._found

    def _current_reader(self) -> ResourceReader:
        reader = self._reader.get()
        return reader if reader.is_current else self._reader.renew()

    def _sample(self, cpu: MeteredCpu) -> None:
        """Compare the CPU time with earlier samples; a counter that is set back starts again."""
        self.cpus_in_use = None
        usage, now = value_of(cpu.usage_microseconds, None), self._clock.monotonic()
        if usage is None:
            self._samples.clear()
            return
        self._samples = [
            (then, before)
            for then, before in self._samples
            if now - RATE_SECONDS <= then < now and before <= usage
        ]
        if self._samples:
            then, before = self._samples[0]
            self.cpus_in_use = (usage - before) / (now - then) / 1_000_000
        self._samples.append((now, usage))
