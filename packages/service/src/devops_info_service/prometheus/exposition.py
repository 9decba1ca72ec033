"""Metrics as values, and the two texts Prometheus reads them from.

A source of metrics makes a ``Family``; nothing here knows its subject.

Source: Prometheus text format 0.0.4 (exposition_formats.md), OpenMetrics 1.0.0.
"""

import functools
from collections.abc import Iterable, Sequence
from typing import Final, Literal

import msgspec

TEXT: Final = b"text/plain; version=0.0.4; charset=utf-8"
OPEN_METRICS: Final = b"application/openmetrics-text; version=1.0.0; charset=utf-8"

Type = Literal["counter", "gauge", "histogram"]
Labels = tuple[tuple[str, str], ...]
"""Names and values, in the order they are written."""


class Sample(msgspec.Struct, frozen=True):
    """One number; ``inf`` is a value like any other."""

    value: float
    labels: Labels = ()
    suffix: str = ""
    """Appended to the family's name: of a histogram ``_bucket``, ``_sum``, ``_count``."""


class Family(msgspec.Struct, frozen=True):
    """All samples of one name."""

    name: str
    """With its unit, and of a counter with ``_total``."""
    type: Type
    help: str
    """One sentence."""
    samples: tuple[Sample, ...]
    """None, and the family is left out."""


def single(name: str, type_: Type, help_: str, value: float | None) -> Family:
    """Return a family of one sample without labels, or of none where there is no value."""
    return Family(name, type_, help_, () if value is None else (Sample(value),))


def histogram(
    labels: Labels, bounds: Sequence[float], buckets: Sequence[int], total: float
) -> tuple[Sample, ...]:
    """Return the samples of one series of a histogram.

    *buckets* count the values above the bound before and not above their own; the last one, without
    a bound, has the rest. *total* is the sum of all values.
    """
    samples = []
    seen = 0
    for bound, count in zip((*bounds, float("inf")), buckets, strict=True):
        seen += count
        samples.append(Sample(seen, (*labels, ("le", _bound(bound))), "_bucket"))
    return (*samples, Sample(total, labels, "_sum"), Sample(seen, labels, "_count"))


def render(families: Iterable[Family], *, open_metrics: bool = False) -> bytes:
    """Write *families* in one format or the other."""
    lines: list[str] = []
    for family in families:
        if family.samples:
            lines += _lines(family, open_metrics=open_metrics)
    if open_metrics:
        lines.append("# EOF")
    lines.append("")
    return "\n".join(lines).encode()


def _lines(family: Family, *, open_metrics: bool) -> Iterable[str]:
    yield _head(family.name, family.help, family.type, open_metrics=open_metrics)
    for sample in family.samples:
        yield f"{family.name}{sample.suffix}{_labels(sample.labels)} {_number(sample.value)}"


@functools.lru_cache(maxsize=256)
def _head(name: str, meaning: str, type_: str, *, open_metrics: bool) -> str:
    """Return the two lines before the samples of a family: the same at every scrape."""
    # OpenMetrics names the family without the suffix of a counter's samples.
    title = name.removesuffix("_total") if open_metrics and type_ == "counter" else name
    help_ = meaning.replace("\\", "\\\\").replace("\n", "\\n")
    if open_metrics:
        help_ = help_.replace(_QUOTE, _ESCAPED)
    return f"# HELP {title} {help_}\n# TYPE {title} {type_}"


_QUOTE: Final = '"'
_ESCAPED: Final = '\\"'


@functools.lru_cache(maxsize=4096)
def _labels(labels: Labels) -> str:
    if not labels:
        return ""
    return "{" + ",".join([f'{name}="{_escaped(value)}"' for name, value in labels]) + "}"


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace("\n", "\\n").replace(_QUOTE, _ESCAPED)


def _bound(bound: float) -> str:
    # "1.0", not Go's older "1": OpenMetrics wants it, and Prometheus 3 makes both the same.
    return "+Inf" if bound == float("inf") else repr(float(bound))


def _number(value: float) -> str:
    if value == float("inf"):
        return "+Inf"
    return repr(value)
