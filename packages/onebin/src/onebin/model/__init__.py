"""The values of a build, all frozen.

input -> Project -> Plan -> CPython -> Distribution -> FrozenModule -> LinkInput -> Binary -> Image,
and Binary or Image -> Report.
"""

from .build import (
    Binary, CPython, Distribution, Extension, Function, Interpreter, Obstacle, Offer, Pin, Plan,
    Profile, Runtime, Source, Toolchain,
)
from .link_input import CSource, LinkInput
from .modules import (
    FrozenModule, Import, ImportKind, ModuleImports, ModuleOrigin, OmittedModule,
)
from .project import ARCHITECTURES, Architecture, EntryPoint, ImageSettings, Machine, Options, Project
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
    "Architecture",
    "Binary",
    "CPython",
    "CSource",
    "Distribution",
    "ElfFacts",
    "ElfKind",
    "EntryPoint",
    "Executable",
    "Extension",
    "FileFacts",
    "Finding",
    "FrozenModule",
    "Function",
    "ImageFormat",
    "ImageReport",
    "ImageSettings",
    "Import",
    "ImportKind",
    "Interpreter",
    "LayerReport",
    "LinkInput",
    "Machine",
    "ModuleImports",
    "ModuleOrigin",
    "Obstacle",
    "Offer",
    "OmittedModule",
    "Options",
    "Pin",
    "Plan",
    "Profile",
    "Project",
    "RELEASE",
    "Report",
    "Runtime",
    "Source",
    "Toolchain",
    "target_environment",
]
