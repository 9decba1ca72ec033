"""Say what an executable or an image is: a path -> Report. Nothing is run, nothing is trusted."""

import hashlib
import zlib
from contextlib import AbstractContextManager
from pathlib import Path

from onebin import elf
from onebin.errors import ImageError
from onebin.model import (
    Executable,
    FileFacts,
    Finding,
    ImageFormat,
    ImageReport,
    LayerReport,
    Report,
)
from onebin.oci import archive, layout, spec, stored
from onebin.oci.scan import Entry

from . import config_rules, file_rules, gather, layer_rules, program_rules, programs
from .evidence import MAX_EXECUTABLE_BYTES, Program, Seen


def inspect(path: Path) -> Report:
    """Report on *path*: an ELF file, an OCI layout, an OCI archive or a ``docker save`` archive.

    Raises:
        ImageError: it is none of these, is damaged, or passes a limit.
    """
    if path.is_dir():
        return _image(path, layout.opened(path))
    if _starts_as_elf(path):
        return _executable(path)
    return _image(path, archive.opened(path))


def _starts_as_elf(path: Path) -> bool:
    if not path.is_file():
        raise ImageError(
            f"{path} is not a file" if path.exists() else f"{path} does not exist",
            hint="give an executable, an OCI layout, or what onebin image or docker save wrote",
        )
    try:
        with path.open("rb") as file:
            return file.read(len(elf.MAGIC)) == elf.MAGIC
    except OSError as exc:
        raise ImageError(f"{path} could not be read: {exc.strerror}") from exc


def _executable(path: Path) -> Report:
    size = path.stat().st_size
    if size > MAX_EXECUTABLE_BYTES:
        raise ImageError(f"{path} has {size} bytes; {MAX_EXECUTABLE_BYTES} is the most")
    data = path.read_bytes()
    try:
        program = Program(data, elf.read(data))
    except ImageError as exc:
        raise ImageError(f"{path} is {exc}") from exc
    return Report(
        kind="executable",
        path=str(path),
        format="elf",
        executable=_facts(str(path), program),
        image=None,
        findings=program_rules.of_program(program),
    )


def _image(path: Path, place: AbstractContextManager[stored.Blobs]) -> Report:
    with place as blobs:
        image = stored.find(blobs, what=str(path))
        seen = gather.see(blobs, image, what=str(path))
    executable = _facts(seen.entry.path, seen.program) if seen.entry and seen.program else None
    return Report(
        kind="image",
        path=str(path),
        format=_format(path, image),
        executable=executable,
        image=_report(seen),
        findings=_findings(seen),
    )


def _format(path: Path, image: stored.Stored) -> ImageFormat:
    if image.format == "docker":
        return "docker-archive"
    return "oci-layout" if path.is_dir() else "oci-archive"


def _findings(seen: Seen) -> tuple[Finding, ...]:
    rules = (*config_rules.RULES, *file_rules.RULES)
    return (
        *(rule(seen) for rule in rules),
        *program_rules.of_image(seen),
        *(rule(seen) for rule in layer_rules.RULES),
    )


def _facts(path: str, program: Program) -> Executable:
    return Executable(
        path=path,
        size=len(program.data),
        compressed=len(zlib.compress(program.data, 9, zlib.MAX_WBITS | 16)),
        sha256=hashlib.sha256(program.data).hexdigest(),
        elf=program.elf,
    )


def _report(seen: Seen) -> ImageReport:
    process, contents, tools = seen.process, seen.contents, programs.find(seen.contents)
    others = program_rules.others(seen)
    runnable = [path for path in others if contents.entries[path].mode & 0o111]
    return ImageReport(
        names=seen.stored.names,
        digest=spec.sha256(seen.stored.manifest) if seen.stored.manifest else "",
        id=spec.sha256(seen.stored.config),
        platform=f"{seen.document.os}/{seen.document.architecture}",
        created=seen.document.created or "",
        user=process.user,
        entrypoint=process.entrypoint or (),
        cmd=process.cmd or (),
        env=tuple(item.partition("=")[0] for item in process.env or ()),
        ports=tuple(process.exposed_ports or ()),
        volumes=tuple(process.volumes or ()),
        working_dir=process.working_dir,
        stop_signal=process.stop_signal,
        healthcheck=(process.healthcheck and process.healthcheck.test) or (),
        labels=dict(sorted((process.labels or {}).items())),
        layers=tuple(
            LayerReport(
                digest=layer.digest,
                diff_id=layer.diff_id,
                stored=layer.size,
                compressed=layer.compressed,
                unpacked=layer.file_bytes,
            )
            for layer in contents.layers
        ),
        unpacked=sum(layer.file_bytes for layer in contents.layers),
        compressed=sum(layer.compressed for layer in contents.layers),
        wasted=contents.wasted,
        file_count=sum(entry.kind == "file" for entry in contents.entries.values()),
        files=tuple(_file(entry) for entry in contents.entries.values()),
        other_executables=tuple(runnable),
        other_elf=tuple(sorted(set(others) - set(runnable))),
        shells=tools.shells,
        interpreters=tools.interpreters,
        network_tools=tools.network,
        package_managers=tools.package_managers,
        setuid=tuple(entry.path for entry in file_rules.privileged(seen)),
        world_writable=tuple(entry.path for entry in file_rules.world_writable(seen)),
    )


def _file(entry: Entry) -> FileFacts:
    return FileFacts(
        path=entry.path,
        kind=entry.kind,
        mode=f"{entry.mode:04o}",
        uid=entry.uid,
        gid=entry.gid,
        size=entry.size,
        link=entry.link,
    )
