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
    """0: any."""
    media_type: str = "application/json"


class Parameter(msgspec.Struct, frozen=True):
    """A number that a client chooses: the last part of a path, in braces there, or of the query."""

    name: str
    type: str
    """``integer`` or ``number``."""
    low: float
    high: float
    place: str = "path"


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
    parameters: tuple[Parameter, ...] = ()
    body: str = ""
    """The media type of the request's body; empty: there is no use for one."""

    @property
    def responses(self) -> tuple[ResponseSpec, ...]:
        """Every response of the route, the usual one first."""
        return (ResponseSpec(self.response, self.status, self.media_type), *self.alternatives)


class Router:
    """Passes each request to the handler of its route."""

    __slots__ = ("_paths", "_services", "_templates")

    def __init__(self, routes: "Iterable[Route]", services: "Services") -> None:
        self._services = services
        self._paths: dict[str, dict[str, Handler]] = {}
        self._templates: dict[str, str] = {}
        """Paths that end with a parameter, by all before it."""
        for route in routes:
            self._enter(route, self._first(route))

    def respond(self, request: Request) -> Response:
        """Return the response of the route, or 404 or 405."""
        try:
            handler = self._paths[request.path][request.method]
        except KeyError:
            handler = self._by_template(request)
        return handler(request)

    def _by_template(self, request: Request) -> Handler:
        """Return the handler of a path that ends with a parameter, or that of 404 and 405."""
        return self._paths.get(self._template(request.path), {}).get(request.method, self._reject)

    def _template(self, path: str) -> str:
        """Return the path with a parameter that *path* is a case of; empty: none."""
        before, _, parameter = path.rpartition("/")
        return self._templates.get(before, "") if parameter else ""

    def _enter(self, route: Route, handler: Handler) -> None:
        methods = self._paths.setdefault(route.path, {})
        methods[route.method] = handler
        if route.path.endswith("}"):
            self._templates[route.path.rpartition("/")[0]] = route.path
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
        path = request.path
        methods = self._paths.get(path) or self._paths.get(self._template(path))
        if methods is None:
            return error_response(404, "Endpoint does not exist")
        allowed = ", ".join(methods)
        return error_response(
            405,
            f"{request.path} allows {allowed}",
            headers=((b"Allow", allowed.encode()),),
        )
