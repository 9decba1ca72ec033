"""The table of ``make inside``: the figures of each program from its runs."""

from pathlib import Path

from bench.inside import inside


def test_each_program_has_its_figures_beside_the_other(tmp_path: Path) -> None:
    rows = {}
    for kind, factor in (("compressed", 1), ("plain", 2)):
        program = tmp_path / kind
        program.write_bytes(bytes(1_000_000 * factor))
        run = {
            "times": [[40_000 * factor] * 10, [20_000 * factor] * 10, [20_000 * factor] * 10],
            "before": {"RssAnon": 1_000_000, "RssFile": 2_000_000},
            "after": {"RssAnon": 1_500_000 * factor, "RssFile": 2_000_000},
        }  # fmt: skip
        rows[kind] = inside.figures(program, [0.02 * factor, 0.03 * factor, 0.5], [run])

    assert [
        "|  | compressed | plain |",
        "| --- | --- | --- |",
        "| executable, MB | 1.00 | 2.00 |",
        "| gzip -9, MB | 0.00 | 0.00 |",
        "| start, ms | 30.0 | 60.0 |",
        "| first open and read, µs, median / 99 % | 40 / 40 | 80 / 80 |",
        "| later ones | 20 / 20 | 40 / 40 |",
        "| memory at start, MB | 3.0 | 3.0 |",
        "| grown by all reads, MB | 0.5 | 2.0 |",
    ] == inside.table(rows).split("\n")
