"""Which files go into an executable, and where they are there.

The folders are those of an installed CPython, so that what computes a path finds it:

    bin/python3                        sys.executable
    bin/<name>                         the console script
    lib/python3.13/                    the standard library
    lib/python3.13/site-packages/      the project, its dependencies, their metadata
"""

import base64
import csv
import hashlib
import io
import itertools
import os
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Final

from onebin.errors import ProjectError
from onebin.model import Distribution, Extension, InsideFile, ModuleOrigin, Project, Trace
from onebin.requirement import shown

from . import cpython, extension_files
from .finder import Owner
from .installed_files import InstalledFile, InstalledOf, is_file, listed
from .own_files import BY_CONVENTION, IN_PATH, NOT_PACKAGED, left_out

PREFIX: Final = "/onebin"

INTERPRETER: Final = "bin/python3"
"""``sys.executable``, below the prefix."""

LIBRARY_DATA: Final = frozenset({".css", ".html", ".js", ".png"})
"""Suffixes of what modules of the standard library read; its other files are notes and scripts."""

READ_BY: Final = {"pydoc_data": ("pydoc", "xmlrpc.server")}
"""Modules that read the data of another package, which they do not import."""


def folders(version: str) -> dict[Owner, str]:
    """Return the folder of each owner's modules below the prefix, for Python *version*."""
    stdlib = f"lib/python{version}/"
    site = f"{stdlib}site-packages/"
    return {"stdlib": stdlib, "dependency": site, "project": site}


def places(version: str) -> dict[Owner, str]:
    """Return the same as whole paths: what tracebacks show."""
    return {owner: f"{PREFIX}/{folder}" for owner, folder in folders(version).items()}


def script_path(project: Project) -> str:
    """Return the path of the console script, below the prefix."""
    return f"bin/{project.name}"


def files(
    project: Project,
    distributions: Collection[Distribution],
    modules: Mapping[str, ModuleOrigin],
    version: str,
    script: str,
    installed: InstalledOf = listed,
    extensions: Collection[Extension] = (),
    library: Iterable[InstalledFile] = (),
) -> tuple[InsideFile, ...]:
    """Return all files of a whole program, or of a pruned one those of its trace.

    Of two with one path the first counts.

    Args:
        project: Its code and its metadata.
        distributions: The dependencies, whose folders are as they are installed.
        modules: Those that are frozen.
        version: ``3.13``.
        script: The text of the console script.
        installed: Returns the files of a distribution.
        extensions: C modules of distributions that are linked in.
        library: Files of the standard library that were read before.

    Raises:
        ProjectError: the name of one is not UTF-8.
    """
    site = folders(version)["project"]
    # Of a pruned program sources are there to choose from.
    sources = project.options.sources or not project.is_whole
    frozen = {origin.path for origin in modules.values()}
    start = f"{PREFIX}/{site}"
    labels = {origin.label for origin in modules.values() if origin.origin == "project"}
    tops = {label.removeprefix(start).partition("/")[0] for label in labels}
    tops |= _named_folders(project, modules)
    of_others = [(item.code, installed(item)) for item in distributions]
    read = itertools.chain(library, *(those for _, those in of_others))
    digests = {file.path: file.sha256 for file in read}
    code = [*_modules(modules, digests, sources=sources), *_code(project, tops, site)]
    own = {
        file.path: file
        for file in reversed(code)
        if file.path.startswith(site)
        and (not file.module or modules[file.module].origin == "project")
    }
    if sources:
        code += _bootstrap(modules, folders(version)["stdlib"])
    every = itertools.chain(
        code,
        _metadata(project, site, own.values()),
        (
            InsideFile(
                f"{site}{file.path.relative_to(folder)}", "data", file.path, sha256=file.sha256
            )
            for folder, those in of_others
            for file in those
        ),
        extension_files.files(distributions, extensions, site, version),
        (InsideFile(INTERPRETER, "interpreter"),),
        (InsideFile(script_path(project), "data", text=script),),
        _library_data(modules, folders(version)["stdlib"]),
        _data(project.data),
        (file for distribution in distributions for file in _data(distribution.data)),
    )
    found: dict[str, InsideFile] = {}
    for file in every:
        _require_text(file)
        if sources or file.module or file.source not in frozen:
            found.setdefault(file.path, file)
    inside = _without_folders(found)
    if project.is_whole:
        return tuple(inside)
    return tuple(_traced(inside, project.trace, version, script_path(project)))


