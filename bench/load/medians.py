"""Medians and spread of the rounds, ratios to Go, and the ratios that the gate requires."""

import statistics
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

_Key = TypeVar("_Key")

SERVICE: Final = "static"
"""The contender that the gate judges."""

YARDSTICK: Final = "go"
"""The contender all others are divided by."""

MEMORY_AFTER: Final = "root"
"""The work after which memory is read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """One contender under one work, once."""

    work: str
    contender: str
    number: int
    per_second: float
    p50_us: int
    """0 if wrk cannot measure it: pipelined."""
    p99_us: int
    errors: int
    """Failed responses and connections, as wrk counts them."""
    cpu_us: float
    """CPU time of all the server's processes, for one request."""
    generator_busy: float
    """Share of its cores the generator used."""
    others_busy: float
    """Share of all cores that other processes used."""
    rss_bytes: int
    """Right after the load, all processes."""
    pss_bytes: int
    cold_start_seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Idle:
    """CPU time of a server without requests."""

    contender: str
    cpu_ms_per_second: float
    seconds: float
    """Length of the measurement."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One quantity over all rounds."""

    median: float
    low: float
    high: float
    to_go: float | None
    """Median of the rounds' ratios, each to Go's of the same round; None without Go."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """One contender under one work, all rounds."""

    work: str
    contender: str
    per_second: Figure
    p50_us: Figure
    p99_us: Figure
    cpu_us: Figure
    rss_bytes: Figure
    pss_bytes: Figure
    errors: int
    generator_busy: float
    """The median; near 1, the generator was the limit and not the server."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """A contender's cold start, over every start on a core of its own."""

    contender: str
    seconds: Figure
    starts: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Floor:
    """A required ratio and the measured one."""

    title: str
    ratio: float | None
    """None where one of the two was not measured."""
    limit: float
    at_least: bool
    """Whether more is better."""

    @property
    def bound(self) -> str:
        """The limit as text."""
        return f"{self.limit:g} or {'more' if self.at_least else 'less'}"

    @property
    def holds(self) -> bool:
        """Whether it was measured and is kept."""
        if self.ratio is None:
            return False
        return self.ratio >= self.limit if self.at_least else self.ratio <= self.limit


def figure(own: Mapping[_Key, float], yardstick: Mapping[_Key, float]) -> Figure:
    """Sum up *own*, round by round beside *yardstick*.

    Each ratio is one of two neighbors in time: what slows the machine for a minute slows both.
    """
    ratios = [value / yardstick[key] for key, value in own.items() if yardstick.get(key)]
    return Figure(
        median=statistics.median(own.values()),
        low=min(own.values()),
        high=max(own.values()),
        to_go=statistics.median(ratios) if ratios else None,
    )


def summarize(rounds: Iterable[Round]) -> list[Summary]:
    """Sum up, in the order in which works and contenders came first."""
    grouped: dict[tuple[str, str], dict[int, Round]] = {}
    for one in rounds:
        grouped.setdefault((one.work, one.contender), {})[one.number] = one
    return [_summary(own, grouped.get((work, YARDSTICK), {})) for (work, _), own in grouped.items()]


def starts(rounds: Sequence[Round], works: Iterable[str]) -> list[Start]:
    """Sum up the cold starts that came before *works*, one for each round."""
    wanted = set(works)
    by_name: dict[str, dict[tuple[str, int], float]] = {}
    for one in rounds:
        if one.work in wanted:
            key = (one.work, one.number)
            by_name.setdefault(one.contender, {})[key] = one.cold_start_seconds
    yardstick = by_name.get(YARDSTICK, {})
    return [
        Start(contender=name, seconds=figure(own, yardstick), starts=len(own))
        for name, own in by_name.items()
    ]


def floors(summaries: Iterable[Summary], started: Iterable[Start]) -> list[Floor]:
    """Compare the static executable with its requirements."""
    service = {one.work: one for one in summaries if one.contender == SERVICE}
    start = {one.contender: one.seconds for one in started}

    def to_go(work: str, quantity: str) -> float | None:
        return getattr(service[work], quantity).to_go if work in service else None

    def rate(title: str, work: str, limit: float) -> Floor:
        ratio = to_go(work, "per_second")
        return Floor(title=f"requests/s on {title}, to Go", ratio=ratio, limit=limit, at_least=True)

    def cost(title: str, ratio: float | None, limit: float) -> Floor:
        return Floor(title=title, ratio=ratio, limit=limit, at_least=False)

    mine, fastapi = start.get(SERVICE), start.get("fastapi")
    return [
        rate("`/`, one core", "root", 1.5),
        rate("`/health`, one core", "health", 1.3),
        rate("`/`, every core", "root-open", 1.2),
        rate("`/health`, every core", "health-open", 1.2),
        cost("p99 on `/`, one core, to Go", to_go("root", "p99_us"), 1),
        cost("p99 on `/health`, one core, to Go", to_go("health", "p99_us"), 1),
        cost("memory (RSS) after load, to Go", to_go(MEMORY_AFTER, "rss_bytes"), 1.5),
        cost("cold start, to Go", mine.to_go if mine else None, 15),
        cost(
            "cold start, to FastAPI on uvicorn",
            mine.median / fastapi.median if mine and fastapi else None,
            0.125,
        ),
    ]


def _summary(own: Mapping[int, Round], yardstick: Mapping[int, Round]) -> Summary:
    def over(value: Callable[[Round], float]) -> Figure:
        return figure(
            {number: value(one) for number, one in own.items()},
            {number: value(one) for number, one in yardstick.items()},
        )

    first = next(iter(own.values()))
    return Summary(
        work=first.work,
        contender=first.contender,
        per_second=over(lambda one: one.per_second),
        p50_us=over(lambda one: one.p50_us),
        p99_us=over(lambda one: one.p99_us),
        cpu_us=over(lambda one: one.cpu_us),
        rss_bytes=over(lambda one: one.rss_bytes),
        pss_bytes=over(lambda one: one.pss_bytes),
        errors=sum(one.errors for one in own.values()),
        generator_busy=statistics.median(one.generator_busy for one in own.values()),
    )
