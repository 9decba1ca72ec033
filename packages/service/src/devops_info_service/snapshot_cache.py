"""Snapshots of the platform, shared by all requests that come while one is fresh."""

from typing import TYPE_CHECKING, Final

from devops_info_service.facts.linux.resources import Resources, read_resources
from devops_info_service.facts.system_files import Clock, Tree

from .ttl_cache import TtlCache

if TYPE_CHECKING:
    from devops_info_service.snapshot import Platform

FRESH_SECONDS: Final = 1.0
"""Seconds for which a snapshot serves every request: monitoring polls no more often, and however
many clients poll, reading takes at most one snapshot's time of each second: some 10 ms, 50 more
where there are many files to search for set-uid programs."""


class PlatformSnapshots:
    """The latest snapshot, and the latest resources, each read again once it is not fresh.

    *allowed* are names of environment variables whose values may be shown.
    """

    def __init__(self, tree: Tree, clock: Clock, allowed: frozenset[str]) -> None:
        self._tree = tree
        self._clock = clock
        self._allowed = allowed
        self._whole = TtlCache(self._read, FRESH_SECONDS, clock.monotonic)
        self._resources = TtlCache(lambda: read_resources(tree), FRESH_SECONDS, clock.monotonic)

    def get(self) -> "Platform":
        """Return the snapshot of everything."""
        return self._whole.get()

    def resources(self) -> Resources:
        """Return the snapshot's resources while one is fresh; else read nothing but them."""
        whole = self._whole.fresh()
        return whole.resources if whole else self._resources.get()

    def _read(self) -> "Platform":
        # Local: forty modules, of which a scrape of the metrics needs a third.
        from devops_info_service.snapshot import platform  # noqa: PLC0415

        return platform(self._tree, self._clock, self._allowed)
