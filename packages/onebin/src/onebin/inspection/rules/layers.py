"""Rules on the layers: nothing wasted, nothing of the moment, every digest true."""

from collections.abc import Iterator
from datetime import datetime
from typing import Final

from onebin.inspection.evidence import Seen, judge, unknown
from onebin.inspection.report import Finding

_EFFICIENCY: Final = 0.95
"""The part of all bytes that can be seen: ``lowestEfficiency`` in dive's example for CI."""
_MAX_LAYERS: Final = 20
"""Ours are one or two; a pull asks for each apart, and Docker fetches three at a time."""


def layers_waste_nothing(seen: Seen) -> Finding:
    """IMG-LAYER-001."""
    total = sum(layer.file_bytes for layer in seen.contents.layers)
    wasted, count = seen.contents.wasted, len(seen.contents.layers)

    def against() -> Iterator[str]:
        if count > _MAX_LAYERS:
            yield f"{count} layers"
        if total and (total - wasted) / total < _EFFICIENCY:
            yield f"{wasted} of {total} bytes are hidden by a later layer"

    check = f"At most {_MAX_LAYERS} layers, of whose bytes 95 % can be seen."
    return judge("IMG-LAYER-001", check, against(), f"layers: {count}, wasted bytes: {wasted}")


def nothing_of_the_moment(seen: Seen) -> Finding:
    """IMG-REPRO-001."""
    check = "The image tells nothing of when, where and in what order it was built."
    created = _seconds(seen.document.created or "")
    if created is None:
        return unknown("IMG-REPRO-001", check, f"created is {seen.document.created!r}")

    def against() -> Iterator[str]:
        for number, layer in enumerate(seen.contents.layers, start=1):
            if layer.oldest != created or layer.newest != created:
                yield f"layer {number}: times from {layer.oldest} to {layer.newest}"
            if layer.gzip_time:
                yield f"layer {number}: gzip has the time {layer.gzip_time}"
            if layer.owner_names:
                yield f"layer {number}: names of users of the machine that packed it"
            if not layer.ordered:
                yield f"layer {number}: entries are not in order"

    return judge("IMG-REPRO-001", check, against(), f"every time in it is {created}")


def digests_are_true(seen: Seen) -> Finding:
    """IMG-DIG-001."""
    check = "Every digest, size and diff_id is what the bytes give, and every type is known."
    against = [str(problem) for problem in seen.problems]
    return judge("IMG-DIG-001", check, against, f"layers: {len(seen.contents.layers)}")


def _seconds(text: str) -> float | None:
    try:
        moment = datetime.fromisoformat(text)
        return int(moment.timestamp()) if not moment.microsecond else moment.timestamp()
    except (ValueError, OverflowError):
        return None


RULES: Final = (layers_waste_nothing, nothing_of_the_moment, digests_are_true)
