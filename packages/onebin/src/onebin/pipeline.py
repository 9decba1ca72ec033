"""The stages in order: directory -> Binary -> Image. What each does is its own module's matter."""

import hashlib
from collections.abc import Sequence
from pathlib import Path

import msgspec

from onebin.effects.atomic import replace_atomically
from onebin.effects.process import Run
from onebin.effects.progress import Story
from onebin.effects.store import Store
from onebin.errors import ProjectError, ToolError
from onebin.image.application import ImageMetadata
from onebin.image.image import Image
from onebin.model import (
    Binary,
    Distribution,
    Frozen,
    Machine,
    Plan,
    Project,
    Runtime,
    Toolchain,
)

from . import assemble, planning
from .distributions import captured as extensions
from .effects import files, index
from .embed import freeze
from .inputs import directory as projects
from .link import linker as link
from .pgo import profile
from .runtime import build as runtime
from .runtime import toolchain


class Tools(msgspec.Struct, frozen=True):
    """The effects a build may have, and what of this machine it may know."""

    run: Run
    store: Store
    story: Story
    machine: Machine
    python_source: str = ""
    """Where CPython's source is, instead of what projects say."""


class Prepared(msgspec.Struct, frozen=True):
    """All that a build needs and that does not depend on the project's own code."""

    plan: Plan
    toolchain: Toolchain
    runtime: Runtime
    distributions: tuple[Distribution, ...]
    hidden: dict[str, tuple[str, ...]]
    """What each C extension imports when it is loaded."""


class Built(msgspec.Struct, frozen=True):
    """A build's result, with what led to it."""

    plan: Plan
    frozen: Frozen
    binary: Binary


def make_plan(root: Path, tools: Tools, *, with_code: bool = True, counting: bool = False) -> Plan:
    """Read the project in *root* and decide how it is built; writes a missing lock."""
    project = projects.read(root, with_code=with_code)
    text = "" if counting else _read(project, project.options.profile)
    plan = planning.plan(
        project,
        machine=tools.machine,
        lock=_lock_text(project, tools),
        build_lock=_read(project, project.options.build_lock),
        source=tools.python_source,
        profile=text,
        counting=counting,
    )
    source = plan.python
    if not source.sha256 and not Path(project.root, source.origin).is_dir():
        raise ProjectError(
            f"tool.onebin.python-source: {source.origin} is no directory, and has no checksum",
            hint="write it behind the file's path: #sha256=<64 hex digits>",
        )
    if text and (of := profile.made_by(text)) != (now := planning.provenance(plan)):
        tools.story.warn(
            f"{project.options.profile} is of {of}, this is {now}: what differs is built without "
            "it; make it anew with: onebin train"
        )
    return plan


def prepare(
    root: Path, tools: Tools, *, with_code: bool = False, counting: bool = False
) -> Prepared:
    """Make CPython and the dependencies of the project in *root*."""
    run, store, story = tools.run, tools.store, tools.story
    with story.stage("plan") as ending:
        plan = make_plan(root, tools, with_code=with_code, counting=counting)
        project = plan.project
        ending.text = f"{project.name} {project.version}, {len(plan.distributions)} dependencies"
    with story.stage("toolchain") as ending:
        compiler = toolchain.find(plan, run=run, store=store, tell=story.tell)
        ending.text = plan.toolchain
    with story.stage("runtime") as ending:
        python = runtime.runtime(plan, compiler, run=run, store=store, tell=story.tell)
        ending.text = f"CPython {plan.python.version or python.version}, {_size(python.archives)}"
    with story.stage("extensions") as ending:
        made = extensions.distributions(
            plan, python, compiler, run=run, store=store, tell=story.tell
        )
        for one in made:
            for line in one.unpinned:
                story.warn(
                    f"{one.pin.name} {one.pin.version} was built with what no lock has: {line}"
                )
        objects = tuple(item for one in made for item in one.extensions)
        code = tuple(one.code for one in made)
        hidden = link.load_imports(
            python, objects, code, compiler, run=run, store=store, tell=story.tell
        )
        size = _size(tuple(item.object for item in objects))
        ending.text = f"{len(objects)} C modules, {size}"
    return Prepared(plan, compiler, python, made, hidden)


def build(root: Path, tools: Tools, *, counting: bool = False) -> Built:
    """Make the executable of the project in *root*."""
    run, store, story = tools.run, tools.store, tools.story
    ready = prepare(root, tools, with_code=True, counting=counting)
    with story.stage("freeze") as ending:
        frozen = freeze.freeze(
            ready.plan,
            ready.runtime,
            ready.distributions,
            ready.hidden,
            run=run,
            store=store,
            tell=story.tell,
        )
        size = _bytes(sum(module.size for module in frozen.modules))
        ending.text = f"{len(frozen.modules)} modules, {size}"
    with story.stage("link") as ending:
        binary = link.link(
            ready.plan, ready.runtime, frozen, ready.toolchain,
            run=run, store=store, tell=story.tell,
        )  # fmt: skip
        ending.text = f"{binary.name}, {_bytes(binary.size)}"
    return Built(ready.plan, frozen, binary)


