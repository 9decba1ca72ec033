"""What needs a distribution that cannot be built, as the files of the others state it."""

from collections.abc import Iterable, Mapping
from pathlib import Path

import msgspec

from onebin import requirement
from onebin.effects import index, unpack
from onebin.effects.context import Context
from onebin.errors import OnebinError
from onebin.locks import needs
from onebin.model import Obstacle, Offer, Pin

from .pure import Pure, PureWheel


def with_path(
    offers: Iterable[Offer | Obstacle],
    direct: Iterable[str],
    environment: Mapping[str, str],
    python: str,
    ctx: Context,
) -> tuple[Offer | Obstacle, ...]:
    """Return *offers*, where the hint of each obstacle names what needs it, as far as known.

    *direct* are the names in the project, *environment* the variables of markers.
    """
    offers, direct = tuple(offers), frozenset(direct)
    if not any(isinstance(item, Obstacle) and item.pin.name not in direct for item in offers):
        return offers
    edges = {
        item.pin.name: requirement.names_wanted(_stated(item, python, ctx), environment)
        for item in offers
    }
    return tuple(
        msgspec.structs.replace(
            item, hint=needs.hint(item.hint, needs.path(item.pin.name, direct, edges))
        )
        if isinstance(item, Obstacle)
        else item
        for item in offers
    )


def _stated(item: Offer | Obstacle, python: str, ctx: Context) -> tuple[str, ...]:
    """Return the requirements of *item*; none where they cannot be read."""
    try:
        if isinstance(item, Offer) and item.provider == Pure.name:
            code = ctx.build(PureWheel(item.pin, python)).code
            file = next(code.glob("*.dist-info/METADATA"), None)
            return requirement.stated(file.read_text("utf-8", "replace") if file else "")
        return () if item.pin.origin else ctx.build(StatedNeeds(item.pin))
    except OnebinError:
        return ()


class StatedNeeds(msgspec.Struct, frozen=True):
    """Step: the requirements that the source distribution of a pin states."""

    pin: Pin
    kind = "needs"

    def key(self) -> tuple[object, ...]:
        """Return the pin, whose hashes name the file."""
        return (self.pin,)

    def make(self, folder: Path, ctx: Context) -> None:
        """Fetch it and read its metadata; none of its code runs.

        Raises:
            OnebinError: it cannot be fetched or read.
        """
        with ctx.store.scratch() as scratch:
            source = index.download_source(self.pin, scratch, run=ctx.run)
            found = unpack.text(source, "PKG-INFO") if source else ""
        (folder / "needs.json").write_bytes(msgspec.json.encode(requirement.stated(found)))

    def load(self, folder: Path) -> tuple[str, ...]:
        """Return them."""
        return msgspec.json.decode((folder / "needs.json").read_bytes(), type=tuple[str, ...])
