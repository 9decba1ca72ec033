"""Errors of the engine: an address that cannot be listened on, bytes that are rejected."""


class ListenError(Exception):
    """The socket cannot listen: ``str()`` is one line that names the address and the reason."""


class RejectedError(Exception):
    """Bytes that are not served: send ``status``, close, never read those bytes again."""

    def __init__(self, reason: str, *, status: int = 400) -> None:
        super().__init__(reason)
        self.reason = reason
        self.status = status
