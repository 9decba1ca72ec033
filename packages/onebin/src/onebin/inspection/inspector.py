"""From a path to a report: find its format, read it, apply the rules."""

import os
from contextlib import AbstractContextManager
from pathlib import Path

from onebin.errors import ImageError
from onebin.image import spec
from onebin.objects import reader as elf
from onebin.terminal import decoded

from . import gather, saved_image
from .blobs import Blobs, open_archive, open_folder
from .budget import DEFAULT, Budget, Limits
from .evidence import InspectedImage, Program
from .listing import FileList
from .measure import measure
from .report import Executable, ImageFormat, ImageReport, LayerReport, Report
from .rules import IMAGE_RULES, PROGRAM_RULES


def inspect(path: Path, limits: Limits = DEFAULT) -> Report:
    """Report on *path*: an ELF file, an OCI layout, an OCI archive or a ``docker save`` archive.

    *limits* bounds what a foreign file can make this process hold, write and do.

    Raises:
        ImageError: it is none of these, is damaged, or exceeds a limit.
    """
    budget = Budget(_name(path), limits)
    if path.is_dir():
        return _image(path, open_folder(path, budget), budget)
    if _starts_as_elf(path):
        return _executable(path, budget)
    return _image(path, open_archive(path, budget), budget)


def _name(path: Path) -> str:
    """Return *path* as text: a file's name is bytes, and may not be UTF-8."""
    return decoded(os.fsencode(path))


def _starts_as_elf(path: Path) -> bool:
    if not path.is_file():
        raise ImageError(
            f"{path}: not a file" if path.exists() else f"{path}: does not exist",
            hint="give an executable, an OCI layout, or an archive of onebin image or docker save",
        )
    try:
        with path.open("rb") as file:
            return file.read(len(elf.MAGIC)) == elf.MAGIC
    except OSError as exc:
        raise ImageError(f"{path}: cannot be read: {exc.strerror}") from exc


def _executable(path: Path, budget: Budget) -> Report:
    most = budget.limits.program_bytes
    try:
        with path.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            program = measure(file) if size <= most else None
    except ImageError as exc:
        raise ImageError(f"{path}: {exc}") from exc
    except OSError as exc:
        raise ImageError(f"{path}: cannot be read: {exc.strerror}") from exc
    if program is None:
        raise ImageError(f"{path}: too many bytes in a program; expected at most {most}")
    return Report(
        kind="executable",
        path=_name(path),
        format="elf",
        executable=_executable_report(_name(path), program),
        image=None,
        findings=tuple(rule.finding(program) for rule in PROGRAM_RULES),
    )


def _image(path: Path, opened: AbstractContextManager[Blobs], budget: Budget) -> Report:
    with opened as blobs:
        saved = saved_image.find(blobs, budget)
        image = gather.read_image(blobs, saved, budget)
    executable = None
    if image.entry is not None and image.program is not None:
        executable = _executable_report(image.entry.path, image.program)
    return Report(
        kind="image",
        path=_name(path),
        format=_format(path, saved),
        executable=executable,
        image=_image_report(image),
        findings=tuple(rule.finding(image) for rule in IMAGE_RULES),
    )


def _format(path: Path, saved: saved_image.SavedImage) -> ImageFormat:
    if saved.format == "docker":
        return "docker-archive"
    return "oci-layout" if path.is_dir() else "oci-archive"


def _executable_report(path: str, program: Program) -> Executable:
    return Executable(
        path=path,
        size=program.size,
        compressed=program.compressed,
        sha256=program.sha256,
        elf=program.elf,
    )


def _image_report(image: InspectedImage) -> ImageReport:
    process, files, saved = image.process, image.files, image.saved
    layers = tuple(
        LayerReport(
            digest=layer.digest,
            diff_id=layer.diff_id,
            stored_bytes=layer.size,
            compressed=layer.compressed,
            unpacked=layer.file_bytes,
        )
        for layer in image.filesystem.layers
    )
    listings = {
        "other_executables": files.executables,
        "other_elf_files": files.other_elf_files,
        "setuid": files.privileged,
        "world_writable": files.world_writable,
    }
    return ImageReport(
        names=saved.names,
        digest=spec.sha256(saved.manifest) if saved.manifest else "",
        id=spec.sha256(saved.config),
        platform=f"{image.config.os}/{image.config.architecture}",
        created=image.config.created or "",
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
        layers=layers,
        unpacked=sum(layer.unpacked for layer in layers),
        compressed=sum(layer.compressed for layer in layers),
        wasted_bytes=image.filesystem.wasted_bytes,
        file_count=files.count,
        files=FileList(image.filesystem.entries),
        shells=files.tools.shells,
        interpreters=files.tools.interpreters,
        network_tools=files.tools.network,
        package_managers=files.tools.package_managers,
        **{name: tuple(listing.paths) for name, listing in listings.items()},
        not_listed={
            name: listing.not_listed for name, listing in listings.items() if listing.not_listed
        },
    )
