"""FastAPI as fast as it is without leaving it: no model, no encoder of its own, a ready body."""

from fastapi import (  # type: ignore[import-not-found]  # in an environment of its own
    FastAPI,
    Request,
    Response,
)

from .bodies import NO_STORE, Bodies

_bodies = Bodies("FastAPI")


async def index(request: Request) -> Response:
    """Serve ``GET /``."""
    address, port = request.client or ("", 0)
    agent = request.headers.get("user-agent", "")
    body = _bodies.index(address, port, agent, request.method, request.url.path)
    return Response(body, headers=NO_STORE, media_type="application/json")


async def health() -> Response:
    """Serve ``GET /health``."""
    return Response(_bodies.health(), headers=NO_STORE, media_type="application/json")


app = FastAPI(openapi_url=None)
app.add_api_route("/", index)
app.add_api_route("/health", health)
