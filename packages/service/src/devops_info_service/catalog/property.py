"""The type of a catalog's entry: one fact, and how each view shows it.

A path is text, such as ``resources.memory.limit.effective``: an entry imports nothing to name
its fact. A test follows every path through the types of the snapshot.
"""

import functools
import operator
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from .row import Row, row

if TYPE_CHECKING:
    from devops_info_service.facts.fact import Fact
    from devops_info_service.facts.linux.resources import Metered
    from devops_info_service.snapshot import PlatformSnapshot

Shown = Literal[
    "placement", "granted", "identity", "confinement", "resources", "network", "filesystem"
]
"""A section of the report."""

Kind = Literal["bytes", "CPUs", "count", "boolean", "string", "set", "profile"]
"""The type of an expectation's value."""


TileOf = Literal["cpu", "memory", "pids", "disk"]
"""A resource with a tile on the page."""


class Expect(msgspec.Struct, frozen=True):
    """The expectation of a fact; its order in the reference is that of the catalog."""

    name: str
    kind: Kind
    meaning: str
    allowed: tuple[str, ...] = ()
    """The values it can have; empty: any."""
    read: "Callable[[PlatformSnapshot], Fact[Any]] | None" = None
    """Reads the fact, if it is not the one at the path but a part of that."""


class Metric(msgspec.Struct, frozen=True):
    """The family of a fact in Prometheus; the fact is one of ``resources``."""

    name: str
    """With its unit; of a counter it ends in ``_total``."""
    help: str
    per: float = 1
    """Units of the fact in one of the metric."""
    samples: "Callable[[Any], Iterable[tuple[tuple[tuple[str, str], ...], float]]] | None" = None
    """Makes labels and values of the value at the path, if that is not one number."""

    @property
    def type(self) -> Literal["counter", "gauge"]:
        """Return the type, by the name."""
        return "counter" if self.name.endswith("_total") else "gauge"


class Tile(msgspec.Struct, frozen=True):
    """The place of a fact in the page's tile of a resource."""

    resource: TileOf
    label: str
    """Shorter than that of the report: the tile names the resource."""


class Property(msgspec.Struct, frozen=True):
    """One fact of the platform."""

    path: str
    """From the snapshot on, as in the JSON of ``/platform``."""
    label: str = ""
    """In the report, as ``format`` is."""
    format: Callable[[Any], str] = str
    shown: Shown | None = None
    """The section of the report that has it."""
    rows: "Callable[[PlatformSnapshot], Iterable[Row]] | None" = None
    """Makes rows of the snapshot, in place of ``label`` and ``format``."""
    metric: Metric | None = None
    expect: Expect | None = None
    tile: Tile | None = None

    def rows_of(self, snapshot: "PlatformSnapshot") -> Iterable[Row]:
        """Return the rows of the report; most properties have one."""
        if self.rows is not None:
            return self.rows(snapshot)
        return (row(self.label, at_path(snapshot, self.path), self.format),)


class ResourcesAlone(msgspec.Struct, frozen=True):
    """The part of a snapshot that a scrape and the page's tiles read: the root of its paths."""

    resources: "Metered"


def at_path(start: object, path: str) -> Any:  # noqa: ANN401  any fact, by its name
    """Return the value at a dotted *path* of attributes."""
    return _getter(path)(start)


_getter = functools.cache(operator.attrgetter)
