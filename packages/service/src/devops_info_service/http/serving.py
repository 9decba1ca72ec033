"""The part of the engine's face that only a process that serves imports."""

from .connection.listener import Sockets, listen
from .connection.server import Server, room_for_connections
from .connection.shutdown import EventLog, ShutdownTrigger, SignalTrigger
from .shared_memory.counters import Counters, count_dropped_lines
from .shared_memory.route_metrics import RouteMetrics, WorkerTable, measure, measure_long
from .wire.memory_budget import Budget, automatic, share

__all__ = [
    "Budget",
    "Counters",
    "EventLog",
    "RouteMetrics",
    "Server",
    "ShutdownTrigger",
    "SignalTrigger",
    "Sockets",
    "WorkerTable",
    "automatic",
    "count_dropped_lines",
    "listen",
    "measure",
    "measure_long",
    "room_for_connections",
    "share",
]