def _require_text(file: InsideFile) -> None:
    """Reject a name that is not text: a RECORD cannot hold it (PEP 376), nor can a wheel."""
    try:
        file.path.encode()
    except UnicodeEncodeError as exc:
        name = os.fsencode(file.path.rpartition("site-packages/")[2])
        raise ProjectError(
            f"{shown(name)}: its name is not UTF-8",
            hint="rename it, or move it out of the program's folders",
        ) from exc


def missing(trace: Trace, files: Iterable[InsideFile], version: str) -> tuple[str, ...]:
    """Return what *trace* names and is not among *files*: it has gone since that run."""
    there = set[str]()
    for file in files:
        there |= {file.path, file.path.removesuffix("c"), f"{file.path.rpartition('/')[0]}/"}
    return tuple(name for name in trace.files if _whole_path(name, version) not in there)


def traced_name(path: str, version: str) -> str:
    """Return how a trace names *path*, which is below the prefix."""
    return path.removeprefix(folders(version)["stdlib"])


def _whole_path(name: str, version: str) -> str:
    return name if name.startswith("bin/") else f"{folders(version)['stdlib']}{name}"


def _traced(
    files: Iterable[InsideFile], trace: Trace, version: str, script: str
) -> Iterator[InsideFile]:
    """Yield those of *files* that *trace* names, *script*, and those of code and of C."""
    wanted = {_whole_path(name, version) for name in trace.files}
    for file in files:
        folder = f"{file.path.rpartition('/')[0]}/"
        is_listed = folder in wanted and not file.path.endswith(".py")
        is_named = file.path in wanted or file.path == script
        if is_named or is_listed or file.kind == "extension":
            yield file
        elif file.kind == "data" and file.module:
            yield InsideFile(f"{file.path}c", "code", module=file.module)


def _modules(
    modules: Mapping[str, ModuleOrigin], digests: Mapping[Path, str], *, sources: bool
) -> Iterator[InsideFile]:
    """Yield the file of each module; the start itself has none."""
    for name, origin in modules.items():
        path = origin.label.removeprefix(f"{PREFIX}/")
        if path != origin.label and sources:
            known = digests.get(origin.path, "") if origin.text is None else ""
            yield InsideFile(path, "data", origin.path, origin.text, name, known)
        elif path != origin.label:
            yield InsideFile(f"{path}c", "code", module=name)


def _bootstrap(modules: Mapping[str, ModuleOrigin], folder: str) -> Iterator[InsideFile]:
    """Yield the sources of the import system, whose modules name these files as theirs."""
    for name, file in cpython.BOOTSTRAP.items():
        if name in modules:
            yield InsideFile(f"{folder}{file}", "data", modules[name].path)


def _library_data(modules: Mapping[str, ModuleOrigin], folder: str) -> Iterator[InsideFile]:
    """Yield the data of those packages of the standard library that *modules* use."""
    start = next((modules[name] for name in cpython.BOOTSTRAP if name in modules), None)
    if start is None:
        return
    stdlib = start.path.parents[1]
    used = {name.partition(".")[0] for name, item in modules.items() if item.origin == "stdlib"}
    used |= {name for name, readers in READ_BY.items() if not modules.keys().isdisjoint(readers)}
    for package in sorted(used):
        for path in sorted((stdlib / package).rglob("*")):
            if path.suffix in LIBRARY_DATA and path.is_file():
                yield InsideFile(f"{folder}{path.relative_to(stdlib)}", "data", path)


