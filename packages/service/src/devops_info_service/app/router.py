"""From a method and a path to a handler, or to the right refusal."""

from collections.abc import Callable, Mapping

import msgspec

from devops_info_service.http.wire.message import Handler, Request, Response, problem


class Answer(msgspec.Struct, frozen=True):
    """One kind of answer that a route gives."""

    body: Callable[[], type]
    """Gives the type of the body: of its JSON, or ``str`` for text. A function, as some types
    cost an import that only their first request pays for."""
    status: int = 200
    media_type: str = "application/json"


class Route(msgspec.Struct, frozen=True):
    """One published endpoint: what a client has to know, and OpenAPI asks for."""

    method: str
    path: str
    description: str
    response: Callable[[], type]
    """As ``Answer.body``, of the answer to whoever asks for nothing in particular."""
    status: int = 200
    media_type: str = "application/json"
    others: tuple[Answer, ...] = ()
    """Further answers of its own; refusals are the same for every route (``openapi``)."""

    @property
    def answers(self) -> tuple[Answer, ...]:
        """Every answer of its own, the usual one first."""
        return (Answer(self.response, self.status, self.media_type), *self.others)


class Router:
    """Hand each request to the handler of its route."""

    __slots__ = ("_paths",)

    def __init__(self, handlers: Mapping[Route, Handler]) -> None:
        self._paths: dict[str, dict[str, Handler]] = {}
        for route, handler in handlers.items():
            methods = self._paths.setdefault(route.path, {})
            methods[route.method] = handler
            if route.method == "GET":
                # RFC 9110, section 9.3.2: GET without the body, which the writer leaves out.
                methods.setdefault("HEAD", handler)

    def answer(self, request: Request) -> Response:
        """Answer *request*."""
        try:
            handler = self._paths[request.path][request.method]
        except KeyError:
            return self._refuse(request)
        return handler(request)

    def _refuse(self, request: Request) -> Response:
        methods = self._paths.get(request.path)
        if methods is None:
            return problem(404, "Endpoint does not exist")
        allowed = ", ".join(methods)
        return problem(
            405,
            f"{request.path} allows {allowed}",
            headers=((b"Allow", allowed.encode()),),
        )
