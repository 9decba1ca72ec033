"""Python services shipped as one static executable, in an image with nothing else in it.

The functions do what the commands of the same names do; ``docs/reference/onebin.md`` has an
example.
"""

import os
import signal
import sys
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any, Final

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

from .version import VERSION

# ruff: noqa: TC004  (``_Face`` imports them)
if TYPE_CHECKING:
    from .api import build, image, inspect, plan, publish, sbom
    from .errors import OnebinError
    from .image.image import Image
    from .inspection import Report
    from .model import Plan
    from .pipeline import BuildResult
    from .tools import Tools

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

_PLACES: Final = {
    "BuildResult": "pipeline", "Image": "image.image", "OnebinError": "errors", "Plan": "model",
    "Report": "inspection", "Tools": "tools",
}  # fmt: skip
"""Modules of the public names that ``api`` does not define."""


class _Face(ModuleType):
    """Imports a public name at its first use: a build of nothing new needs none of them."""

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401
        if name not in __all__:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        value = getattr(import_module(f".{_PLACES.get(name, 'api')}", __name__), name)
        self.__dict__[name] = value
        return value

    def __setattr__(self, name: str, value: object) -> None:
        # The import of a package inside sets its name here: two functions have such names.
        if not (isinstance(value, ModuleType) and name in __all__):
            super().__setattr__(name, value)

    def __dir__(self) -> list[str]:
        return sorted({*self.__dict__, *__all__})


sys.modules[__name__].__class__ = _Face
