"""Read an image and gather what the rules judge."""

from typing import Final

from onebin import elf
from onebin.errors import ImageError
from onebin.oci import contents as whole
from onebin.oci import spec, stored, validate
from onebin.oci.scan import Entry

from . import accounts
from .evidence import MAX_EXECUTABLE_BYTES, Program, Seen

MAX_ACCOUNTS_BYTES: Final = 1024**2
"""Of /etc/passwd or /etc/group: ten thousand users."""

_PATH: Final = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
"""Where engines look if the image sets no PATH."""
_MAX_FOLDERS: Final = 64
"""Of a PATH that are looked into; usual ones have six."""


def see(blobs: stored.Blobs, image: stored.Stored, *, what: str) -> Seen:
    """Read the image's documents and layers, and measure them.

    Raises:
        ImageError: they are not what their formats say, or pass a limit.
    """
    contents = whole.read(blobs, image, what=what)
    document = spec.decode(image.config, spec.Config, what=f"{what}: its config")
    process = document.config or spec.Process()
    annotations = (
        spec.decode(image.manifest, spec.Manifest, what=what).annotations if image.manifest else {}
    )

    def data(entry: Entry | None, limit: int) -> bytes:
        if entry is None or entry.kind not in ("file", "hardlink"):
            return b""
        return whole.extract(blobs, image, entry, limit=limit, what=what)

    users, broken_users = accounts.parse(data(contents.resolve("/etc/passwd"), MAX_ACCOUNTS_BYTES))
    groups, broken_groups = accounts.parse(data(contents.resolve("/etc/group"), MAX_ACCOUNTS_BYTES))
    entry = _entry(contents, process)
    program = None
    if entry is not None and entry.program == "elf" and entry.size <= MAX_EXECUTABLE_BYTES:
        code = data(entry, MAX_EXECUTABLE_BYTES)
        try:
            program = Program(code, elf.read(code))
        except ImageError:
            program = None  # IMG-ELF-001 says so; the rest of the image is still worth a report
    return Seen(
        document=document,
        process=process,
        annotations=annotations or {},
        stored=image,
        contents=contents,
        problems=validate.check(image, contents.layers),
        entry=entry,
        program=program,
        users=users,
        groups=groups,
        broken_accounts=broken_users + broken_groups,
    )


def _entry(contents: whole.Contents, process: spec.Process) -> Entry | None:
    """Find what a container starts, as execvp(3) does: along PATH if its name has no slash."""
    command = (*(process.entrypoint or ()), *(process.cmd or ()))
    name = command[0] if command else ""
    if not name:
        return None
    if name.startswith("/"):
        return contents.resolve(name)
    if "/" in name:
        return contents.resolve(f"{process.working_dir}/{name}")
    settings = dict(item.partition("=")[::2] for item in process.env or ())
    found = (contents.resolve(f"{folder}/{name}") for folder in _folders(settings))
    return next((entry for entry in found if entry is not None and entry.mode & 0o111), None)


def _folders(settings: dict[str, str]) -> list[str]:
    return settings.get("PATH", _PATH).split(":")[:_MAX_FOLDERS]