def train(root: Path, tools: Tools, command: Sequence[str]) -> str:
    """Build the project in *root* so that it counts, let *command* use it: the profile's text.

    *command* finds the executable in the environment variable ``ONEBIN_PROGRAM``; without one
    the executable itself is run.

    Raises:
        ToolError: the command failed, or no process of the executable has ended by itself.
    """
    built = build(root, tools, counting=True)
    program = built.binary.path
    with tools.story.stage("train") as ending, tools.store.scratch() as scratch:
        folder = scratch / "counters"
        folder.mkdir()
        tools.run(
            list(command) or [str(program)],
            env={"ONEBIN_PROGRAM": str(program), "ONEBIN_COUNTERS": str(folder)},
            on_line=lambda line: tools.story.tell(line.strip()),
        )
        runs = [profile.read_counters(file.read_bytes()) for file in sorted(folder.iterdir())]
        if not runs:
            raise ToolError(
                f"training left no counters: no process of {built.binary.name} ended by itself",
                hint="the command must run $ONEBIN_PROGRAM and let it end, not kill it",
            )
        every = profile.merged(runs)
        kept = profile.shortened(every)
        ending.text = f"{len(runs)} runs, {len(kept)} of {len(every)} functions matter"
    return profile.to_text(kept, planning.provenance(built.plan))


def image(built: Built, tools: Tools, *, epoch: int) -> Image:
    """Make the image of a built executable, dated *epoch* (seconds, ``SOURCE_DATE_EPOCH``)."""
    with tools.story.stage("assemble") as ending:
        project = built.plan.project
        metadata = ImageMetadata(
            name=project.name,
            version=project.version,
            description=project.description,
            license=project.licence,
            source=project.source_url,
        )
        made = assemble.assemble(
            built.binary,
            tools.store,
            metadata=metadata,
            settings=project.options.image,
            epoch=epoch,
        )
        compressed = sum(layer.descriptor.size for layer in made.layers)
        ending.text = f"{made.digest[:19]}…, {_bytes(compressed)} compressed"
    return made


def write_lock(root: Path, tools: Tools, output: Path | None = None) -> Path:
    """Choose versions anew and write the project's lock file, or *output*; return its path.

    Raises:
        ProjectError: the project names a lock outside itself, and no *output* is given.
    """
    project = projects.read(root, with_code=False)
    target = output or files.to_write(project.root, project.options.lock, where="tool.onebin.lock")
    with tools.story.stage("lock") as ending:
        text = _resolve(project, tools)
        with replace_atomically(target) as new:
            new.write_text(text, "utf-8")
        ending.text = str(target)
    return target


def _lock_text(project: Project, tools: Tools) -> str:
    target = Path(project.root, project.options.lock)
    if not target.is_file():
        if not project.dependencies:
            return ""
        if project.options.lock != "onebin.lock":
            raise ProjectError(
                f"tool.onebin.lock: {target} is not there", hint="write it with: onebin lock"
            )
        tools.story.warn(f"no {target.name} yet: choosing versions and writing it")
        write_lock(project.root, tools)
    return _read(project, project.options.lock)


def _read(project: Project, name: str) -> str:
    if not name:
        return ""
    try:
        return files.read_text(Path(project.root, name))
    except (OSError, ValueError) as exc:
        hint = "make it with: onebin train" if name == project.options.profile else ""
        where = Path(project.root, name)
        raise ProjectError(f"{where}: cannot be read: {exc}", hint=hint) from exc


def _resolve(project: Project, tools: Tools) -> str:
    """Return lock lines: each distribution with the hash of the very file that will be used."""
    python = ".".join(planning.PYTHON.version.split(".")[:2])
    with tools.store.scratch() as scratch:
        pins = index.resolve(
            project.dependencies, scratch, python=python, machine=tools.machine, run=tools.run
        )
    lines = ["# Written by onebin lock: what the executable is built from."]
    for n, pin in enumerate(pins):
        tools.story.tell(f"{pin.name} {pin.version}", done=n, total=len(pins))
        with tools.store.scratch() as scratch:
            file = index.download(
                pin, scratch, python=python, run=tools.run, from_source=project.options.from_source
            )
            sha256 = hashlib.sha256(file.read_bytes()).hexdigest()
        lines.append(f"{pin.name}=={pin.version} --hash=sha256:{sha256}")
    return "\n".join(lines) + "\n"


def _size(files: tuple[Path, ...]) -> str:
    return _bytes(sum(file.stat().st_size for file in files))


def _bytes(count: int) -> str:
    return f"{count / 1e6:.2f} MB" if count >= 1e6 else f"{count / 1e3:.1f} kB"  # noqa: PLR2004
