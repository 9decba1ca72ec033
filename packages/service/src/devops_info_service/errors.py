"""Errors that end the process, by the side that must act: operator, machine, service."""


class ServiceError(Exception):
    """An error that ends the process.

    ``str()`` of it is one line: thing, fault, and expectation.
    """

    exit_status = 1


class ConfigError(ServiceError):
    """A flag or a variable must change."""

    exit_status = 2


class StartError(ServiceError):
    """The process cannot serve: an address, a file or memory is not available."""


class CheckError(ServiceError):
    """The health check failed; the message is the reason."""
