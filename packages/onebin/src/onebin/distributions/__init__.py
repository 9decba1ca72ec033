"""How a pinned distribution becomes part of an executable: a provider for each kind of file.

At plan time a provider returns an ``Offer`` for the files of an index, or an ``Obstacle``; at build
time it gives the step for its offer.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Final, Protocol

import msgspec
from packaging.utils import canonicalize_name

from onebin.effects.context import Context, Step
from onebin.effects.index import IndexFile
from onebin.errors import ProjectError
from onebin.model import (
    BuildTool,
    BuiltLibrary,
    CPython,
    Distribution,
    Interpreter,
    Obstacle,
    Offer,
    Pin,
    Plan,
    Toolchain,
)

from . import reuse
from .captured import CapturedBuild
from .deciding import ExaminedSource, offers, offers_of, silence
from .offering import PURE, SOURCE, OfferStep

__all__ = [
    "PROVIDERS",
    "BuildInterpreter",
    "BuildLibraries",
    "ExaminedSource",
    "MakeDistribution",
    "OfferStep",
    "Provider",
    "distributions",
    "maker",
    "offers",
    "offers_of",
]


class Provider(Protocol):
    """One kind of file, and how it comes in."""

    @property
    def name(self) -> str:
        """The name that its offers have."""
        ...

    def offer(self, pin: Pin, files: Sequence[IndexFile], python: str) -> Offer | Obstacle:
        """Return an offer for *files*, all that the index has of *pin*, or an obstacle."""
        ...

    def step(
        self, offer: Offer, plan: Plan, python: CPython, toolchain: Toolchain,
        libraries: Sequence[BuiltLibrary], tools: Sequence[BuildTool],
    ) -> Step[Distribution]:  # fmt: skip
        """Return the step for *offer*; *libraries* are those that it names.

        *tools* are its build requirements that were built from source; the interpreter of *python*
        has their C extensions.
        """
        ...


PROVIDERS: Final[dict[str, Provider]] = {PURE.name: PURE, SOURCE.name: SOURCE}

BuildLibraries = Callable[[Sequence[str]], tuple[BuiltLibrary, ...]]
"""Makes C libraries by name."""

BuildInterpreter = Callable[[Sequence[Distribution]], Interpreter]
"""Makes the interpreter that runs back ends, with the C extensions of distributions."""


MakeDistribution = Callable[[Offer], Distribution]
"""Makes a distribution of its offer."""


def maker(
    plan: Plan,
    python: CPython,
    toolchain: Toolchain,
    libraries: BuildLibraries,
    interpreter: BuildInterpreter,
    ctx: Context,
    native: MakeDistribution | None = None,
) -> MakeDistribution:
    """Return a function that makes distributions ready to be frozen and linked.

    *libraries* and *interpreter* make what their builds need; *native* the build requirements that
    have C extensions, where *plan* is for another processor.
    """

    def make(item: Offer) -> Distribution:
        if item.provider == PURE.name:
            return ctx.build(PURE.step(item, plan, python, toolchain, (), ()))
        sources = tuple(map(native or make, item.build_sources))
        tools = tuple(BuildTool(tool.pin, tool.code, tool.key) for tool in sources)
        runs = msgspec.structs.replace(interpreter(sources), stdlib=python.interpreter.stdlib)
        built = libraries(item.libraries)
        provider = PROVIDERS[item.provider]
        step = provider.step(item, plan, CPython(runs, python.runtime), toolchain, built, tools)
        found = reuse.build(step, ctx) if isinstance(step, CapturedBuild) else ctx.build(step)
        extensions = tuple(
            msgspec.structs.replace(extension, built=built) for extension in found.extensions
        )
        return msgspec.structs.replace(found, extensions=extensions)

    return make


def distributions(
    plan: Plan, wanted: Iterable[Offer | Obstacle], make: MakeDistribution, ctx: Context
) -> tuple[Distribution, ...]:
    """Let *make* make every distribution of *wanted*.

    Raises:
        ProjectError: one of them cannot be part of a static executable, or its build leaves out
            the compiled code that pip would install.
        ToolError: one does not build, or cannot be downloaded.
    """
    wanted = tuple(wanted)
    may_lack = {canonicalize_name(name) for name in plan.project.options.pure}
    made = []
    for n, item in enumerate(wanted):
        if isinstance(item, Obstacle):
            raise ProjectError(item.reason, hint=item.hint)
        ctx.progress.report(str(item.pin), done=n, total=len(wanted))
        found = make(item)
        if item.lacks:
            ctx.progress.warn(
                f"{item.pin}: without the compiled code that pip would install, so it may be "
                f"slower: {item.lacks}; {silence(item.pin)} accepts that"
            )
        elif item.has_compiled and item.pin.name not in may_lack and (
            found.lost or not found.extensions
        ):  # fmt: skip
            what = f": {', '.join(found.lost)}" if found.lost else ""
            raise ProjectError(
                f"{item.pin}: its build leaves out compiled code that pip would install{what}",
                hint=f"accept that it may be slower: {silence(item.pin)}; or choose another "
                "version",
            )
        made.append(found)
    return tuple(made)
