"""A plan as lines for a terminal, and as JSON; the imports that an executable lacks."""

import os
from collections.abc import Iterable

import msgspec

from .model import RELEASES, Obstacle, Offer, OmittedModule, Pin, Plan
from .terminal import decoded, printable, row

WHOLE = (
    'whole distributions with their data; prune = "reachable" would leave out what no visible '
    "import reaches, which makes it smaller: plugins, data and computed imports would be missing"
)
PRUNED = "what visible imports reach; no data, no metadata, no computed imports"

NO_LOCK = "none yet: the first build chooses versions, perhaps newer ones, and writes it"


def plan(planned: Plan) -> str:
    """Return the plan as lines for a terminal, without a final line break."""
    project = planned.project
    start = ":".join(part for part in (project.entry.module, project.entry.function) if part)
    rows = (
        ("project", f"{project.name} {project.version}, in {_path(project.root)}"),
        ("starts", start),
        ("machine", planned.machine),
        ("compiler", planned.toolchain),
        (
            "python",
            f"CPython {planned.python.version} ({planned.python.origin}){_support(planned)}",
        ),
        ("with", _pins(planned.distributions)),
        ("lock", _lock(planned)),
        ("not needed", ", ".join(planned.not_needed) or "nothing of the lock"),
        ("build tools", _build_tools(planned)),
        ("contents", WHOLE if project.is_whole else PRUNED),
        ("left out", ", ".join(project.options.exclude) or "nothing by tool.onebin.exclude"),
    )
    offers = (row(item.pin.name, _offer(item)) for item in (*planned.offers, *planned.obstacles))
    return "\n".join([*(row(name, value) for name, value in rows), *offers])


def plan_json(planned: Plan) -> str:
    """Give the plan as JSON, without the counts of its profile."""
    if planned.profile:
        short = msgspec.structs.replace(planned.profile, functions=())
        planned = msgspec.structs.replace(planned, profile=short)
    text = msgspec.json.encode(planned, enc_hook=_path, order="deterministic")
    return msgspec.json.format(text).decode()


def _path(value: object) -> str:
    """Return a path as text; it may hold any bytes, JSON only UTF-8."""
    return decoded(os.fsencode(str(value)))


def omitted(modules: Iterable[OmittedModule]) -> str:
    """Return a line per import that an executable lacks: module, importer, reason."""
    lines = []
    for item in modules:
        chain = f" ({' -> '.join(item.chain)})" if len(item.chain) > 1 else ""
        lines.append(f"  {item.module}, imported by {item.importer}: {item.reason}{chain}")
    return "\n".join(map(printable, lines))


def _support(planned: Plan) -> str:
    version = planned.python.version
    found = next((item for item in RELEASES if item.version == version), None)
    return f": {found.support}" if found else ""


def _offer(item: Offer | Obstacle) -> str:
    if isinstance(item, Obstacle):
        way_out = f" → {item.hint}" if item.hint else ""
        return f"cannot be built: {item.reason}{way_out}"
    if item.provider != "pure":
        over = f", with {' and '.join(item.libraries)}" if item.libraries else ""
        return f"{item.file}, built from source{over}"
    slower = ": without the compiled code that pip would install" if item.has_compiled else ""
    why = f", because {item.lacks}" if item.lacks else ""
    return f"{item.file}, as it is{slower}{why}"


def _lock(planned: Plan) -> str:
    if not planned.is_locked:
        return NO_LOCK
    reason = f" ({planned.lock_reason})" if planned.lock_reason else ""
    return f"{planned.lock or 'none'}{reason}"


def _build_tools(planned: Plan) -> str:
    pins = _pins(planned.build_pins)
    if planned.project.options.allow_unpinned_build_requirements:
        return f"{pins}; others as the index has them, unpinned"
    if new := planned.new_build_pins:
        return f"{pins}; the build adds {_pins(new)} to {planned.written_build_lock}"
    return pins


def _pins(pins: Iterable[Pin]) -> str:
    return ", ".join(map(str, pins)) or "none"
