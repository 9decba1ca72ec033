"""What commands print: a plan as lines and as JSON, imports left out, a trace, an error."""

import os
from collections.abc import Iterable, Iterator

import msgspec

from . import planning, secret
from .errors import ObstaclesError, OnebinError, ToolError
from .model import RELEASES, Obstacle, Offer, OmittedModule, Pin, Plan, Project, Trace
from .pruning import Contents, Pruning
from .selection.risks import TITLES, Risk
from .terminal import decoded, line, printable, row, size

WHOLE = "whole distributions with their data"
PRUNED = "what visible imports reach; no data, no metadata, no computed imports"

NO_LOCK = "none yet: the first build chooses versions, perhaps newer ones, and writes it"


NOT_COMPARED = (
    'what prune = "reachable" would save and risk is known once CPython and the dependencies are '
    "built: onebin prepare"
)

SHOWN_LINES = 12
"""Of a kind of risks in the project; JSON has all."""


def plan(planned: Plan, pruning: Pruning | None = None) -> str:
    """Return the plan as lines for a terminal, without a final line break."""
    project = planned.project
    rows = (
        ("project", f"{project.name} {project.version}, in {_path(project.root)}"),
        ("starts", "not known" if project.start_fault else str(project.entry)),
        *([("scripts", ", ".join(project.starts))] if len(project.starts) > 1 else []),
        *([("no starts", ", ".join(project.not_starts))] if project.not_starts else []),
        ("machine", _machine(planned)),
        ("compiler", planned.toolchain),
        (
            "python",
            f"CPython {planned.python.version} ({planned.python.origin}){_support(planned)}",
        ),
        *([("profile", planning.UNUSED_PROFILE)] if planned.is_cross and planned.profile else []),
        (
            "with",
            _pins(planned.distributions)
            if planned.distributions or not planned.unknown
            else "not known",
        ),
        *([("index", f"failed: {planned.unknown}")] if planned.unknown else []),
        ("lock", _lock(planned)),
        ("not needed", ", ".join(planned.not_needed) or "nothing of the lock"),
        ("build tools", _build_tools(planned)),
        ("contents", WHOLE if project.is_whole else PRUNED),
        *([("trace", _trace(project.trace))] if not project.is_whole else []),
        ("left out", ", ".join(project.options.exclude) or "nothing by tool.onebin.exclude"),
    )
    offers = (row(item.pin.name, _offer(item)) for item in (*planned.offers, *planned.obstacles))
    compared = _pruning(pruning) if pruning else [row("pruning", NOT_COMPARED)]
    return "\n".join([*(row(name, value) for name, value in rows), *offers, *compared])


def plan_json(planned: Plan, pruning: Pruning | None = None) -> str:
    """Give the plan as JSON, without the counts of its profile."""
    if planned.profile:
        short = msgspec.structs.replace(planned.profile, functions=())
        planned = msgspec.structs.replace(planned, profile=short)
    whole = msgspec.to_builtins(planned, enc_hook=_path) | {"pruning": pruning}
    text = msgspec.json.encode(whole, order="deterministic")
    return msgspec.json.format(text).decode()


def _pruning(found: Pruning) -> list[str]:
    """Return what pruning saves, then its risks by kind: those of the project line by line."""
    whole, reachable = found.whole, found.reachable
    if reachable is None:
        return [row("pruning", f"not possible: {found.refusal}")]
    saved = whole.size - reachable.size
    lines = [
        row("pruning", f"saves {size(saved)} of {size(whole.size)} of code and files, beside C"),
        row("  whole", _contents(whole)),
        row("  reachable", _contents(reachable)),
    ]
    if gone := sorted(set(whole.c_modules) - set(reachable.c_modules)):
        libraries = sorted(set(whole.libraries) - set(reachable.libraries))
        over = f", of {' and '.join(libraries)}" if libraries else ""
        most = f", at most {size(found.extension_bytes)} of extensions"
        more = most if found.extension_bytes else ""
        lines.append(row("  without", f"{', '.join(gone)}{over}{more}"))
    for kind, title in TITLES.items():
        if risks := [risk for risk in found.risks if risk.kind == kind]:
            lines += [f"  {title}: {len(risks)}", *map(printable, _risks(risks))]
    return lines


def _contents(contents: Contents) -> str:
    inside = f"{contents.files} files, {size(contents.file_bytes)}" if contents.files else "no file"
    return f"{contents.modules} modules, {size(contents.code_bytes)}; {inside}"


def _risks(risks: Iterable[Risk]) -> Iterator[str]:
    """Yield lines for *risks* of one kind, of a distribution the first and the count."""
    owners: dict[str, list[Risk]] = {}
    for risk in risks:
        owners.setdefault(risk.owner, []).append(risk)
    for owner, found in owners.items():
        shown = found[:SHOWN_LINES] if owner == "project" else found[:1]
        for risk in shown:
            of = "" if owner == "project" else f" ({owner})"
            yield f"    {risk.place}  {risk.text}".rstrip() + of
        if more := len(found) - len(shown):
            yield f"    and {more} more of {'the project' if owner == 'project' else owner}: --json"


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


def _trace(trace: Trace) -> str:
    if not trace.modules and not trace.files:
        return "none: onebin build --trace learns from a run what visible imports do not show"
    return f"{len(trace.modules)} modules and {len(trace.files)} files that a run has used"


def _machine(planned: Plan) -> str:
    if not planned.is_cross:
        return planned.machine
    return f"{planned.machine}, built on {planned.build_machine}"


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


def learned(new: Trace, path: str, project: Project) -> str:
    """Return what a run has shown beyond visible imports and the trace before it."""
    if not new.modules and not new.files:
        return "trace: nothing beyond visible imports and the trace"
    lines = [f"trace: added to {path}, which belongs to the project's files:"]
    lines += [f"  module {name}" for name in new.modules]
    lines += [f"  file   {name}" for name in new.files]
    if project.is_whole:
        lines.append('a whole program has them already: prune = "reachable" makes use of the trace')
    return "\n".join(map(printable, lines))


def error(fault: OnebinError, *, color: bool) -> str:
    """Return *fault* as lines: the fault, the output of the failed program, the remedy."""
    if isinstance(fault, ObstaclesError):
        return "".join(error(one, color=color) for one in fault.faults)
    red, dim, plain = ("\x1b[31m", "\x1b[2m", "\x1b[0m") if color else ("", "", "")
    # It may contain names out of a project or an archive, and an index's password.
    message = line(secret.hidden(str(fault)))
    lines = [f"{red}onebin: error:{plain} {message}"]
    detail = fault.detail if isinstance(fault, ToolError) else ""
    lines += [f"{dim}  | {secret.hidden(text)}{plain}" for text in detail.splitlines()]
    if fault.hint:
        lines.append(f"  → {secret.hidden(fault.hint)}")
    return "".join(f"{text}\n" for text in lines)
