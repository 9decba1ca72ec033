"""Medians, ratios, floors, tables and the picture, of rounds made up here."""

import dataclasses
import re
from collections.abc import Sequence

import pytest

from bench.lib.harness import Machine
from bench.lib.wrk import WORK, Work
from bench.load import report
from bench.load.contender_list import pinned_versions
from bench.load.medians import (
    Figure,
    Floor,
    Idle,
    Round,
    figure,
    floors,
    starts,
    summarize,
)
from bench.load.response_shape import differences, shape


def made(contender: str, work: str = "root", number: int = 1, **changes: float) -> Round:
    usual = Round(
        work=work,
        contender=contender,
        number=number,
        per_second=50_000.0,
        p50_us=900,
        p99_us=2000,
        errors=0,
        cpu_us=16.0,
        generator_busy=0.5,
        others_busy=0.0,
        rss_bytes=12_000_000,
        pss_bytes=11_000_000,
        cold_start_seconds=0.003,
    )
    return dataclasses.replace(usual, **changes)  # type: ignore[arg-type]


def result(rounds: Sequence[Round], works: Sequence[Work] = WORK) -> report.Result:
    names = list(dict.fromkeys(one.contender for one in rounds))
    summaries = summarize(rounds)
    started = starts(rounds, [work.name for work in works if not work.every_core])
    return report.Result(
        network="In a network namespace of its own.",
        machine=Machine(
            date="2026-01-30T08:53:03Z",
            processor="A <fast> & small CPU",
            cpus=2,
            memory_bytes=2**34,
            kernel="6.1",
            system="Debian",
        ),
        generator="wrk 4.1.0",
        rounds=5,
        seconds=5,
        titles={name: f"title of {name}" for name in names},
        versions=dict.fromkeys(names, "1.0"),
        body_bytes={name: {"/": 600, "/health": 74} for name in names},
        left_out={"flask": "it ended with status 1"},
        works=works,
        others_busy=0.0,
        summaries=summaries,
        starts=started,
        idle=[Idle(contender=name, cpu_ms_per_second=0.25, seconds=10.0) for name in names],
        floors=floors(summaries, started),
    )


def full() -> report.Result:
    return result(
        [
            made(name, work.name, number, per_second=rate + number, cold_start_seconds=start)
            for number in (1, 2, 3)
            for work in WORK
            for name, rate, start in (
                ("static", 80_000.0, 0.03),
                ("go", 40_000.0, 0.003),
                ("fastapi", 10_000.0, 0.5),
            )
        ]
    )


def test_a_figure_is_its_median_and_how_far_it_goes() -> None:
    assert figure({1: 5.0, 2: 1.0, 3: 3.0}, {}) == Figure(median=3.0, low=1.0, high=5.0, to_go=None)


def test_a_ratio_is_one_of_the_same_round() -> None:
    """A machine that slows down by half in the second round changes no ratio."""
    assert figure({1: 200.0, 2: 100.0}, {1: 100.0, 2: 50.0}).to_go == 2.0
    assert figure({1: 200.0, 2: 100.0, 3: 7.0}, {1: 100.0, 2: 50.0}).to_go == 2.0


def test_nothing_is_divided_by_zero() -> None:
    """A percentile wrk cannot tell is 0."""
    assert figure({1: 0.0}, {1: 0.0}).to_go is None


def test_summaries_keep_the_order_and_add_up_errors() -> None:
    rounds = [
        made("static", number=1, errors=1),
        made("go", number=1, per_second=25_000.0),
        made("static", number=2, errors=2),
        made("go", number=2, per_second=25_000.0),
        made("static", "health"),
    ]
    summaries = summarize(rounds)
    assert [(one.work, one.contender) for one in summaries] == [
        ("root", "static"),
        ("root", "go"),
        ("health", "static"),
    ]
    assert (summaries[0].errors, summaries[0].per_second.to_go) == (3, 2.0)
    assert summaries[2].per_second.to_go is None


