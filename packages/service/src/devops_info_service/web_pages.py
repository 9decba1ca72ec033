"""Requests that change the service, and that no web page may send."""

from devops_info_service.http import Handler, Request, Response, error_response


def without_web_pages(handler: Handler, reason: str) -> Handler:
    """Return *handler*; requests of web pages get 403 with *reason*.

    A browser lets any page post to any address, this one's too, and marks it so (Fetch, section
    3.2). Programs meant to send such requests, such as curl, send no such field.
    """

    def handle(request: Request) -> Response:
        if b"origin" in request.headers:
            return error_response(403, reason)
        return handler(request)

    return handle
