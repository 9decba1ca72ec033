"""The checks of docs/reference/inspect.md, in modules by their subject.

A new check is one function and one ``Rule`` in the table of its module.
"""

from typing import Final

from onebin.inspection.evidence import InspectedImage, Program

from . import config, files, layers, program
from .rule import Rule

IMAGE_RULES: Final[tuple[Rule[InspectedImage], ...]] = (
    *config.RULES,
    *files.RULES,
    *program.IMAGE_RULES,
    *layers.RULES,
)
PROGRAM_RULES: Final[tuple[Rule[Program], ...]] = program.PROGRAM_RULES
"""For an executable that is in no image."""