def test_starts_with_every_core_open_do_not_count() -> None:
    rounds = [
        made("static", cold_start_seconds=0.03),
        made("static", "health", cold_start_seconds=0.05),
        made("static", "root-open", cold_start_seconds=9.0),
    ]
    [start] = starts(rounds, ["root", "health"])
    assert (start.starts, start.seconds.high) == (2, 0.05)


def test_floors_hold_or_not() -> None:
    found = {one.title: one for one in full().floors}
    assert len(found) == 9
    assert found["requests/s on `/`, one core, to Go"].holds
    assert found["cold start, to Go"].ratio == pytest.approx(10)
    assert found["cold start, to FastAPI on uvicorn"].ratio == pytest.approx(0.06)
    assert all(one.holds for one in found.values())


def test_what_was_not_measured_does_not_hold() -> None:
    for one in floors([], []):
        assert not one.holds
    assert len(floors([], [])) == 9


@pytest.mark.parametrize(
    ("ratio", "at_least", "holds"),
    [
        (1.5, True, True),
        (1.49, True, False),
        (1.5, False, True),
        (1.51, False, False),
        (None, True, False),
        (None, False, False),
    ],
)
def test_a_floor(ratio: float | None, at_least: bool, holds: bool) -> None:  # noqa: FBT001
    assert Floor(title="t", ratio=ratio, limit=1.5, at_least=at_least).holds is holds


def test_tables_are_markdown() -> None:
    """Every table has a rule below its head and as many cells in each line."""
    text = report.tables(full())
    blocks = [block.splitlines() for block in text.split("\n\n") if block.startswith("|")]
    assert len(blocks) == len(WORK) + 3
    for head, rule, *rows in blocks:
        assert set(rule) == set("|- ")
        assert {line.count(" | ") for line in (head, rule, *rows)} == {head.count(" | ")}
        assert len({len(line) for line in (head, rule, *rows)}) == 1
        assert rows


def test_tables_say_what_a_reader_must_know() -> None:
    text = report.tables(full())
    assert "A <fast> & small CPU" in text
    assert "other processes used 0% of the CPUs" in text
    assert "5 rounds of 5 s" in text
    assert "Left out: flask: it ended with status 1" in text
    assert "80,002" in text


def test_tables_say_where_the_generator_was_the_limit_and_what_failed() -> None:
    text = report.tables(result([made("static", generator_busy=0.99, errors=12), made("go")]))
    assert "title of static: the generator was the limit; it can do more." in text
    assert "title of static: 12 requests failed." in text
    assert "title of go:" not in text


def test_a_contender_alone_is_told_without_ratios() -> None:
    text = report.tables(result([made("cpython")]))
    assert re.search(r"title of cpython +\| 50,000 .* \| - +\|", text)


@pytest.mark.parametrize(
    ("us", "text"),
    [(0, "-"), (64, "0.064 ms"), (1478, "1.48 ms"), (48_300, "48.3 ms"), (1_234_567, "1,235 ms")],
)
def test_milliseconds(us: float, text: str) -> None:
    assert report.milliseconds(us) == text


def test_shapes() -> None:
    one = {"status": "healthy", "routes": [{"path": "/"}, {"path": "/health"}], "seconds": 3}
    other = {"seconds": 4, "routes": [{"path": "/x"}], "status": ""}
    assert shape(one) == shape(other)


@pytest.mark.parametrize(
    ("one", "other", "where"),
    [
        ({"a": 1}, {"a": 2}, []),
        ({"a": {"b": 1}}, {"a": {"b": "1"}}, ["a.b"]),
        ({"a": 1}, {"b": 1}, ["a", "b"]),
        ({"a": [{"b": 1}]}, {"a": [{"c": 1}]}, ["a[].b", "a[].c"]),
        ({"a": [1]}, {"a": []}, ["a"]),
        ([], {}, ["the whole body"]),
    ],
)
def test_differences(one: object, other: object, where: list[str]) -> None:
    assert differences(shape(one), shape(other)) == where


def test_pins_are_read() -> None:
    pins = "# a comment\nflask==3.1.3 \\\n    --hash=sha256:00\n    # via x==1\nmarkupsafe==3.0\n"
    assert pinned_versions(pins) == {"flask": "3.1.3", "markupsafe": "3.0"}
