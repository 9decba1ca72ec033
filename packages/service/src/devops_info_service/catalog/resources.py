"""All resources in the order of the report: the part of the catalog that metrics need."""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Final

from devops_info_service.facts.fact import Known, Unknown

from .cpu import CPU, MICROSECONDS
from .formatting import NO_LIMIT, comma_list, size
from .memory import MEMORY
from .processes import PROCESSES, RLIMITS
from .property import Expect, Metric, Property, Tile, TileOf
from .row import Row, row
from .usage import disk_bytes

if TYPE_CHECKING:
    from devops_info_service.facts.linux.disks import Traffic
    from devops_info_service.facts.linux.pressure import Pressure, Stall
    from devops_info_service.facts.linux.resources import Resources
    from devops_info_service.snapshot import PlatformSnapshot


def _traffic(devices: "tuple[Traffic, ...]") -> str:
    return comma_list(
        [
            f"{each.device} {_bytes(each.read_bytes)} read, {_bytes(each.write_bytes)} written"
            for each in devices
        ]
    )


_RATES: Final[tuple[tuple[str, str, Callable[[int], str]], ...]] = (
    ("read_bytes", "read", size),
    ("write_bytes", "written", size),
    ("reads", "reads", str),
    ("writes", "writes", str),
)


def _disk_limits(devices: "tuple[Traffic, ...]") -> str:
    # None is unlimited here; of a use it is uncounted.
    return "; ".join([f"{each.device} {_rates(each)} a second" for each in devices]) or NO_LIMIT


def _rates(device: "Traffic") -> str:
    limits = [(getattr(device, field), word, text) for field, word, text in _RATES]
    return ", ".join(
        [f"{text(number)} {word}" for number, word, text in limits if number is not None]
    )


def _disk_sum(label: str, field: str) -> "Callable[[PlatformSnapshot], tuple[Row]]":
    return lambda snapshot: (row(label, disk_bytes(snapshot.resources, field), size),)


def _bytes(number: int | None) -> str:
    return "?" if number is None else size(number)


def _pressure(found: "Pressure") -> str:
    return f"{found.some.avg10:g} % in 10 s, {found.some.avg300:g} % in 300 s"


def _stalls(
    stall: "Callable[[Pressure], Stall | None]",
) -> "Callable[[Resources], Iterator[tuple[tuple[tuple[str, str], ...], float]]]":
    def samples(resources: "Resources") -> Iterator[tuple[tuple[tuple[str, str], ...], float]]:
        scopes = (("group", resources.pressure), ("host", resources.host_pressure))
        for scope, pressures in scopes:
            for resource in ("cpu", "memory", "io"):
                fact = getattr(pressures, resource)
                found = None if isinstance(fact, Unknown) else stall(fact.value)
                if found is not None:
                    labels = (("resource", resource), ("scope", scope))
                    yield labels, found.total_microseconds / MICROSECONDS

    return samples


_PRESSED: Final[tuple[tuple[str, str, TileOf], ...]] = (
    ("cpu", "CPU", "cpu"),
    ("memory", "memory", "memory"),
    ("io", "disk", "disk"),
)
"""Resource, name, tile."""


def _waiting(resource: str, name: str, tile: TileOf) -> Property:
    """Return the pressure on a resource, which belongs beside its limit.

    Where the group's is not counted, the host's shows at least whether anything waits.
    """
    label = f"{name} pressure"

    def rows(snapshot: "PlatformSnapshot") -> tuple[Row]:
        own = getattr(snapshot.resources.pressure, resource)
        host = getattr(snapshot.resources.host_pressure, resource)
        if isinstance(own, Unknown) and isinstance(host, Known):
            return (row(label, host, lambda found: f"{_pressure(found)}, of the host"),)
        return (row(label, own, _pressure),)

    return Property(
        f"resources.pressure.{resource}", shown="granted", rows=rows, tile=Tile(tile, "pressure")
    )


GROUP: Final = (
    Property(
        "resources.cgroup.version",
        "cgroup version",
        shown="resources",
        expect=Expect("cgroup.version", "string", "how it is held", ("v1", "v2", "hybrid")),
    ),
    Property("resources.cgroup.path", "cgroup", shown="resources"),
)
DISKS: Final = (
    Property("resources.disks.limits", "disk limits", _disk_limits, "resources"),
    Property("resources.disks.usage", "disk use", _traffic, "resources"),
    *(
        Property(
            "resources.disks.usage",
            rows=_disk_sum(f"disk bytes {done}", field),
            tile=Tile("disk", done),
        )
        for done, field in (("read", "read_bytes"), ("written", "write_bytes"))
    ),
)
PRESSURE: Final = (
    *(_waiting(*each) for each in _PRESSED),
    *(
        Property(
            f"resources.host_pressure.{resource}", f"host's {name} pressure", _pressure, "resources"
        )
        for resource, name, _ in _PRESSED
    ),
    Property(
        "resources",
        metric=Metric(
            "platform_pressure_waiting_seconds_total",
            "Time in which at least one task waited for the resource (PSI some).",
            samples=_stalls(lambda pressure: pressure.some),
        ),
    ),
    Property(
        "resources",
        metric=Metric(
            "platform_pressure_stalled_seconds_total",
            "Time in which all tasks waited for the resource (PSI full).",
            samples=_stalls(lambda pressure: pressure.full),
        ),
    ),
)

RESOURCES: Final = (*GROUP, *CPU, *MEMORY, *PROCESSES, *DISKS, *PRESSURE, *RLIMITS)
