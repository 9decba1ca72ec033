"""Plan, Runtime -> distributions: each dependency as importable code and relocatable objects.

A pure-Python wheel is taken as it is. Anything else is built from its source distribution by
its own build back end, in the static interpreter, with a compiler that captures instead of
linking: there is no recipe per package.
"""

import tomllib
import zipfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Final

from packaging.utils import canonicalize_name

from onebin.effects import fetch, index
from onebin.effects.process import Run
from onebin.effects.store import Store, key_of
from onebin.effects.story import Tell
from onebin.errors import ImageError, ProjectError, ToolError
from onebin.model import Distribution, Extension, Pin, Plan, Runtime, Toolchain
from onebin.relocatable import is_relocatable, isolate

RECIPE: Final = 4
"""Raised when this file changes what it makes: part of the key."""

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
            if file.suffix != ".whl":
                file = _built(pin, file, plan, runtime, toolchain, scratch, run=run)
            _install(pin, file, folder)

    from_source = plan.project.options.from_source
    chosen = pin.name in {canonicalize_name(name) for name in from_source}
    key = key_of(RECIPE, pin, plan.build_pins, runtime.key, chosen)
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
) -> Path:
    source = fetch.unpack(archive, scratch / "unpacked")
    system = _build_system(source)
    site, out = scratch / "site", scratch / "out"
    out.mkdir()

    def install(requirements: Sequence[str]) -> None:
        try:
            index.install_pure(
                requirements, plan.build_pins, site,
                python=runtime.version, machine=plan.machine, run=run,
            )  # fmt: skip
        except index.NoMatchError as exc:
            raise ProjectError(
                f"{pin.name} {pin.version}: its build needs {exc}, which has no pure-Python wheel",
                hint="what a build needs is not built in turn: choose another version or package",
            ) from exc

    install(system["requires"])
    level = "-O2" if plan.project.options.optimize == "speed" else "-Os"
    env = {
        "PATH": f"{toolchain.bin}:/usr/bin:/bin",
        "PYTHONHOME": str(runtime.root),
        "SOURCE_DATE_EPOCH": "315532800",  # 1980, the oldest date a zip file can hold
        "PYTHONHASHSEED": "0",
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
    rest: list[str | Path] = [site, out, system["build-backend"], *system["backend-path"]]
    try:
        run([*call, "requires", *rest], cwd=source, env=env)
        if further := (out / "result").read_text("utf-8").splitlines():
            install(further)
        run([*call, "wheel", *rest], cwd=source, env=env)
    except ToolError as exc:
        raise ToolError(
            f"{pin.name} {pin.version} does not build for a static executable",
            hint="look for a version with a pure-Python wheel, or a way to leave its C code out",
            detail=exc.detail,
        ) from exc
    return out / (out / "result").read_text("utf-8").strip()


def _build_system(source: Path) -> dict[str, Any]:
    try:
        table = tomllib.loads((source / "pyproject.toml").read_text("utf-8"))
    except FileNotFoundError:
        table = {}
    # The default is that of PEP 517: what a tree with setup.py alone means.
    legacy = {"requires": ["setuptools"], "build-backend": "setuptools.build_meta:__legacy__"}
    system: dict[str, Any] = {"backend-path": [], **legacy, **table.get("build-system", {})}
    return system


def _install(pin: Pin, wheel: Path, folder: Path) -> None:
    """Unpack *wheel* into ``folder/code``, and its captured objects into ``folder/objects``."""
    code, objects = folder / "code", folder / "objects"
    objects.mkdir()
    try:
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(code)
    except (zipfile.BadZipFile, OSError) as exc:
        raise ToolError(f"{wheel.name}: not a wheel: {exc}") from exc
    for file in sorted(_shared_objects(code)):
        data = file.read_bytes()
        if not is_relocatable(data):
            raise ProjectError(
                f"{pin.name} {pin.version} brings the shared object {file.relative_to(code)}",
                hint="a static executable cannot load it: choose another version or package",
            )
        module = ".".join([*file.relative_to(code).parent.parts, file.name.partition(".")[0]])
        symbol = "PyInit_" + module.replace(".", "__")
        entrance = "PyInit_" + module.rpartition(".")[2]
        try:
            isolated = isolate(data, entrance, symbol)
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
    return Distribution(pin, root / "code", extensions)
