"""The values of a build, all frozen.

input -> Project -> Plan -> CPython -> Distribution -> FrozenModule -> LinkInput -> Binary -> Image.
"""

from .build import (
    Binary,
    BuiltLibrary,
    BuiltModule,
    CPython,
    Distribution,
    Extension,
    Function,
    Interpreter,
    Obstacle,
    Offer,
    Pin,
    Plan,
    Profile,
    Runtime,
    Source,
    Toolchain,
)
from .link_input import CSource, LinkInput
from .modules import (
    FrozenModule,
    Import,
    ImportKind,
    InsideFile,
    ModuleImports,
    ModuleOrigin,
    OmittedModule,
)
from .project import (
    ARCHITECTURES,
    Architecture,
    EntryPoint,
    ImageSettings,
    Machine,
    Options,
    Project,
)
from .target import RELEASE, target_environment

__all__ = [
    "ARCHITECTURES",
    "RELEASE",
    "Architecture",
    "Binary",
    "BuiltLibrary",
    "BuiltModule",
    "CPython",
    "CSource",
    "Distribution",
    "EntryPoint",
    "Extension",
    "FrozenModule",
    "Function",
    "ImageSettings",
    "Import",
    "ImportKind",
    "InsideFile",
    "Interpreter",
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
    "Runtime",
    "Source",
    "Toolchain",
    "target_environment",
]
