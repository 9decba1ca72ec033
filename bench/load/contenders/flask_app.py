"""Flask, the usual way; Gunicorn puts the peer's port into ``REMOTE_PORT``."""

from flask import (  # type: ignore[import-not-found]  # in an environment of its own
    Flask,
    Response,
    request,
)

from .bodies import NO_STORE, Bodies

_bodies = Bodies("Flask")


def index() -> Response:
    """Serve ``GET /``."""
    environ = request.environ
    body = _bodies.index(
        environ["REMOTE_ADDR"],
        int(environ["REMOTE_PORT"]),
        environ.get("HTTP_USER_AGENT", ""),
        environ["REQUEST_METHOD"],
        environ["PATH_INFO"],
    )
    return Response(body, headers=NO_STORE, mimetype="application/json")


def health() -> Response:
    """Serve ``GET /health``."""
    return Response(_bodies.health(), headers=NO_STORE, mimetype="application/json")


app = Flask(__name__, static_folder=None)
app.add_url_rule("/", view_func=index)
app.add_url_rule("/health", view_func=health)
