"""``GET /platform/history``: changes of the container's limits while the service ran."""

from collections.abc import Callable

import msgspec

from devops_info_service.facts.linux.limit_watch import Change
from devops_info_service.http.wire.message import Handler, Response


class History(msgspec.Struct, frozen=True):
    """The body."""

    total: int
    """Changes that all workers noticed since the start, also those no longer listed."""
    changes: tuple[Change, ...]
    """The last ones that this process noticed, oldest first."""


def history(total: Callable[[], int], changes: Callable[[], tuple[Change, ...]]) -> Handler:
    """Return the handler that responds with ``History``."""
    encode = msgspec.json.Encoder().encode
    return lambda _: Response(200, encode(History(total(), changes())))
