"""How each distribution of a plan comes in: by the files of the index, and by their contents.

Nothing of them runs. The form that the project wants, the wheels and the source there are, and
signs in both that rule one out decide; what cannot be built is an ``Obstacle``.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import msgspec
from packaging.utils import canonicalize_name

from onebin.effects import reuse
from onebin.effects.context import Context
from onebin.errors import ProjectError
from onebin.model import Machine, Obstacle, Offer, Options, Pin, Plan

from . import compile_time, loaded_libraries, located, together
from .offering import PURE, SOURCE, Form, Found, ObstacleError, OfferStep
from .source_facts import SourceFacts, source_facts

FACTS_VERSION: Final = 23
"""Raised when a source's facts change for the same files: part of the key."""


class ExaminedSource(msgspec.Struct, frozen=True):
    """Step: the facts of a source distribution about its build.

    Not part of its offer, since its build requirements depend on the build lock: that may grow
    with each build.
    """

    pin: Pin
    python: str
    machine: Machine
    """The processor that the build runs on."""
    build_pins: tuple[Pin, ...]
    may_be_unpinned: bool
    """As in ``captured.CapturedBuild``."""
    kind = "build-requires"

    def key(self) -> tuple[object, ...]:
        """Return the pin, the machine, and the pins that may be used."""
        return (
            FACTS_VERSION, self.pin, self.python, self.machine, self.build_pins,
            self.may_be_unpinned,
        )  # fmt: skip

    def without_pins(self) -> "ExaminedSource":
        """Return the step without the build lock (a ``PinnedStep``)."""
        return msgspec.structs.replace(self, build_pins=(), may_be_unpinned=False)

    def make(self, folder: Path, ctx: Context) -> None:
        """Fetch it and read it; none of its code runs."""
        ctx.progress.report(f"{self.pin}: reading its source")
        found = source_facts(
            self.pin, self.build_pins, may_be_unpinned=self.may_be_unpinned, python=self.python,
            machine=self.machine, ctx=ctx,
        )  # fmt: skip
        if isinstance(found, Obstacle):
            raise ObstacleError(found)
        (folder / "facts.json").write_bytes(msgspec.json.encode(found))

    def load(self, folder: Path) -> SourceFacts:
        """Return it."""
        return msgspec.json.decode((folder / "facts.json").read_bytes(), type=SourceFacts)


def offers(plan: Plan, python: str, ctx: Context) -> tuple[Offer | Obstacle, ...]:
    """Return how each distribution of *plan* comes in, for Python *python* (``3.13``).

    Raises:
        ProjectError: ``tool.onebin.from-source`` or ``pure`` names something that is not a
            dependency.
        ToolError: the index cannot be reached.
    """
    return offers_of(plan.distributions, plan, python, ctx)


def offers_of(
    pins: Sequence[Pin], plan: Plan, python: str, ctx: Context
) -> tuple[Offer | Obstacle, ...]:
    """Return how each of *pins* comes in, which are distributions of *plan*; see ``offers``."""
    forms = _forms(plan.project.options, {pin.name for pin in plan.distributions})
    steps = [
        OfferStep(pin, forms.get(pin.name, "as pip installs it"), python, plan.machine)
        for pin in pins
    ]
    together.read([step for step in steps if not step.pin.origin], ctx)
    found: list[Offer | Obstacle] = []
    for n, step in enumerate(steps):
        pin, form = step.pin, step.form
        ctx.progress.report(str(pin), done=n, total=len(pins))
        try:
            best = Found(_located(pin, plan, python)) if pin.origin else _of_index(step, ctx)
            offer = _examined(best, form, plan, python, ctx)
            if offer.provider == PURE.name and not pin.origin:
                _require_importable(pin, python, ctx)
            found.append(offer)
        except ObstacleError as exc:
            found.append(exc.obstacle)
    return tuple(found)


def _of_index(step: OfferStep, ctx: Context) -> Found:
    decided = ctx.build(step)
    if decided.obstacle:
        raise ObstacleError(decided.obstacle)
    assert decided.found is not None  # noqa: S101  (the other of the two)
    return decided.found


def _located(pin: Pin, plan: Plan, python: str) -> Offer:
    """Return how a pin of no index comes in; nothing of it is cached, as it may have a password."""
    try:
        pin = located.with_contents(pin)
    except ProjectError as exc:
        raise ObstacleError(Obstacle(pin, str(exc), hint=exc.hint)) from exc
    offer = located.offer(pin, python, captured=SOURCE.name, pure=PURE.name)
    if isinstance(offer, Obstacle):
        raise ObstacleError(offer)
    # A project is among its distributions only for its C code.
    is_own = plan.project.origin is not None and plan.distributions[0].name == pin.name
    return msgspec.structs.replace(offer, has_compiled=is_own)


