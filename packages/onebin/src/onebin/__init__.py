"""Python services shipped as one static executable, in an image with nothing else in it.

The functions do what the commands of the same names do; ``docs/reference/onebin.md`` has an
example.
"""

import os
import signal
import sys

# ``python -m onebin`` puts the current directory first on the search path: a project's own
# ``msgspec.py`` or ``ziglang`` would run instead of onebin's. runpy imports this package, with
# "-m" as the program's name, before ``__main__``; so the directory is removed here.
if sys.argv[:1] == ["-m"] and "onebin" in sys.orig_argv and not sys.flags.safe_path:
    del sys.path[0]

# A command that is interrupted while it imports all this ends at once, without a traceback; its
# ``main`` takes the signal back.
if os.path.basename(sys.argv[0] if sys.argv else "") in {"-m", "onebin"} and (  # noqa: PTH119  (pathlib takes its time)
    signal.getsignal(signal.SIGINT) is signal.default_int_handler
):
    signal.signal(signal.SIGINT, signal.SIG_DFL)

from .api import build, image, inspect, plan, publish, sbom
from .errors import OnebinError
from .image.image import Image
from .inspection import Report
from .model import Plan
from .pipeline import BuildResult
from .tools import Tools
from .version import VERSION

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
    "sbom",
]

__version__ = VERSION
