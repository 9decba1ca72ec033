"""Say what an executable or an image is: a path -> Report. Nothing is run, nothing is trusted."""

import os
from contextlib import AbstractContextManager
from pathlib import Path

from onebin.errors import ImageError
from onebin.image import spec
from onebin.objects import reader as elf

from . import gather, saved_image
from .blobs import Blobs, open_archive, open_folder
from .budget import DEFAULT, Budget, Limits
from .evidence import Program, Seen
from .listing import FileList
from .measure import measure
from .report import Executable, Finding, ImageFormat, ImageReport, LayerReport, Report
from .rules import config as config_rules
from .rules import files as file_rules
from .rules import layers as layer_rules
from .rules import program as program_rules


def inspect(path: Path, limits: Limits = DEFAULT) -> Report:
    """Report on *path*: an ELF file, an OCI layout, an OCI archive or a ``docker save`` archive.

    *limits* is all that a stranger's file may make this process hold, write and do.

    Raises:
        ImageError: it is none of these, is damaged, or passes a limit.
    """
    budget = Budget(_name(path), limits)
    if path.is_dir():
        return _image(path, open_folder(path, budget), budget)
    if _starts_as_elf(path):
        return _executable(path, budget)
    return _image(path, open_archive(path, budget), budget)


def _name(path: Path) -> str:
    """Give *path* as text: a file's name is bytes, and may be no UTF-8."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")


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


def _executable(path: Path, budget: Budget) -> Report:
    most = budget.limits.program_bytes
    try:
        with path.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            program = measure(file) if size <= most else None
    except ImageError as exc:
        raise ImageError(f"{path} is {exc}") from exc
    except OSError as exc:
        raise ImageError(f"{path} could not be read: {exc.strerror}") from exc
    if program is None:
        raise ImageError(f"{path}: too many bytes in a program; expected at most {most}")
    return Report(
        kind="executable",
        path=_name(path),
        format="elf",
        executable=_facts(_name(path), program),
        image=None,
        findings=program_rules.of_program(program),
    )


def _image(path: Path, place: AbstractContextManager[Blobs], budget: Budget) -> Report:
    with place as blobs:
        image = saved_image.find(blobs, budget)
        seen = gather.see(blobs, image, budget)
    executable = _facts(seen.entry.path, seen.program) if seen.entry and seen.program else None
    return Report(
        kind="image",
        path=_name(path),
        format=_format(path, image),
        executable=executable,
        image=_report(seen),
        findings=_findings(seen),
    )


def _format(path: Path, image: saved_image.Stored) -> ImageFormat:
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
        size=program.size,
        compressed=program.compressed,
        sha256=program.sha256,
        elf=program.elf,
    )


def _report(seen: Seen) -> ImageReport:
    process, contents, files = seen.process, seen.contents, seen.files
    listings = {
        "other_executables": files.executables,
        "other_elf": files.other_elf,
        "setuid": files.privileged,
        "world_writable": files.world_writable,
    }
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
        file_count=files.count,
        files=FileList(contents.entries),
        shells=files.tools.shells,
        interpreters=files.tools.interpreters,
        network_tools=files.tools.network,
        package_managers=files.tools.package_managers,
        **{name: tuple(listing.paths) for name, listing in listings.items()},
        not_listed={
            name: listing.not_listed for name, listing in listings.items() if listing.not_listed
        },
    )
