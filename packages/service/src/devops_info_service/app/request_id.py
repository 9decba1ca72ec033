"""Request IDs: the client's if it is plain, else one of this process; and the trace's IDs."""

import os
from typing import Final

import msgspec

from devops_info_service.http.wire.message import Request, Response
from devops_info_service.http.wire.traceparent import TraceParent, parse_traceparent

MAX_ID_BYTES: Final = 64
"""Bytes of a client's request id; a UUID has 36, a trace context 55."""

_ID_BYTES: Final = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.:/+="

REQUEST_ID: Final = b"x-request-id"

TRACEPARENT: Final = b"traceparent"


class RequestIds(msgspec.Struct, frozen=True):
    """The IDs of one request, for its response and its line of the log."""

    request_id: bytes | None
    trace: TraceParent | None

    def apply_to(self, response: Response) -> Response:
        """Return *response* with the request ID in its header."""
        headers = response.headers
        if self.request_id is not None:
            headers += ((b"X-Request-Id", self.request_id),)
        if response.is_long:
            return msgspec.structs.replace(response, headers=headers)
        # Not structs.replace, which takes twice as long.
        return Response(
            response.status, response.body, response.content_type, headers, response.vary
        )

    def fields(self) -> dict[str, str]:
        """Return the fields for a line of the log, by OpenTelemetry's names for a trace."""
        fields = {}
        if self.request_id is not None:
            fields["request_id"] = self.request_id.decode()
        if self.trace is not None:
            fields["trace_id"] = self.trace.trace_id
            fields["parent_id"] = self.trace.parent_id
        return fields


class RequestIdSource:
    """Gives requests their IDs: the client's, else a random prefix of the process and a count."""

    def __init__(self) -> None:
        # 8 bytes: unique among processes, guessable within one; an ID is not a secret.
        self._prefix = os.urandom(8).hex()
        self._count = 0

    def from_request(self, request: Request) -> RequestIds:
        """Return the client's IDs, as far as they are plain and valid."""
        request_id = request.headers.get(REQUEST_ID)
        if request_id is not None and not is_plain(request_id):
            request_id = None
        parent = request.headers.get(TRACEPARENT)
        return RequestIds(request_id, None if parent is None else parse_traceparent(parent))

    def ensure(self, request: Request) -> RequestIds:
        """Return the client's IDs, with a new request ID if there is none."""
        ids = self.from_request(request)
        if ids.request_id is not None:
            return ids
        self._count += 1
        return RequestIds(f"{self._prefix}-{self._count:x}".encode(), ids.trace)


def is_plain(given: bytes) -> bool:
    """Whether *given* can be repeated unescaped in a header and a log."""
    return 0 < len(given) <= MAX_ID_BYTES and not given.translate(None, _ID_BYTES)
