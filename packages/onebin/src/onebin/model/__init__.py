"""The values a build is made of. Each is frozen; a stage takes some and gives the next.

directory -> Project -> Plan -> Runtime -> Extensions -> Frozen -> Binary -> Image,
and Binary or Image -> Report.
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
from .report import (
    ElfFacts,
    ElfKind,
    Executable,
    FileFacts,
    Finding,
    ImageFormat,
    ImageReport,
    LayerReport,
    Report,
)
from .target import RELEASE, target_environment

__all__ = [
    "ARCHITECTURES",
    "RELEASE",
    "Architecture",
    "Binary",
    "Distribution",
    "ElfFacts",
    "ElfKind",
    "Entry",
    "Executable",
    "Extension",
    "FileFacts",
    "Finding",
    "Frozen",
    "FrozenModule",
    "ImageFormat",
    "ImageReport",
    "ImageSettings",
    "LayerReport",
    "LeftOut",
    "Machine",
    "Options",
    "Pin",
    "Plan",
    "Project",
    "Report",
    "Runtime",
    "Source",
    "Toolchain",
    "target_environment",
]
