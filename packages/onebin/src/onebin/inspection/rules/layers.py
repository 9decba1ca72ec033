"""Rules on the layers: few hidden bytes, reproducible, every digest correct."""

from collections.abc import Iterator
from datetime import datetime
from typing import Final

from onebin.inspection.evidence import InspectedImage

from .rule import Rule, Verdict, unknown, verdict

_EFFICIENCY: Final = 0.95
"""Least share of visible bytes: ``lowestEfficiency`` in dive's example for CI."""
_MAX_LAYERS: Final = 20
"""onebin makes one; a pull requests each separately, and Docker fetches three at a time."""


def _layers_are_few(image: InspectedImage) -> Verdict:
    filesystem = image.filesystem
    total = sum(layer.file_bytes for layer in filesystem.layers)
    wasted, count = filesystem.wasted_bytes, len(filesystem.layers)

    def violations() -> Iterator[str]:
        if count > _MAX_LAYERS:
            yield f"{count} layers"
        if total and (total - wasted) / total < _EFFICIENCY:
            yield f"{wasted} of {total} bytes are hidden by a later layer"

    return verdict(violations(), f"layers: {count}, wasted bytes: {wasted}")


def _is_reproducible(image: InspectedImage) -> Verdict:
    created = _seconds(image.config.created or "")
    if created is None:
        return unknown(f"created is {image.config.created!r}")

    def violations() -> Iterator[str]:
        for number, layer in enumerate(image.filesystem.layers, start=1):
            if layer.times and layer.times != (created, created):
                yield f"layer {number}: times from {layer.times[0]} to {layer.times[1]}"
            if layer.gzip_time:
                yield f"layer {number}: gzip has the time {layer.gzip_time}"
            if layer.owner_names:
                yield f"layer {number}: names of users of the machine that packed it"
            if not layer.ordered:
                yield f"layer {number}: entries are not in order"

    return verdict(violations(), f"every time in it is {created}")


def _digests_are_correct(image: InspectedImage) -> Verdict:
    problems = [str(problem) for problem in image.problems]
    return verdict(problems, f"layers: {len(image.filesystem.layers)}")


def _seconds(text: str) -> float | None:
    try:
        moment = datetime.fromisoformat(text)
        return int(moment.timestamp()) if not moment.microsecond else moment.timestamp()
    except (ValueError, OverflowError):
        return None


RULES: Final[tuple[Rule[InspectedImage], ...]] = (
    Rule(
        "IMG-LAYER-001",
        f"At most {_MAX_LAYERS} layers; 95 % of their bytes are visible.",
        _layers_are_few,
    ),
    Rule(
        "IMG-REPRO-001",
        "The image does not show when, where or in what order it was built.",
        _is_reproducible,
    ),
    Rule(
        "IMG-DIG-001",
        "Every digest, size and diff_id matches the bytes, and every media type is known.",
        _digests_are_correct,
    ),
)
