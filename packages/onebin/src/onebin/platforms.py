"""Platforms as the command line names them: ``linux/amd64,linux/arm64``."""

from collections.abc import Iterable

from onebin.errors import ProjectError
from onebin.model import PLATFORMS, Machine
from onebin.requirement import shown


def machine_of(platform: str) -> Machine:
    """Return the processor of *platform*.

    Raises:
        ProjectError: onebin does not build for it.
    """
    if platform not in PLATFORMS:
        raise ProjectError(
            f"--platform: {shown(platform)} is not a platform that onebin builds for; "
            f"expected {' or '.join(PLATFORMS)}"
        )
    return PLATFORMS[platform]


def named(texts: Iterable[str]) -> tuple[str, ...]:
    """Return the platforms in *texts*, each a list with commas, in order and each once.

    Raises:
        ProjectError: onebin does not build for one of them.
    """
    every = dict.fromkeys(name.strip() for text in texts for name in text.split(","))
    for name in every:
        machine_of(name)
    return tuple(every)
