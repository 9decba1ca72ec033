"""The whole catalog, and its rows for a section of the report."""

from typing import TYPE_CHECKING, Final

from .filesystem import FILESYSTEM
from .identity import IDENTITY
from .network import NETWORK
from .placement import PLACEMENT
from .property import Shown
from .resources import RESOURCES
from .row import Row
from .security import SECURITY

if TYPE_CHECKING:
    from devops_info_service.snapshot import PlatformSnapshot

PROPERTIES: Final = (*RESOURCES, *SECURITY, *PLACEMENT, *IDENTITY, *NETWORK, *FILESYSTEM)


def rows(snapshot: "PlatformSnapshot", shown: Shown) -> tuple[Row, ...]:
    """Return the rows of one section of the report."""
    return tuple(
        [row for each in PROPERTIES if each.shown == shown for row in each.rows_of(snapshot)]
    )


def text(snapshot: "PlatformSnapshot", path: str) -> str:
    """Return the value at *path* with its certainty, as every view has it in a sentence.

    Raises:
        StopIteration: the catalog has no row of it in this snapshot.
    """
    found = (each for each in PROPERTIES if each.path == path)
    return next(row.value for each in found for row in each.rows_of(snapshot))
