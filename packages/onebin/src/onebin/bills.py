"""The bill of materials of an executable or an image: attached to it, or kept in the cache."""

from pathlib import Path

from onebin import inspection
from onebin.effects.cached import NotCachedError, ReadStore
from onebin.effects.context import Context
from onebin.errors import ImageError
from onebin.image.bill import Bill
from onebin.image.bill_formats import Format
from onebin.inspection.attached import attached
from onebin.materials import KeptBill
from onebin.objects import reader as elf


def is_built(path: Path) -> bool:
    """Whether *path* is an executable or an image, and no project."""
    if path.is_dir():
        return (path / "index.json").is_file() or (path / "manifest.json").is_file()
    if not path.is_file() or path.suffix in {".py", ".whl"}:
        return False
    with path.open("rb") as file:
        head = file.read(len(elf.MAGIC))
    return head == elf.MAGIC or path.suffix in {".tar", ".gz", ".tgz"}


def of_built(path: Path, form: Format, epoch: int, ctx: Context) -> bytes:
    """Return the bill of the executable or image *path*, dated *epoch* (seconds).

    If it is attached to the image, it is returned as it is; else the cache has that of each
    executable that was built here.

    Raises:
        ImageError: there is none.
    """
    is_image = path.is_dir() or path.suffix in {".tar", ".gz", ".tgz"}
    if is_image and (found := attached(path, form.media_type)) is not None:
        return found
    executable = inspection.inspect(path).executable
    if executable is None:
        raise ImageError(f"{path}: starts no executable; expected an image of onebin")
    return form.document(_kept(executable.sha256, path, ctx), epoch)


def _kept(sha256: str, path: Path, ctx: Context) -> Bill:
    reading = Context(ctx.run, ReadStore(ctx.store.root, lambda _: False), ctx.progress)
    try:
        return reading.build(KeptBill(sha256))
    except NotCachedError:
        raise ImageError(
            f"{path}: no bill of materials is attached, and the cache has none of its executable "
            f"(sha256 {sha256}); expected an executable that was built here",
            hint="onebin sbom PROJECT builds and prints it; onebin image --sbom attaches it",
        ) from None
