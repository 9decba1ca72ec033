"""Python services shipped as one static executable, in an image with nothing else in it.

The functions do what the commands of the same names do; ``docs/reference/onebin.md`` has an
example.
"""

from .api import build, image, inspect, plan, publish
from .errors import OnebinError
from .image.image import Image
from .inspection import Report
from .model import Plan
from .pipeline import BuildResult, Tools

__all__ = [
    "BuildResult",
    "Image",
    "OnebinError",
    "Plan",
    "Report",
    "Tools",
    "build",
    "image",
    "inspect",
    "plan",
    "publish",
]

__version__ = "0.1.0"
