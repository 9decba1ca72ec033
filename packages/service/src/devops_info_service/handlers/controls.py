"""The controls under ``/tools``: faults, load, and the end of the process, for its operator."""

import math
import os
from collections.abc import Callable, Collection
from typing import TypeVar

import msgspec

from devops_info_service.http import (
    Handler,
    LongResponse,
    Request,
    Response,
    error_response,
)
from devops_info_service.setting_types import number
from devops_info_service.tools.burning import Burn, Burner
from devops_info_service.tools.injection import Faults, Injection
from devops_info_service.tools.requests import body_of, last_part
from devops_info_service.web_pages import without_web_pages

_Form = TypeVar("_Form", Faults, Burn)

_RANDOM_BYTES = 4


def show_faults(injection: Injection) -> Handler:
    """Return the handler of the current ``Faults``."""
    encode = msgspec.json.Encoder().encode
    return lambda _: Response(200, encode(injection.current))


def set_faults(injection: Injection) -> Handler:
    """Return the handler that injects the ``Faults`` of the body in place of those before."""
    encode = msgspec.json.Encoder().encode

    def inject(faults: Faults) -> Response:
        injection.inject(faults)
        return Response(200, encode(injection.current))

    return _from_operator(lambda request: _with_form(request, Faults, inject))


def end_faults(injection: Injection) -> Handler:
    """Return the handler that ends all faults."""
    encode = msgspec.json.Encoder().encode

    def handle(_: Request) -> Response:
        injection.inject(Faults(for_seconds=0))
        return Response(200, encode(injection.current))

    return _from_operator(handle)


def burn(burner: Burner) -> Handler:
    """Return the handler that starts the ``Burn`` of the body in this process."""
    encode = msgspec.json.Encoder().encode

    def start(wanted: Burn) -> Response:
        if burner.is_burning:
            return error_response(409, "A burn goes on; expected one at a time")
        try:
            burner.start(wanted)
        except RuntimeError:
            return error_response(503, "The limit of processes and threads leaves none for it")
        return Response(202, encode(wanted))

    return _from_operator(lambda request: _with_form(request, Burn, start))


def end_process() -> Handler:
    """Return the handler that ends its process with the status of the path, and no response.

    Requests in flight are lost, as with a crash. Not by a signal: a process that is PID 1 gets
    none from itself, and a core dump would hold its environment.
    """

    def handle(request: Request) -> Response:
        try:
            status = number(last_part(request), 0, 255)
        except ValueError:
            return error_response(400, "Not an exit status; expected 0 to 255")
        os._exit(status)

    return _from_operator(handle)


def with_faults(handler: Handler, injection: Injection, exempt: Collection[str]) -> Handler:
    """Wrap *handler*: faults are injected into all requests but those for *exempt* paths.

    A path is also exempt by all of it but its last part, the parameter.
    """

    def handle(request: Request) -> Response:
        faults = injection.current
        if (
            not (faults.error_rate or faults.latency_seconds)
            or request.path in exempt
            or request.path.rpartition("/")[0] in exempt
        ):
            return handler(request)
        if faults.error_rate and _is_hit(faults.error_rate):
            response = error_response(faults.error_status, "An injected fault (/tools/faults)")
        else:
            response = handler(request)
        return _delayed(response, faults.latency_seconds)

    return handle


def unready_while_injected(handler: Handler, injection: Injection, unready: Response) -> Handler:
    """Return *handler*, or *unready* while faults make the service unready."""
    return lambda request: handler(request) if injection.current.ready else unready


def _is_hit(rate: float) -> bool:
    most = 1 << 8 * _RANDOM_BYTES
    return int.from_bytes(os.urandom(_RANDOM_BYTES)) < math.ceil(rate * most)


def _delayed(response: Response, seconds: float) -> Response:
    if not seconds:
        return response
    if isinstance(response, LongResponse):
        seconds += response.delay_seconds
        return msgspec.structs.replace(response, delay_seconds=seconds)
    return LongResponse.of(response, delay_seconds=seconds)


def _with_form(request: Request, form: type[_Form], act: Callable[[_Form], Response]) -> Response:
    try:
        return act(msgspec.json.decode(body_of(request) or b"{}", type=form))
    except msgspec.DecodeError as exc:
        names = ", ".join(form.__struct_fields__)
        return error_response(400, f"{exc}; expected a JSON object with any of {names}")


def _from_operator(handler: Handler) -> Handler:
    return without_web_pages(handler, "Not for web pages")
