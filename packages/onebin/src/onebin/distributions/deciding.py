"""How each distribution of a plan comes in: by the files of the index, and by their contents.

Nothing of them runs. The form that the project wants, the wheels and the source there are, and
signs in both that rule one out decide; what cannot be built is an ``Obstacle``.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Final, Literal

import msgspec
from packaging.utils import canonicalize_name

from onebin.effects import index, reuse, unpack
from onebin.effects.context import Context
from onebin.effects.index import IndexFile
from onebin.effects.wheel_tags import has_programs, is_compiled
from onebin.errors import ProjectError
from onebin.model import Machine, Obstacle, Offer, Options, Pin, Plan

from . import captured, compile_time, loaded_libraries, located
from .captured import Captured
from .pure import Pure
from .source_facts import SourceFacts, source_facts

CACHE_VERSION: Final = 14
"""Raised when a provider's offer changes for the same files: part of the key."""

FACTS_VERSION: Final = 16
"""Raised when a source's facts change for the same files: part of the key."""

PURE: Final = Pure()
SOURCE: Final = Captured()

Form = Literal["as pip installs it", "from source", "pure"]
"""The form a project wants: pip's, ``tool.onebin.from-source``, ``tool.onebin.pure``."""


class _ObstacleError(Exception):
    def __init__(self, obstacle: Obstacle) -> None:
        super().__init__(obstacle.reason)
        self.obstacle = obstacle


class Found(msgspec.Struct, frozen=True):
    """The best offer by the files of an index, and a wheel for where it cannot be built."""

    offer: Offer
    instead: Offer | None = None


class Decided(msgspec.Struct, frozen=True):
    """One of the two: what the files of a lock's hashes offer, now and later."""

    found: Found | None = None
    obstacle: Obstacle | None = None


UNLOCKED: Final = "the lock has no hash of its source distribution (write it again: onebin lock)"

PROGRAMS: Final = "its wheels bring programs, or shared libraries that its code loads itself"

UNSHIPPED: Final = "the index has no source distribution of it"


