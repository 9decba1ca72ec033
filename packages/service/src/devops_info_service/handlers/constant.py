"""A resource that never changes."""

import msgspec

from devops_info_service.http.wire.message import Handler, Response


def constant(body: object) -> Handler:
    """Return a handler whose response is *body* as JSON, encoded once."""
    response = Response(200, msgspec.json.encode(body))
    return lambda _: response
