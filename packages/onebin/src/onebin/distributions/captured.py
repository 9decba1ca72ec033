"""Plan, Runtime -> distributions: each dependency as importable code and relocatable objects.

A pure-Python wheel is taken as it is. Anything else is built from its source distribution by
its own build back end, in the static interpreter, with a compiler that captures instead of
linking: there is no recipe per package.
"""

import re
import tomllib
from collections.abc import Iterable
from pathlib import Path, PurePosixPath
from typing import Final

import msgspec
from packaging.utils import canonicalize_name

from onebin.effects import files, index, unpack
from onebin.effects.process import Run
from onebin.effects.progress import Tell
from onebin.effects.store import Store, key_of
from onebin.errors import ImageError, ProjectError, ToolError
from onebin.model import Distribution, Extension, Pin, Plan, Runtime, Toolchain
from onebin.objects.relocatable import is_relocatable, localize_symbols
from onebin.requirement import shown

from .build_tools import BuildTools

RECIPE: Final = 5
"""Raised when this file changes what it makes: part of the key."""

MODULE: Final = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*", re.ASCII)
BACK_END: Final = re.compile(rf"{MODULE.pattern}(:{MODULE.pattern})?", re.ASCII)


class BuildSystem(msgspec.Struct, frozen=True, rename="kebab"):
    """``[build-system]`` of a source distribution (PEP 517, PEP 518)."""

    requires: tuple[str, ...] = ("setuptools",)
    build_backend: str = "setuptools.build_meta:__legacy__"
    backend_path: tuple[str, ...] = ()


HOOK: Final = Path(__file__).parent.parent / "target" / "build_wheel.py"


def distributions(
    plan: Plan, runtime: Runtime, toolchain: Toolchain, *, run: Run, store: Store, tell: Tell
) -> tuple[Distribution, ...]:
    """Make every distribution of *plan* ready to be frozen and linked.

    Raises:
        ProjectError: one of them cannot be part of a static executable.
        ToolError: one does not build, or cannot be downloaded.
    """
    names = {pin.name for pin in plan.distributions}
    for name in plan.project.options.from_source:
        if canonicalize_name(name) not in names:
            raise ProjectError(
                f"tool.onebin.from-source: {name} is not among the dependencies",
                hint=f"known are {', '.join(sorted(names))}" if names else "there are none",
            )
    made = []
    for n, pin in enumerate(plan.distributions):
        tell(f"{pin.name} {pin.version}", done=n, total=len(plan.distributions))
        made.append(_distribution(pin, plan, runtime, toolchain, run=run, store=store))
    return tuple(made)


def _distribution(
    pin: Pin, plan: Plan, runtime: Runtime, toolchain: Toolchain, *, run: Run, store: Store
) -> Distribution:
    def make(folder: Path) -> None:
        with store.scratch() as scratch:
            file = index.download(
                pin, scratch, python=runtime.version, run=run, from_source=from_source
            )
            unpinned = ""
            if file.suffix != ".whl":
                file, tools = _built(pin, file, plan, runtime, toolchain, scratch, run=run)
                unpinned = "".join(
                    f"{tool.name}=={tool.version} --hash={tool.hashes[0]}\n" for tool in tools
                )
            _install(pin, file, folder)
            (folder / "unpinned").write_text(unpinned, "utf-8")

    from_source = plan.project.options.from_source
    chosen = pin.name in {canonicalize_name(name) for name in from_source}
    loose = plan.project.options.allow_unpinned_build_requirements
    key = key_of(RECIPE, pin, plan.build_pins, loose, runtime.key, chosen)
    root, _ = store.get("distribution", key, make)
    return _describe(pin, root)


