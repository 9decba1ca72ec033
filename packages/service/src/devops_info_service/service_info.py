"""The service's description of itself."""

import msgspec


class Service(msgspec.Struct, frozen=True):
    """The program that serves."""

    name: str
    version: str
    description: str
    framework: str
    """The server that really serves, and its parser."""


class Endpoint(msgspec.Struct, frozen=True):
    """One published route."""

    path: str
    method: str
    description: str
