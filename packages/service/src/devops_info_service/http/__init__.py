"""An HTTP/1.1 engine for Linux: one process or several, a ``Handler`` called with each request.

``listen`` gives the sockets. ``Server`` serves on them in this process, ``supervise`` in several.
The engine imports nothing of the service but its coarse clock.
"""

from typing import TYPE_CHECKING

from .errors import ListenError, RejectedError
from .lifecycle import Lifecycle, ProcessLifecycle
from .shared_memory.slots import SharedSlots
from .wire.authority import HostPattern
from .wire.cidr import Cidr
from .wire.limits import MAX_PROCESSES, MAX_WORKERS, Integer, Limits
from .wire.message import (
    BodyReceiver,
    Client,
    Handler,
    LongResponse,
    Request,
    RequestWithBody,
    Response,
    error_response,
)

if TYPE_CHECKING:
    from .processes.prefork import WorkerContext, supervise
    from .serving import (
        Budget,
        Counters,
        EventLog,
        RouteMetrics,
        Server,
        ShutdownTrigger,
        SignalTrigger,
        Sockets,
        WorkerTable,
        automatic,
        count_dropped_lines,
        listen,
        measure,
        measure_long,
        room_for_connections,
        share,
    )
    from .shared_memory.shutdown_record import ShutdownRecord

__all__ = [
    "MAX_PROCESSES",
    "MAX_WORKERS",
    "BodyReceiver",
    "Budget",
    "Cidr",
    "Client",
    "Counters",
    "EventLog",
    "Handler",
    "HostPattern",
    "Integer",
    "Lifecycle",
    "Limits",
    "ListenError",
    "LongResponse",
    "ProcessLifecycle",
    "RejectedError",
    "Request",
    "RequestWithBody",
    "Response",
    "RouteMetrics",
    "Server",
    "SharedSlots",
    "ShutdownRecord",
    "ShutdownTrigger",
    "SignalTrigger",
    "Sockets",
    "WorkerContext",
    "WorkerTable",
    "automatic",
    "count_dropped_lines",
    "error_response",
    "listen",
    "measure",
    "measure_long",
    "room_for_connections",
    "share",
    "supervise",
]

if not TYPE_CHECKING:

    def __getattr__(name: str) -> object:
        """Import the module of *name* at its first use: a health check needs no server.

        By statements, as onebin follows those and not names in strings.
        """
        if name not in __all__:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        if name in {"WorkerContext", "supervise"}:
            from .processes import prefork as home  # noqa: PLC0415
        elif name == "ShutdownRecord":
            from .shared_memory import shutdown_record as home  # noqa: PLC0415
        else:
            from . import serving as home  # noqa: PLC0415
        return getattr(home, name)
