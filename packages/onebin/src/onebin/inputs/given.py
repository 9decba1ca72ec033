"""What a command line states beside the input; it wins over ``[tool.onebin]``."""

from pathlib import Path
from typing import Any

import msgspec

from onebin.model import Options


class Given(msgspec.Struct, frozen=True, kw_only=True):
    """Settings of a command line; an empty one leaves the project's."""

    entry_point: str = ""
    """A script's name, ``module:function``, or ``-m module``."""
    lock: Path | None = None
    extras: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()

    def over(self, options: Options) -> Options:
        """Return *options* with these in the place of the project's."""
        changes: dict[str, Any] = {
            "entry_point": self.entry_point,
            "lock": str(self.lock.absolute()) if self.lock else "",
            "extras": self.extras,
            "groups": self.groups,
        }
        return msgspec.structs.replace(options, **{k: v for k, v in changes.items() if v})
