"""From a method and a path to the handler of a route, which is made with its first request."""

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

import msgspec

from devops_info_service.http.wire.message import Handler, Request, Response, error_response

if TYPE_CHECKING:
    from .services import Services


class ResponseSpec(msgspec.Struct, frozen=True):
    """One kind of response that a route gives."""

    body: Callable[[], type]
    """Gives the type of the body: of its JSON, or ``str`` for text. A function, as some types
    cost an import that only their first request pays for."""
    status: int = 200
    media_type: str = "application/json"


class Route(msgspec.Struct, frozen=True):
    """One published endpoint, for the router, for OpenAPI and for ``GET /``."""

    method: str
    path: str
    description: str
    make: "Callable[[Services], Handler]"
    """Makes the handler, with the imports that only this route needs: no start pays for them."""
    response: Callable[[], type]
    """As ``ResponseSpec.body``, of the response to a request without preferences."""
    status: int = 200
    media_type: str = "application/json"
    alternatives: tuple[ResponseSpec, ...] = ()
    """Further responses of the route; refusals are the same for every route (``openapi``)."""

    @property
    def responses(self) -> tuple[ResponseSpec, ...]:
        """Every response of the route, the usual one first."""
        return (ResponseSpec(self.response, self.status, self.media_type), *self.alternatives)


class Router:
    """Passes each request to the handler of its route."""

    __slots__ = ("_paths", "_services")

    def __init__(self, routes: "Iterable[Route]", services: "Services") -> None:
        self._services = services
        self._paths: dict[str, dict[str, Handler]] = {}
        for route in routes:
            self._enter(route, self._first(route))

    def respond(self, request: Request) -> Response:
        """Return the response of the route, or 404 or 405."""
        try:
            handler = self._paths[request.path][request.method]
        except KeyError:
            return self._reject(request)
        return handler(request)

    def _enter(self, route: Route, handler: Handler) -> None:
        methods = self._paths.setdefault(route.path, {})
        methods[route.method] = handler
        if route.method == "GET":
            # RFC 9110, section 9.3.2: GET without the body, which the writer leaves out.
            methods["HEAD"] = handler

    def _first(self, route: Route) -> Handler:
        """Return a handler that makes the route's handler, which then takes its place."""

        def handle(request: Request) -> Response:
            handler = route.make(self._services)
            self._enter(route, handler)
            return handler(request)

        return handle

    def _reject(self, request: Request) -> Response:
        methods = self._paths.get(request.path)
        if methods is None:
            return error_response(404, "Endpoint does not exist")
        allowed = ", ".join(methods)
        return error_response(
            405,
            f"{request.path} allows {allowed}",
            headers=((b"Allow", allowed.encode()),),
        )
