"""A run in, tables out: the same text for a terminal and for a Markdown file."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from bench.lib.harness import Machine, markdown_table
from bench.lib.wrk import Work

from .medians import MEMORY_AFTER, Figure, Floor, Idle, Start, Summary

_GENERATOR_LIMIT: Final = 0.97
"""A busier generator had no time left for more requests."""

NOTHING: Final = "-"


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """Everything one run of the measurement found."""

    machine: Machine
    network: str
    """Where servers and generator met."""
    generator: str
    rounds: int
    seconds: int
    """Of each round, after a second that does not count."""
    titles: Mapping[str, str]
    """Contender -> how people call it, in the order of every table."""
    versions: Mapping[str, str]
    body_bytes: Mapping[str, Mapping[str, int]]
    """Contender -> path -> bytes of its body."""
    left_out: Mapping[str, str]
    """Contender, or contender and work -> why it has no figures."""
    works: Sequence[Work]
    others_busy: float
    """Share of all cores that neither server nor generator used, the median of the rounds."""
    summaries: Sequence[Summary]
    starts: Sequence[Start]
    idle: Sequence[Idle]
    floors: Sequence[Floor]


def tables(result: Result) -> str:
    """Render all of *result*."""
    return "\n\n".join((terms(result), details(result), requirements(result)))


def details(result: Result) -> str:
    """Render the measured values, without the requirements."""
    parts = [*(_work(result, work) for work in result.works), _costs(result), _contenders(result)]
    if result.left_out:
        parts.append("\n".join(f"Left out: {name}: {why}" for name, why in result.left_out.items()))
    return "\n\n".join(part for part in parts if part)


def milliseconds(us: float) -> str:
    """Write microseconds as milliseconds, to three digits; 0 is unknown."""
    if not us:
        return NOTHING
    return f"{us / 1000:.3g} ms" if us < 100_000 else f"{us / 1000:,.0f} ms"  # noqa: PLR2004


def megabytes(size: float) -> str:
    """Write bytes in MB of 10**6."""
    return f"{size / 1e6:.1f} MB"


def terms(result: Result) -> str:
    """Return where and how *result* was measured."""
    return (
        f"{result.machine}; other processes used {result.others_busy:.0%} of the CPUs.\n"
        f"{result.generator}, {result.rounds} rounds of {result.seconds} s in turns: medians, "
        f"and medians of the rounds' ratios. {result.network}"
    )


def _work(result: Result, work: Work) -> str:
    summaries = [one for one in result.summaries if one.work == work.name]
    head = (
        work.title,
        *("requests/s", "lowest to highest", "to Go"),
        *("p50", "p99", "p99 to Go", "CPU per request", "CPU to Go"),
    )
    table = markdown_table(
        head,
        [
            (
                result.titles[one.contender],
                f"{one.per_second.median:,.0f}",
                f"{one.per_second.low:,.0f} to {one.per_second.high:,.0f}",
                _ratio(one.per_second),
                milliseconds(one.p50_us.median),
                milliseconds(one.p99_us.median),
                _ratio(one.p99_us),
                f"{one.cpu_us.median:.1f} us",
                _ratio(one.cpu_us),
            )
            for one in _in_order(result.titles, summaries)
        ],
    )
    return "\n\n".join([table, *_remarks(result.titles, summaries)]) if summaries else ""


def _remarks(titles: Mapping[str, str], summaries: Iterable[Summary]) -> Iterable[str]:
    for one in summaries:
        if one.generator_busy > _GENERATOR_LIMIT:
            yield f"{titles[one.contender]}: the generator was the limit; it can do more."
        if one.errors:
            yield f"{titles[one.contender]}: {one.errors:,} requests failed."


def _costs(result: Result) -> str:
    memory = {one.contender: one for one in result.summaries if one.work == MEMORY_AFTER}
    many = {one.contender: one for one in result.summaries if one.work == "many"}
    started = {one.contender: one for one in result.starts}
    idle = {one.contender: one for one in result.idle}
    head = (
        "on one core",
        *("RSS after load", "to Go", "PSS", "RSS after 512 connections"),
        *("cold start", "to Go", "starts", "CPU when idle"),
    )
    rows = []
    for name, title in result.titles.items():
        cells = [title]
        if name in memory:
            rss = memory[name].rss_bytes
            cells += [megabytes(rss.median), _ratio(rss)]
            cells += [megabytes(memory[name].pss_bytes.median)]
        else:
            cells += [NOTHING] * 3
        cells += [megabytes(many[name].rss_bytes.median) if name in many else NOTHING]
        if name in started:
            seconds = started[name].seconds
            cells += [milliseconds(seconds.median * 1e6), _ratio(seconds)]
            cells += [str(started[name].starts)]
        else:
            cells += [NOTHING] * 3
        cells += [f"{idle[name].cpu_ms_per_second:.2f} ms/s" if name in idle else NOTHING]
        rows.append(cells)
    return markdown_table(head, rows)


def requirements(result: Result) -> str:
    """Render the requirements of which both sides were measured."""
    return markdown_table(
        ("requirement", "limit", "measured", ""),
        [
            (
                one.title,
                one.bound,
                f"{one.ratio:.2f}",
                "pass" if one.holds else "FAIL",
            )
            for one in result.floors
            if one.ratio is not None
        ],
    )


def _contenders(result: Result) -> str:
    return markdown_table(
        ("contender", "versions", "bytes of `/`", "bytes of `/health`"),
        [
            (
                title,
                result.versions[name],
                str(result.body_bytes[name]["/"]),
                str(result.body_bytes[name]["/health"]),
            )
            for name, title in result.titles.items()
        ],
    )


def _in_order(titles: Mapping[str, str], summaries: Sequence[Summary]) -> list[Summary]:
    by_name = {one.contender: one for one in summaries}
    return [by_name[name] for name in titles if name in by_name]


def _ratio(figure: Figure) -> str:
    return NOTHING if figure.to_go is None else f"{figure.to_go:.2f}"