def _examined(best: Found, form: Form, plan: Plan, python: str, ctx: Context) -> Offer:
    """Return the offer of *best* with the facts of its source, or the wheel that comes instead."""
    offer = best.offer
    if offer.provider != SOURCE.name:
        return offer
    here = plan.build_machine
    step = ExaminedSource(offer.pin, python, here, plan.build_pins, plan.may_be_unpinned)
    # Nothing is brought for code that the project can do without.
    may_lack = form == "pure"
    try:
        facts = _facts(step, ctx)
        _require_compiling(offer, facts, may_lack=may_lack)
        if form != "from source":
            _require_in_time(offer, facts)
    except ObstacleError as exc:
        if best.instead is None:
            raise
        reason = exc.obstacle.reason.removeprefix(f"{offer.pin}: ")
        hint = f" ({exc.obstacle.hint})" if exc.obstacle.hint else ""
        return msgspec.structs.replace(best.instead, lacks=f"{reason}{hint}")
    return msgspec.structs.replace(
        offer,
        build_requires=facts.build_requires,
        build_sources=facts.build_sources,
        names=facts.names,
        libraries=() if may_lack else facts.libraries,
        environment={} if may_lack else facts.environment,
    )


def _require_importable(pin: Pin, python: str, ctx: Context) -> None:
    try:
        loaded = ctx.build(loaded_libraries.LoadedStep(pin, python))
    except ProjectError as exc:
        raise ObstacleError(Obstacle(pin, str(exc), hint=exc.hint)) from exc
    if loaded:
        raise ObstacleError(loaded_libraries.obstacle(pin, loaded))


def _require_compiling(offer: Offer, facts: SourceFacts, *, may_lack: bool) -> None:
    pin = offer.pin
    if may_lack or not offer.has_compiled:
        return
    if not facts.compiles:
        raise ObstacleError(
            Obstacle(
                pin,
                f"{pin}: its source distribution is built without the compiled code that pip would "
                "install",
                hint=f"accept that it may be slower: {silence(pin)}; or choose another version",
            )
        )
    if facts.unbuilt:
        raise ObstacleError(
            Obstacle(
                pin,
                f"{pin}: its C code needs {facts.unbuilt}, which onebin does not build",
                hint="choose another version or package; or, if it has a pure form and may be "
                f"slower: {silence(pin)}",
            )
        )


def _require_in_time(offer: Offer, facts: SourceFacts) -> None:
    if facts.seconds > compile_time.MAX_SECONDS:
        pin, whose = offer.pin, "its C and C++ code"
        if facts.own_seconds <= compile_time.MAX_SECONDS:
            needed = ", ".join(str(item.pin) for item in facts.build_sources)
            whose = f"its build needs {needed}: with that, C and C++ code"
        raise ObstacleError(
            Obstacle(
                pin,
                f"{pin}: {whose} would be compiled for {_span(facts.seconds)} of a core",
                hint="choose another version or package; to try it all the same: "
                f'tool.onebin.from-source = ["{pin.name}"]',
            )
        )


def _span(seconds: int) -> str:
    """Return *seconds* as an estimate has them."""
    minutes = round(seconds / 60)
    return f"about {minutes} minutes" if minutes < 90 else f"about {round(minutes / 60)} hours"  # noqa: PLR2004  (to there people count minutes)


def _facts(step: ExaminedSource, ctx: Context) -> SourceFacts:
    # A lock that has grown since leads to the same facts: none of the sources is read again.
    facts = reuse.build(step, ctx, lambda made: made.build_requires)
    if facts.obstacle:
        raise ObstacleError(facts.obstacle)
    return facts


def _forms(options: Options, known: set[str]) -> dict[str, Form]:
    """Return the form that *options* give a distribution, by its normalized name."""
    asked: dict[str, tuple[Form, Sequence[str]]] = {
        "from-source": ("from source", options.from_source),
        "pure": ("pure", options.pure),
    }
    forms: dict[str, Form] = {}
    for key, (form, names) in asked.items():
        for name in names:
            if canonicalize_name(name) not in known:
                raise ProjectError(
                    f"tool.onebin.{key}: {name} is not among the dependencies",
                    hint=f"known are {', '.join(sorted(known))}" if known else "there are none",
                )
            forms[canonicalize_name(name)] = form
    return forms


def silence(pin: Pin) -> str:
    """Return the setting that accepts *pin* without its compiled code."""
    return f'tool.onebin.pure = ["{pin.name}"]'
