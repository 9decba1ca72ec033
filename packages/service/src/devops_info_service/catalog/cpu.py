"""CPU time: limits, affinity, use, throttling."""

from typing import TYPE_CHECKING, Final

from devops_info_service.facts.fact import Unknown, value_of

from .formatting import count, cpu_ranges, seconds
from .limits import cpu_limit
from .property import Expect, Metric, Property, Tile
from .row import Row, row

if TYPE_CHECKING:
    from devops_info_service.snapshot import PlatformSnapshot

MICROSECONDS: Final = 1e6
"""In a second, the unit of every metric of time."""
SMALLEST: Final = "the smallest limit that can be seen, the container's or one above it"
OWN: Final = "the container's own limit, without those of groups above it"


def _throttled(snapshot: "PlatformSnapshot") -> tuple[Row]:
    found = snapshot.resources.cpu.throttling
    if isinstance(found.throttled_periods, Unknown) or isinstance(found.periods, Unknown):
        return (row("CPU throttled", found.throttled_periods),)
    waited = value_of(found.throttled_microseconds, None)
    lost = "" if waited is None else f", {seconds(waited)}"
    periods = count(found.periods.value, "period")
    times = found.throttled_periods
    return (row("CPU throttled", times, lambda number: f"{number} of {periods}{lost}"),)


CPU: Final = (
    Property(
        "resources.cpu.quota_microseconds",
        metric=Metric(
            "platform_cpu_quota_seconds", "CPU time the group may use in each period.", MICROSECONDS
        ),
    ),
    Property(
        "resources.cpu.period_microseconds",
        metric=Metric("platform_cpu_period_seconds", "Length of a period.", MICROSECONDS),
    ),
    Property(
        "resources.cpu.limit.effective",
        shown="granted",
        rows=lambda snapshot: (cpu_limit(snapshot.resources).row("CPU"),),
        metric=Metric(
            "platform_cpu_limit_cores",
            "Quota over period: of the group and of those above it that can be seen.",
        ),
        expect=Expect("cpu.limit", "CPUs", SMALLEST),
    ),
    Property("resources.cpu.limit.own", expect=Expect("cpu.own_limit", "CPUs", OWN)),
    Property(
        "resources.cpu.effective",
        metric=Metric(
            "platform_cpu_effective_cores",
            "The smaller of the limit and the CPUs the process may run on.",
        ),
        expect=Expect(
            "cpu.effective",
            "CPUs",
            "the smaller of the limit and of the CPUs the process may run on",
        ),
    ),
    Property(
        "resources.cpu.usable",
        "CPUs to plan for",
        shown="granted",
        expect=Expect(
            "cpu.usable", "count", "threads or workers worth starting: `cpu.effective` rounded up"
        ),
        tile=Tile("cpu", "CPUs to plan for"),
    ),
    Property(
        "resources.cpu.python",
        "CPUs Python counts",
        shown="granted",
        tile=Tile("cpu", "CPUs Python counts"),
    ),
    Property("resources.cpu.weight", "CPU weight", shown="resources"),
    Property("resources.cpu.shares", "CPU shares", shown="resources"),
    Property("resources.cpu.burst_microseconds", "CPU burst", seconds, "resources"),
    Property("resources.cpu.cpuset", "CPUs of the group", cpu_ranges, "resources"),
    Property("resources.cpu.affinity", "CPUs of the process", cpu_ranges, "resources"),
    Property("resources.cpu.online", "CPUs of the host", cpu_ranges, "resources"),
    Property(
        "resources.cpu.usage_microseconds",
        "CPU time used",
        seconds,
        "resources",
        metric=Metric(
            "platform_cpu_usage_seconds_total", "CPU time used by the group.", MICROSECONDS
        ),
    ),
    Property(
        "resources.cpu.throttling.periods",
        metric=Metric("platform_cpu_periods_total", "Periods in which anything of the group ran."),
    ),
    Property(
        "resources.cpu.throttling.throttled_periods",
        shown="granted",
        rows=_throttled,
        metric=Metric(
            "platform_cpu_throttled_periods_total", "Periods in which the quota ran out."
        ),
        tile=Tile("cpu", "throttled"),
    ),
    Property(
        "resources.cpu.throttling.throttled_microseconds",
        metric=Metric(
            "platform_cpu_throttled_seconds_total",
            "Time waited for the next period, summed over CPUs.",
            MICROSECONDS,
        ),
    ),
)