def _data(folder: Path | None) -> Iterator[InsideFile]:
    """Yield the files of a distribution below ``sys.prefix``."""
    if folder is None:
        return
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            yield InsideFile(path.relative_to(folder).as_posix(), "data", path)


def _named_folders(project: Project, modules: Mapping[str, ModuleOrigin]) -> set[str]:
    """Return the folders beside a flat project's modules that these open, as far as is seen."""
    if project.code != project.root:
        return set()
    named = set(BY_CONVENTION)
    for origin in modules.values():
        if origin.origin == "project" and origin.path.is_file():
            named.update(IN_PATH.findall(origin.path.read_text("utf-8", "replace")))
    return {path.name for path in project.code.iterdir() if path.is_dir() and path.name in named}


def _code(project: Project, tops: Collection[str], folder: str) -> Iterator[InsideFile]:
    """Yield the files beside the project's modules: all of its packages that are in."""
    other = left_out(project)
    for top in sorted(project.code.iterdir()):
        # A project's folder is a working directory, with what tools and builds leave there.
        is_left = top.name.startswith(".") or top.name.endswith((".egg-info", ".dist-info"))
        if is_left or (project.code == project.root and top.name not in tops):
            continue
        for path in sorted(top.rglob("*")) if top.is_dir() else (top,):
            relative = path.relative_to(project.code)
            left = any(part in NOT_PACKAGED for part in relative.parts)
            left = left or not other.isdisjoint((path, *path.parents))
            if path.is_file() and not left and is_file(path):
                yield InsideFile(f"{folder}{relative}", "data", path)


def _metadata(project: Project, folder: str, own: Collection[InsideFile]) -> Iterator[InsideFile]:
    """Yield the ``.dist-info`` of the project, as an installer leaves it (PEP 376, 627)."""
    if project.is_distribution:
        return
    name = project.name.replace("-", "_")
    wheels = sorted(project.code.glob("*.dist-info"))
    info = f"{folder}{wheels[0].name if wheels else f'{name}-{project.version}.dist-info'}"
    texts = {"INSTALLER": "onebin\n"}
    if wheels:
        record = _text_of(wheels[0] / "RECORD")
        for path in sorted(wheels[0].rglob("*")):
            if path.is_file() and path.name != "RECORD":
                yield InsideFile(f"{info}/{path.relative_to(wheels[0])}", "data", path)
    else:
        tops = sorted({file.path.removeprefix(folder).partition("/")[0] for file in own})
        texts["METADATA"] = project.metadata
        texts["entry_points.txt"] = project.entry_points
        texts["top_level.txt"] = "".join(f"{top.partition('.')[0]}\n" for top in tops)
        record = "".join(_recorded(file, folder) for file in sorted(own, key=_path))
    made = [InsideFile(f"{info}/{file}", "data", text=text) for file, text in texts.items() if text]
    yield from made
    record += "".join(_recorded(file, folder) for file in made)
    if not wheels:
        record += f"{info.removeprefix(folder)}/RECORD,,\n"
    record += f"../../../{script_path(project)},,\n"
    yield InsideFile(f"{info}/RECORD", "data", text=record)


def _text_of(path: Path) -> str:
    return path.read_text("utf-8", "replace") if path.is_file() else ""


def _path(file: InsideFile) -> str:
    return file.path


def _recorded(file: InsideFile, folder: str) -> str:
    """Return the line of *file* in a RECORD: path, hash and size, where its contents are there."""
    out = io.StringIO()
    row = [file.path.removeprefix(folder), "", ""]
    if file.kind == "data":
        data = file.source.read_bytes() if file.text is None else file.text.encode()
        digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=")
        row[1:] = f"sha256={digest.decode()}", str(len(data))
    csv.writer(out, lineterminator="\n").writerow(row)
    return out.getvalue()


def _without_folders(found: Mapping[str, InsideFile]) -> Iterator[InsideFile]:
    """Yield the files, but those whose path is a folder of another: a folder wins."""
    above = {"/".join(path.split("/")[:n]) for path in found for n in range(1, path.count("/") + 1)}
    return (file for path, file in found.items() if path not in above)
