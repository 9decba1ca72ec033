"""The route table and the message types as an OpenAPI 3.1 document.

Imported with the first request for it. Source: OpenAPI Specification 3.1.1, and JSON Schema
2020-12 as msgspec gives it.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import msgspec

from devops_info_service.http.wire.message import JSON, PHRASES, ErrorBody

from .router import Parameter, ResponseSpec, Route

Object = dict[str, Any]
"""A JSON object of the document."""

REFUSALS: Final[Mapping[int, str]] = {
    400: "The bytes are not an HTTP/1.1 request.",
    408: "The head or the body comes too slowly.",
    413: "The body is longer than the limit.",
    414: "The request line is longer than the limit.",
    417: "An expectation that is not 100-continue.",
    421: "The request names a host that ALLOWED_HOSTS does not list.",
    431: "The fields are more or longer than the limit.",
    500: "The service failed to respond; the reason is in its log.",
    501: "A transfer coding that is not chunked.",
    503: "More connections than the limit.",
    505: "A version that is not 1.0 or 1.1.",
}
"""Responses to any operation, before its handler is called or if that fails. The connection ends
with all but 421 and 500. 404 and 405 are for paths and methods that are not in the document."""

_SCHEMAS: Final = "#/components/schemas/"

_PARAMETERS: Final = [
    {"$ref": "#/components/parameters/RequestId"},
    {"$ref": "#/components/parameters/TraceParent"},
]
_NO_WORD: Final = str.maketrans("", "", "{}")

_HEADERS: Final = {
    "Cache-Control": {"$ref": "#/components/headers/CacheControl"},
    "X-Request-Id": {"$ref": "#/components/headers/RequestId"},
}


def document(routes: Sequence[Route], about: Mapping[str, str]) -> Object:
    """Describe *routes*; *about* is the document's ``info``."""
    bodies = list(dict.fromkeys([spec.body() for route in routes for spec in route.responses]))
    made, components = msgspec.json.schema_components(
        [*bodies, ErrorBody], ref_template=_SCHEMAS + "{name}"
    )
    names = _names(components)
    schemas = {body: _tidy(schema, names) for body, schema in zip(bodies, made, strict=False)}
    paths: dict[str, Object] = {}
    for route in routes:
        path = paths.setdefault(route.path, {})
        path[route.method.lower()] = _operation(route, schemas)
        if route.method == "GET":
            path.setdefault("head", _operation(route, {}))
    return {
        "openapi": "3.1.1",
        "info": dict(about),
        "paths": paths,
        "components": {
            "schemas": {names[name]: _tidy(components[name], names) for name in sorted(components)},
            "responses": {
                _refusal(status): _response(text, {JSON.decode(): _problem()})
                for status, text in REFUSALS.items()
            },
            "parameters": {
                "RequestId": _field("X-Request-Id", "Ignored if it is not short and plain."),
                "TraceParent": _field("traceparent", "W3C Trace Context. Ignored if not valid."),
            },
            "headers": {
                "CacheControl": {
                    "description": "A response is valid for its moment only.",
                    "required": True,
                    "schema": {"const": "no-store"},
                },
                "RequestId": {
                    "description": "The request's own, or a new one that is in the log.",
                    "schema": {"type": "string", "pattern": "^[A-Za-z0-9_.:/+=-]{1,64}$"},
                },
            },
        },
    }


def _operation(route: Route, schemas: Mapping[type, Object]) -> Object:
    """Describe one method of a path; without *schemas* it is HEAD, whose responses have no body."""
    method = route.method.lower() if schemas else "head"
    responses: Object = {
        str(status): {"$ref": f"#/components/responses/{_refusal(status)}"} for status in REFUSALS
    }
    by_status: dict[int, list[ResponseSpec]] = {}
    for spec in route.responses:
        by_status.setdefault(spec.status, []).append(spec)
    for status, specs in by_status.items():
        content: Object = {}
        text = f"{PHRASES[status]}." if status else "The status that the path names."
        if schemas:
            content = {one.media_type: {"schema": schemas[one.body()]} for one in specs}
        if status in REFUSALS:
            # The route's own body, or that of the layer that rejected the request.
            text += " " + REFUSALS[status]
            if schemas:
                own = content.pop(JSON.decode(), None)
                either = [_problem()["schema"], *([own["schema"]] if own else [])]
                content[JSON.decode()] = {"schema": {"anyOf": either}}
        responses[str(status or "default")] = _response(text, content)
    words = route.path.translate(_NO_WORD).replace(".", "/").split("/")
    described: Object = {
        "operationId": method + ("".join([word.capitalize() for word in words]) or "Root"),
        "summary": route.description,
        "parameters": [*_PARAMETERS, *map(_number, route.parameters)],
        "responses": dict(sorted(responses.items())),
    }
    if route.body:
        described["requestBody"] = {"content": {route.body: {}}}
    return described


def _number(parameter: Parameter) -> Object:
    schema = {"type": parameter.type, "minimum": parameter.low, "maximum": parameter.high}
    in_path = parameter.place == "path"
    return {
        "name": parameter.name,
        "in": parameter.place,
        "required": in_path,
        "schema": schema,
    }


def _response(description: str, content: Object) -> Object:
    response: Object = {"description": description, "headers": _HEADERS}
    return response | ({"content": content} if content else {})


def _field(name: str, description: str) -> Object:
    # Any value is taken: what cannot be used is as good as none.
    schema = {"type": "string"}
    return {"name": name, "in": "header", "description": description, "schema": schema}


def _problem() -> Object:
    return {"schema": {"$ref": _SCHEMAS + ErrorBody.__name__}}


def _refusal(status: int) -> str:
    return PHRASES[status].replace(" ", "")


def _names(components: Mapping[str, Object]) -> dict[str, str]:
    """Shorten msgspec's names of components.

    ``Known_tuple_package.module.Address__...__`` becomes ``KnownTupleAddress``; one of two
    types of the same name has its module with it, ``package.module.Service``, and becomes
    ``ModuleService``.
    """
    names = {}
    for name, schema in components.items():
        title = schema["title"]
        parts = _words(title) if "[" in title else name.split(".")[-2:]
        names[name] = "".join([part[:1].upper() + part[1:] for part in parts])
    if len(set(names.values())) < len(names):
        raise ValueError(f"two types of one name among {sorted(names)}")
    return names


def _words(title: str) -> Iterable[str]:
    """Split a type as Python shows it into its names, without their modules."""
    plain = "".join([letter if letter.isalnum() or letter in "._" else " " for letter in title])
    for word in plain.split():
        if last := word.rpartition(".")[2]:
            yield last


def _tidy(value: Any, names: Mapping[str, str]) -> Any:  # noqa: ANN401  any JSON
    """Turn a schema of accepted values into one of sent values.

    A response has every field, defaults included. Docstrings are left out: the executable has
    none, and its document must be the same. Titles are left out, as they repeat names.
    """
    if isinstance(value, str) and value.startswith(_SCHEMAS):
        return _SCHEMAS + names[value.removeprefix(_SCHEMAS)]
    if isinstance(value, list):
        return [_tidy(item, names) for item in value]
    if not isinstance(value, dict):
        return value
    tidy = {key: _tidy(item, names) for key, item in value.items() if key != "default"}
    if isinstance(value.get("properties"), dict) and value.get("type") == "object":
        tidy.pop("description", None)
        tidy.pop("title", None)
        tidy["required"] = list(value["properties"])
        tidy["properties"] = {
            field: _tidy(item, names) for field, item in value["properties"].items()
        }
    return tidy