class OfferStep(msgspec.Struct, frozen=True):
    """Step: the best offer for a pin; its hashes name the same files for ever."""

    pin: Pin
    form: Form
    python: str
    """``3.13``."""
    machine: Machine
    kind = "decided"

    def key(self) -> tuple[object, ...]:
        """Return the pin, and how it is wanted."""
        return CACHE_VERSION, self.pin, self.form, self.python, self.machine

    def make(self, folder: Path, ctx: Context) -> None:
        """List the index's files and take the best offer."""
        ctx.progress.report(f"{self.pin}: reading the index")
        with ctx.store.scratch() as scratch:
            every = index.files(self.pin, scratch, python=self.python, run=ctx.run)
        files = index.locked(self.pin, every)
        try:
            decided = Decided(self._best(files, every, ctx))
        except _ObstacleError as exc:
            if not files or not all(file.sha256 for file in files):
                raise  # without hashes other files may come
            decided = Decided(obstacle=exc.obstacle)
        (folder / "offer.json").write_bytes(msgspec.json.encode(decided))

    def _best(self, files: Sequence[IndexFile], every: Sequence[IndexFile], ctx: Context) -> Found:
        # Not of the lock alone: it has the hash of the very file that is used.
        compiled = any(is_compiled(file.name, self.python, self.machine) for file in every)
        hashes = {file.name: file.sha256 for file in files}
        pure, source = (
            msgspec.structs.replace(found, has_compiled=compiled, sha256=hashes[found.file])
            if isinstance(found, Offer)
            else found
            for found in (one.offer(self.pin, files, self.python) for one in (PURE, SOURCE))
        )
        is_open = self.form == "as pip installs it"
        program = next((x.name for x in every if has_programs(x.name, self.machine)), "")
        has_other = isinstance(pure, Offer) or isinstance(source, Offer)
        if program and is_open and has_other and not compiled and self._is_code_alone(ctx):
            program = ""
        if isinstance(pure, Offer) and is_open and program and not compiled:
            return Found(
                msgspec.structs.replace(pure, has_compiled=True, lacks=f"{PROGRAMS} ({program})")
            )
        if isinstance(pure, Offer) and (self.form == "pure" or (is_open and not compiled)):
            return Found(pure)
        if is_open and has_other and not compiled and program:
            raise _ObstacleError(self._no_modules(program))
        if isinstance(source, Offer):
            return Found(source, pure if is_open and isinstance(pure, Offer) else None)
        if isinstance(pure, Offer) and is_open:
            has_source = any(file.name.endswith(captured.TARBALL) for file in every)
            return Found(msgspec.structs.replace(pure, lacks=UNLOCKED if has_source else UNSHIPPED))
        raise _ObstacleError(source)

    def _is_code_alone(self, ctx: Context) -> bool:
        """Whether the wheel for this platform has no machine code: others of the version have."""
        with ctx.store.scratch() as scratch:
            # It is read here, not used: the lock may lack its hash.
            pin = msgspec.structs.replace(self.pin, hashes=())
            wheel = index.download_for_platform(
                pin, scratch, python=self.python, machine=self.machine, run=ctx.run
            )
            return wheel is not None and not unpack.has_machine_code(wheel)

    def _no_modules(self, file: str) -> Obstacle:
        return Obstacle(
            self.pin,
            f"{self.pin}: {PROGRAMS} ({file})",
            hint="a static executable has no loader, and files inside it cannot be started: "
            "choose another package; or try its source distribution, "
            f'tool.onebin.from-source = ["{self.pin.name}"]',
        )

    def load(self, folder: Path) -> Decided:
        """Return it."""
        return msgspec.json.decode((folder / "offer.json").read_bytes(), type=Decided)


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
            raise _ObstacleError(found)
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
    found: list[Offer | Obstacle] = []
    for n, pin in enumerate(pins):
        ctx.progress.report(str(pin), done=n, total=len(pins))
        form = forms.get(pin.name, "as pip installs it")
        try:
            if pin.origin:
                best = Found(_located(pin, plan, python))
            else:
                best = _of_index(OfferStep(pin, form, python, plan.machine), ctx)
            offer = _examined(best, form, plan, python, ctx)
            if offer.provider == PURE.name and not pin.origin:
                _require_importable(pin, python, ctx)
            found.append(offer)
        except _ObstacleError as exc:
            found.append(exc.obstacle)
    return tuple(found)


def _of_index(step: OfferStep, ctx: Context) -> Found:
    decided = ctx.build(step)
    if decided.obstacle:
        raise _ObstacleError(decided.obstacle)
    assert decided.found is not None  # noqa: S101  (the other of the two)
    return decided.found


def _located(pin: Pin, plan: Plan, python: str) -> Offer:
    """Return how a pin of no index comes in; nothing of it is cached, as it may have a password."""
    try:
        pin = located.with_contents(pin)
    except ProjectError as exc:
        raise _ObstacleError(Obstacle(pin, str(exc), hint=exc.hint)) from exc
    offer = located.offer(pin, python, captured=SOURCE.name, pure=PURE.name)
    if isinstance(offer, Obstacle):
        raise _ObstacleError(offer)
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
    except _ObstacleError as exc:
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
        raise _ObstacleError(Obstacle(pin, str(exc), hint=exc.hint)) from exc
    if loaded:
        raise _ObstacleError(loaded_libraries.obstacle(pin, loaded))


def _require_compiling(offer: Offer, facts: SourceFacts, *, may_lack: bool) -> None:
    pin = offer.pin
    if offer.has_compiled and not facts.compiles and not may_lack:
        raise _ObstacleError(
            Obstacle(
                pin,
                f"{pin}: its source distribution is built without the compiled code that pip would "
                "install",
                hint=f"accept that it may be slower: {silence(pin)}; or choose another version",
            )
        )


def _require_in_time(offer: Offer, facts: SourceFacts) -> None:
    if facts.seconds > compile_time.MAX_SECONDS:
        pin, whose = offer.pin, "its C and C++ code"
        if facts.own_seconds <= compile_time.MAX_SECONDS:
            needed = ", ".join(str(item.pin) for item in facts.build_sources)
            whose = f"its build needs {needed}: with that, C and C++ code"
        raise _ObstacleError(
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
        raise _ObstacleError(facts.obstacle)
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
