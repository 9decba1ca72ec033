"""What can go wrong, split by who must act; each error carries what its handler needs."""


class ServiceError(Exception):
    """Something that ends the process.

    ``str()`` of it is one line that names the thing, what is wrong and what is allowed.
    """

    exit_status = 1


class ConfigError(ServiceError):
    """Whoever started the process must change a flag or a variable."""

    exit_status = 2


class StartError(ServiceError):
    """The process cannot serve: an address, a file or memory is not available."""


class CheckError(ServiceError):
    """The health check failed; the message is the reason an operator reads."""