def _built(
    pin: Pin,
    archive: Path,
    plan: Plan,
    runtime: Runtime,
    toolchain: Toolchain,
    scratch: Path,
    *,
    run: Run,
) -> tuple[Path, tuple[Pin, ...]]:
    source = unpack.tree(archive, scratch / "unpacked")
    system = _build_system(source, of=f"{pin.name} {pin.version}")
    site, out, home = scratch / "site", scratch / "out", scratch / "home"
    out.mkdir()
    home.mkdir()
    tools = BuildTools(
        plan.build_pins,
        site,
        scratch / "tools",
        of=f"{pin.name} {pin.version}",
        python=runtime.version,
        machine=plan.machine,
        may_be_unpinned=plan.project.options.allow_unpinned_build_requirements,
        run=run,
    )
    tools.install(system.requires)
    level = "-O2" if plan.project.options.optimize == "speed" else "-Os"
    env = {
        "PATH": f"{toolchain.bin}:/usr/bin:/bin",
        "PYTHONHOME": str(runtime.root),
        "SOURCE_DATE_EPOCH": "315532800",  # 1980, the oldest date a zip file can hold
        "PYTHONHASHSEED": "0",
        # Neither the caller's settings of git, pip and distutils nor a repository above the
        # cache has a say in what is built.
        "HOME": str(home),
        "TMPDIR": str(home),
        "GIT_CEILING_DIRECTORIES": str(scratch),
        "GIT_CONFIG_NOSYSTEM": "1",
        "CC": str(toolchain.bin / "cc"),
        "CXX": str(toolchain.bin / "c++"),
        "LDSHARED": f"{toolchain.bin}/cc -shared",
        "LDCXXSHARED": f"{toolchain.bin}/c++ -shared",
        "AR": str(toolchain.bin / "ar"),
        "CFLAGS": f"{level} -DNDEBUG -ffile-prefix-map={source}=.",
        "CPPFLAGS": f"-I{runtime.include}",
        "ONEBIN_LIBRARIES": str(out / "libraries"),
    }
    call: list[str | Path] = [runtime.python, "-P", "-S", HOOK]
    rest: list[str | Path] = [site, out, system.build_backend, *system.backend_path]
    try:
        # Followed, and not kept: what a back end prints has no end of ours.
        run([*call, "requires", *rest], cwd=source, env=env, on_line=_pass_over)
        if further := (out / "result").read_text("utf-8").splitlines():
            tools.install(further)
        run([*call, "wheel", *rest], cwd=source, env=env, on_line=_pass_over)
    except ToolError as exc:
        raise ToolError(
            f"{pin.name} {pin.version} does not build for a static executable",
            hint="look for a version with a pure-Python wheel, or a way to leave its C code out",
            detail=exc.detail,
        ) from exc
    made = (out / "result").read_text("utf-8").rstrip("\n")
    if made != PurePosixPath(made).name or not made.endswith(".whl"):
        raise ProjectError(f"{pin.name} {pin.version}: its build made no wheel: {shown(made)}")
    return out / made, tools.unpinned


def _pass_over(_: str) -> None:
    """Tell nobody: the last lines are kept for the error all the same."""


def _build_system(source: Path, *, of: str) -> BuildSystem:
    try:
        table = tomllib.loads(files.read_text(source / "pyproject.toml"))
        # The default is that of PEP 517: what a tree with setup.py alone means.
        system = msgspec.convert(table.get("build-system", {}), BuildSystem)
    except FileNotFoundError:
        return BuildSystem()
    except (msgspec.ValidationError, ValueError, OSError, RecursionError) as exc:
        raise ProjectError(f"{of}: its pyproject.toml cannot be read: {shown(str(exc))}") from exc
    if not BACK_END.fullmatch(system.build_backend):
        raise ProjectError(f"{of}: build-backend {shown(system.build_backend)} is no object's name")
    for folder in system.backend_path:
        files.inside(source, folder, where=f"{of}: backend-path")
    return system


def _install(pin: Pin, wheel: Path, folder: Path) -> None:
    """Unpack *wheel* into ``folder/code``, and its captured objects into ``folder/objects``."""
    code, objects = folder / "code", folder / "objects"
    objects.mkdir()
    unpack.wheel(wheel, code)
    for file in sorted(_shared_objects(code)):
        data = file.read_bytes()
        if not is_relocatable(data):
            raise ProjectError(
                f"{pin.name} {pin.version} brings the shared object {file.relative_to(code)}",
                hint="a static executable cannot load it: choose another version or package",
            )
        module = ".".join([*file.relative_to(code).parent.parts, file.name.partition(".")[0]])
        # It becomes a name in C.
        if not MODULE.fullmatch(module):
            raise ProjectError(f"{pin.name} {pin.version}: {shown(module)} is no module's name")
        symbol = "PyInit_" + module.replace(".", "__")
        init_symbol = "PyInit_" + module.rpartition(".")[2]
        try:
            isolated = localize_symbols(data, init_symbol, symbol)
        except ImageError as exc:
            raise ProjectError(f"{pin.name} {pin.version}, {module}: {exc}") from exc
        (objects / f"{module}.o").write_bytes(isolated)
        file.unlink()
    asked = wheel.parent / "libraries"
    names = sorted(set(asked.read_text("utf-8").split())) if asked.exists() else []
    (folder / "libraries").write_text("\n".join(names), "utf-8")


def _shared_objects(code: Path) -> Iterable[Path]:
    return (file for file in code.rglob("*.so*") if file.is_file())


def _describe(pin: Pin, root: Path) -> Distribution:
    libraries = tuple((root / "libraries").read_text("utf-8").split())
    extensions = tuple(
        Extension(
            module=file.stem,
            object=file,
            symbol="PyInit_" + file.stem.replace(".", "__"),
            libraries=libraries,
        )
        for file in sorted((root / "objects").iterdir())
    )
    unpinned = tuple((root / "unpinned").read_text("utf-8").splitlines())
    return Distribution(pin, root / "code", extensions, unpinned)
