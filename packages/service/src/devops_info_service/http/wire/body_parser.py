"""The parser of a server whose routes take bodies: each piece goes to its receiver as it arrives.

A module beside ``parser``, so that a server that drops bodies neither imports nor pays for it.
"""

from devops_info_service.http.errors import RejectedError

from .limits import Limits
from .message import BodyReceiver, Client, ReceiverOf, Request, RequestWithBody
from .parser import RequestParser


class BodyParser(RequestParser):
    """Assemble requests and pass on their bodies; limits and framing are those of its base."""

    __slots__ = ("_receiver", "_receiver_of")

    def __init__(self, client: Client, limits: Limits, receiver_of: ReceiverOf) -> None:
        super().__init__(client, limits)
        self._receiver_of = receiver_of
        self._receiver: BodyReceiver | None = None

    @property
    def held_bytes(self) -> int:
        """Bytes held of an unfinished request and for it, those of the receiver included."""
        receiver = self._receiver
        return super().held_bytes + (0 if receiver is None else receiver.held_bytes)

    def on_headers_complete(self) -> None:
        """Find the receiver, once the head is valid and before 100 (Continue) is sent."""
        super().on_headers_complete()
        fields = self._fields
        if b"transfer-encoding" in fields or b"content-length" in fields:
            path, _, query = self._target.partition(b"?")
            self._receiver = self._receiver_of(
                Request(
                    self._parser.get_method().decode("latin-1"),
                    path.decode("latin-1"),
                    query,
                    fields,
                    self._client,
                    self._version,
                    self._keep_alive,
                )
            )

    def on_body(self, body: bytes) -> None:
        """Pass on a piece of the body."""
        super().on_body(body)
        if self._receiver is not None:
            try:
                self._receiver.receive(body)
            except RejectedError as rejection:
                raise self._reject(rejection) from None

    def on_message_complete(self) -> None:
        """Complete the request with the receiver of its body."""
        super().on_message_complete()
        receiver, self._receiver = self._receiver, None
        if receiver is not None:
            bare = self._completed.pop()
            self._completed.append(
                RequestWithBody(
                    bare.method,
                    bare.path,
                    bare.query,
                    bare.headers,
                    bare.client,
                    bare.version,
                    bare.keep_alive,
                    body=receiver,
                )
            )

    def close(self) -> None:
        """Drop the receiver as well."""
        super().close()
        self._receiver = None
