"""Run pip for the executable's Python and not for this one, where pip has no option for it.

    pip_for_target.py MARKERS ARGUMENT…

MARKERS is a JSON object of marker variables (PEP 508). pip's own ``--python-version`` reaches
the choice of wheels, but not markers such as ``python_version >= "3.13"``.

A source distribution is taken as it is: to learn its name pip would run its build back end
here, with a Python it is not built for, and build what that needs. Its PKG-INFO has the name.

Runs with the interpreter that runs onebin, as a program of its own: standard library and pip.
"""

import json
import os
import shutil
import sys
from collections.abc import Callable
from typing import Any

from pip._internal.cli.main import main as pip
from pip._internal.distributions.sdist import SourceDistribution
from pip._vendor.packaging import markers


def main() -> int:
    """Run pip with the arguments behind the first."""
    if environment := json.loads(sys.argv[1]):
        replace(markers, "default_environment", lambda _: lambda: dict(environment))
    replace(SourceDistribution, "prepare_distribution_metadata", from_its_own)
    return pip(sys.argv[2:])


def replace(where: Any, name: str, make: Callable[[Any], Any]) -> None:
    """Put what *make* makes of it in the place of a part of pip."""
    setattr(where, name, make(getattr(where, name)))


def from_its_own(ask_back_end: Any) -> Any:
    """Return a stand-in for pip's way to a source distribution's metadata."""

    def prepare(self: Any, *arguments: Any, **options: Any) -> None:
        root = self.req.unpacked_source_directory
        if not os.path.exists(os.path.join(root, "PKG-INFO")):
            ask_back_end(self, *arguments, **options)
            return
        folder = os.path.join(root, "onebin.dist-info")
        os.mkdir(folder)
        shutil.copy(os.path.join(root, "PKG-INFO"), os.path.join(folder, "METADATA"))
        self.req.metadata_directory = folder

    return prepare


if __name__ == "__main__":
    sys.exit(main())
