"""Errors of onebin by what must change; ``cli`` alone turns them into text and a status."""

from collections.abc import Sequence


class OnebinError(Exception):
    """An error that stops a command, with the way out.

    ``str()`` of it is one line: the thing and its fault. ``hint`` is empty or one line: the
    way out.
    """

    exit_status = 1

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


class ProjectError(OnebinError):
    """The project must change: its ``pyproject.toml``, its code or its dependencies."""

    exit_status = 2


class ObstaclesError(ProjectError):
    """Several faults of a project, each with its remedy."""

    def __init__(self, faults: Sequence[ProjectError]) -> None:
        first = faults[0]
        super().__init__(f"{first}; and {len(faults) - 1} more", hint=first.hint)
        self.faults = tuple(faults)


def joined(faults: Sequence[ProjectError]) -> ProjectError:
    """Return the one error of *faults*, of which there is at least one."""
    return faults[0] if len(faults) == 1 else ObstaclesError(faults)


class ToolError(OnebinError):
    """The machine must change: a tool, a source or the network is missing, or a program failed.

    ``detail`` holds the last lines the program printed, as it printed them.
    """

    def __init__(self, message: str, *, hint: str = "", detail: str = "") -> None:
        super().__init__(message, hint=hint)
        self.detail = detail


class ImageError(OnebinError):
    """An image or an executable violates its format."""
