"""``GET /platform`` and its parts: what the platform really gives, looked at on demand.

Imported with the first such request, so that no other one and no start pays for it.
"""

from collections.abc import Callable, Mapping
from typing import Final

import msgspec

from devops_info_service.facts.container.filesystem import Filesystem
from devops_info_service.facts.fact import truncate
from devops_info_service.facts.kubernetes.identity import Identity
from devops_info_service.facts.linux.limit_watch import Change
from devops_info_service.facts.linux.network import Network
from devops_info_service.facts.linux.resources import Resources
from devops_info_service.facts.system_files import Clock, SystemFiles
from devops_info_service.http.wire.forwarded import Proxies, chains
from devops_info_service.http.wire.message import Client, Request, Response
from devops_info_service.snapshot import PlatformSnapshot, Security, read_platform

FRESH_SECONDS: Final = 1.0
"""Seconds for which a look is given to all who ask. Whoever watches a container asks no more
often, and however many ask, looking takes no more than a look's time of each second: some
10 ms, 50 more where there are many files to search for set-uid programs."""


class Hop(msgspec.Struct, frozen=True):
    """Somebody a chain names."""

    address: str | None
    """``None``: the name is withheld."""
    trusted: bool
    """Whether ``TRUSTED_PROXIES`` has it."""


class Told(msgspec.Struct, frozen=True):
    """What one header field tells of the way here; anybody can send one."""

    field: str
    value: str
    """As it was sent, cut at 200 characters."""
    hops: tuple[Hop, ...] | None
    """From the client's end to ours; ``None``: it has an error, so none of it is believed."""


class ClientPath(msgspec.Struct, frozen=True):
    """The way this request came."""

    client: Client
    """Who is believed to ask."""
    peer: Client
    """Whose connection it is: the kernel's word, or that of a PROXY header."""
    peer_trusted: bool
    """Whether the peer's word on others is believed."""
    protocol: str
    forwarded: tuple[Told, ...]


class NetworkAnswer(Network, frozen=True, kw_only=True):
    """The network, and how the one who asks is connected to it."""

    client_path: ClientPath


class ResourcesAnswer(Resources, frozen=True, kw_only=True):
    """The resources, and what became of their limits while the service ran."""

    history: tuple[Change, ...]
    """The last changes this process noticed, oldest first."""


ANSWERS: Final[Mapping[str, type]] = {
    "/platform": PlatformSnapshot,
    "/platform/resources": ResourcesAnswer,
    "/platform/security": Security,
    "/platform/identity": Identity,
    "/platform/network": NetworkAnswer,
    "/platform/filesystem": Filesystem,
}


def platform_handlers(
    look: Callable[[], PlatformSnapshot],
    proxies: Proxies,
    history: Callable[[], tuple[Change, ...]],
) -> Mapping[str, Callable[[Request], Response]]:
    """Return the handler of each path; they share *look*."""
    handlers: dict[str, Callable[[Request], Response]] = {
        path: PlatformHandler(look, path.removeprefix("/platform").removeprefix("/"))
        for path in ANSWERS
    }
    handlers["/platform/resources"] = ResourcesHandler(look, history)
    handlers["/platform/network"] = NetworkHandler(look, proxies)
    return handlers


class Look:
    """One look at everything, for all who ask within ``FRESH_SECONDS``."""

    def __init__(self, tree: SystemFiles, clock: Clock, allowed: frozenset[str]) -> None:
        self._tree = tree
        self._clock = clock
        self._allowed = allowed
        self._last: PlatformSnapshot | None = None
        self._taken = 0.0

    def __call__(self) -> PlatformSnapshot:
        """Return the last look while it is fresh, else a new one."""
        if self._last is None or self._clock.monotonic() - self._taken >= FRESH_SECONDS:
            self._last = read_platform(self._tree, self._clock, self._allowed)
            # Counted from its end: a slow look is not followed by the next at once.
            self._taken = self._clock.monotonic()
        return self._last


class PlatformHandler:
    """Answers with all of a look, or with one part of it."""

    def __init__(self, look: Callable[[], PlatformSnapshot], part: str) -> None:
        self._encode = msgspec.json.Encoder().encode
        self._look = look
        self._part = part
        self._encoded: PlatformSnapshot | None = None
        self._body = b""

    def __call__(self, request: Request) -> Response:  # noqa: ARG002  the shape of a handler
        """Answer any request alike."""
        look = self._look()
        if look is not self._encoded:
            self._body = self._encode(getattr(look, self._part) if self._part else look)
            self._encoded = look
        return Response(200, self._body)


class ResourcesHandler:
    """Answers with the resources and with the history of their limits."""

    def __init__(
        self, look: Callable[[], PlatformSnapshot], history: Callable[[], tuple[Change, ...]]
    ) -> None:
        self._encode = msgspec.json.Encoder().encode
        self._look = look
        self._history = history

    def __call__(self, request: Request) -> Response:  # noqa: ARG002  the shape of a handler
        """Answer any request alike."""
        resources = msgspec.structs.asdict(self._look().resources)
        answer = ResourcesAnswer(history=self._history(), **resources)
        return Response(200, self._encode(answer))


class NetworkHandler:
    """Answers with the network and with the way the request came."""

    def __init__(self, look: Callable[[], PlatformSnapshot], proxies: Proxies) -> None:
        self._encode = msgspec.json.Encoder().encode
        self._look = look
        self._proxies = proxies

    def __call__(self, request: Request) -> Response:
        """Answer *request*."""
        network = msgspec.structs.asdict(self._look().network)
        answer = NetworkAnswer(client_path=path_of(request, self._proxies), **network)
        return Response(200, self._encode(answer))


def path_of(request: Request, proxies: Proxies) -> ClientPath:
    """Say how *request* came here."""
    peer = request.peer or request.client
    told = tuple(
        Told(
            field,
            # Bytes a client made up: what is no UTF-8 becomes a replacement character.
            truncate(value.decode("utf-8", "replace")),
            None
            if chain is None
            else tuple(
                Hop(None, trusted=False)
                if hop is None
                else Hop(hop.address, trusted=proxies.trusts(hop.address))
                for hop in chain
            ),
        )
        for field, value, chain in chains(request.headers)
    )
    protocol = f"HTTP/{request.version}"
    return ClientPath(request.client, peer, proxies.trusts(peer.address), protocol, told)
