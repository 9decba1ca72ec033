"""An HTTP/1.1 engine for Linux: one process or several, a ``Handler`` called with each request."""

from .errors import ListenError
from .wire.authority import HostPattern
from .wire.cidr import Cidr
from .wire.limits import MAX_WORKERS, Integer, Limits
from .wire.message import Client, Handler, Request, Response

__all__ = [
    "MAX_WORKERS",
    "Cidr",
    "Client",
    "Handler",
    "HostPattern",
    "Integer",
    "Limits",
    "ListenError",
    "Request",
    "Response",
]
