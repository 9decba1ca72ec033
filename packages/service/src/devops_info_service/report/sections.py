"""The sections of the report that list facts; the catalog has their rows."""

from typing import Final

from devops_info_service.catalog.properties import rows
from devops_info_service.catalog.property import Shown
from devops_info_service.snapshot import PlatformSnapshot

from .layout import Section

TITLES: Final[dict[Shown, str]] = {
    "placement": "Placement",
    "granted": "Granted",
    "identity": "Identity",
    "confinement": "Confinement",
    "resources": "Resources",
    "network": "Network and environment",
    "filesystem": "File systems",
}
DETAILS: Final[tuple[Shown, ...]] = ("confinement", "resources", "network", "filesystem")
"""Below the scorecard."""


def section(snapshot: PlatformSnapshot, name: Shown) -> Section:
    """Return the section *name* with its title."""
    return Section(TITLES[name], rows(snapshot, name))
