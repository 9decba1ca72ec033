"""Container or machine: what every other fact and verdict has to be read by, so it comes first."""

from typing import TYPE_CHECKING, Final

from devops_info_service.facts.container.placement import CONTAINER, MACHINE, ON_MACHINE
from devops_info_service.facts.fact import Unknown

from .property import Expect, Property
from .row import Note, Row, row

if TYPE_CHECKING:
    from devops_info_service.facts.linux.sandbox import Detection
    from devops_info_service.snapshot import PlatformSnapshot

_WORDS: Final = {CONTAINER: "a container", MACHINE: "a machine, without a container"}
NOTHING_GRANTED: Final = (
    "No engine granted or withheld anything here: limits are those of the process's own group,"
    " and no check counts as failed"
)
UNDECIDED: Final = "Whether this is a container does not show; verdicts hold for either"


def is_machine(snapshot: "PlatformSnapshot") -> bool:
    """Return whether signs prove that no container is around the process."""
    return not isinstance(snapshot.placement, Unknown) and snapshot.placement.value == ON_MACHINE


def remark(snapshot: "PlatformSnapshot") -> str:
    """Return what a reader has to know before anything else; empty in a container."""
    if isinstance(snapshot.placement, Unknown):
        return UNDECIDED
    return NOTHING_GRANTED if is_machine(snapshot) else ""


def _words(found: "Detection") -> str:
    return _WORDS.get(found.name, found.name)


def _row(snapshot: "PlatformSnapshot") -> tuple[Row]:
    shown = row("runs in", snapshot.placement, _words)
    more = [Note(text) for text in (remark(snapshot),) if text]
    return (Row(shown.label, shown.value, (*shown.notes, *more)),)


PLACEMENT: Final = (
    Property(
        "placement",
        shown="placement",
        rows=_row,
        expect=Expect(
            "placement",
            "string",
            "whether there is a container around the process",
            (CONTAINER, MACHINE),
        ),
    ),
)
