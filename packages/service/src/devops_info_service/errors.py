"""What can go wrong, split by who must act; each error carries what its handler needs."""


class ServiceError(Exception):
    """Something that ends the process.

    ``str()`` of it is one line that names the thing, what is wrong and what is allowed.
    """

    exit_status = 1


class ConfigError(ServiceError):
    """Whoever started the process must change a flag or a variable."""

    exit_status = 2


class ListenError(ServiceError):
    """The machine must change: the address cannot be listened on."""


class StartError(ServiceError):
    """What the process was given does not suffice to serve."""


class CheckError(ServiceError):
    """The health check failed; the message is the reason an operator reads."""


class RefusedError(Exception):
    """A peer sent what we do not serve: send ``status``, close, never read those bytes again."""

    def __init__(self, reason: str, *, status: int = 400) -> None:
        super().__init__(reason)
        self.reason = reason
        self.status = status
