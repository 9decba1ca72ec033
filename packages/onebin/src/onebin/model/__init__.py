"""The values a build is made of. Each is frozen; a stage takes some and gives the next.

directory -> Project -> Plan -> Runtime -> Extensions -> Frozen -> Binary -> Image.
"""

from .build import (
    Binary,
    Distribution,
    Extension,
    Frozen,
    FrozenModule,
    LeftOut,
    Pin,
    Plan,
    Runtime,
    Source,
    Toolchain,
)
from .project import ARCHITECTURES, Architecture, Entry, ImageSettings, Machine, Options, Project
from .target import RELEASE, target_environment

__all__ = [
    "ARCHITECTURES",
    "RELEASE",
    "Architecture",
    "Binary",
    "Distribution",
    "Entry",
    "Extension",
    "Frozen",
    "FrozenModule",
    "ImageSettings",
    "LeftOut",
    "Machine",
    "Options",
    "Pin",
    "Plan",
    "Project",
    "Runtime",
    "Source",
    "Toolchain",
    "target_environment",
]
