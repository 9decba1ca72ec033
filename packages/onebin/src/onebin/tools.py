"""The effects and the facts of this machine that a build gets."""

import os
from collections.abc import Mapping
from pathlib import Path

import msgspec

from onebin import platforms
from onebin.effects.context import Context
from onebin.effects.owned import default_root
from onebin.effects.process import allow_open_files, run, run_offline
from onebin.effects.progress import Progress
from onebin.effects.store import Store
from onebin.errors import ToolError
from onebin.model import ARCHITECTURES, Machine


class Tools(msgspec.Struct, frozen=True):
    """The effects a build may have, and the facts of this machine it may know."""

    context: Context
    machine: Machine
    """The processor that builds run on."""
    python_source: str = ""
    """Where CPython's source is, instead of ``tool.onebin.python-source``."""
    platform: str = ""
    """What executables are for, ``linux/arm64``; empty is this machine."""

    @property
    def target(self) -> Machine:
        """The processor that executables are for.

        Raises:
            ProjectError: onebin does not build for the platform.
        """
        return platforms.machine_of(self.platform) if self.platform else self.machine

    @classmethod
    def for_this_machine(
        cls,
        progress: Progress | None = None,
        environ: Mapping[str, str] = os.environ,
        *,
        is_offline: bool = False,
        platform: str = "",
    ) -> "Tools":
        """Return tools that run programs here and use the cache that *environ* names.

        Raises this process's limit of open files, for the compiler.

        Args:
            progress: Where to report; nowhere if absent.
            environ: ``ONEBIN_CACHE``, ``ONEBIN_PYTHON_SOURCE``, ``HOME`` are read from it.
            is_offline: Whether nothing is fetched.
            platform: What executables are for, ``linux/arm64``; this machine if empty.

        Raises:
            ToolError: onebin does not build for this processor, or the cache has no place.
        """
        name = os.uname().machine
        machine = next((known for known in ARCHITECTURES if known == name), None)
        if machine is None:
            raise ToolError(
                f"{name}: onebin does not build for this processor; "
                f"expected {' or '.join(ARCHITECTURES)}"
            )
        allow_open_files()
        # A path in it is relative to the caller's directory.
        origin, mark, checksum = environ.get("ONEBIN_PYTHON_SOURCE", "").partition("#")
        if origin not in {"", "apt"} and "://" not in origin:
            origin = str(Path(origin).absolute())
        store = Store(default_root(environ))
        runs = run_offline if is_offline else run
        context = Context(runs, store, progress or Progress.silent(), is_offline)
        return cls(context, machine, f"{origin}{mark}{checksum}", platform)
