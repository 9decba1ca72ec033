"""The OpenAPI document: valid, complete, and true of the responses."""

from pathlib import Path
from typing import Any, Final

import msgspec
import pytest

from devops_info_service.app.openapi import REFUSALS, document
from devops_info_service.app.router import ResponseSpec, Route
from devops_info_service.app.routes import ROUTES, build
from devops_info_service.app.services import Services
from devops_info_service.facts.system_files import Machine, SystemFiles
from devops_info_service.http import Lifecycle, ProcessLifecycle
from devops_info_service.http.wire.message import (
    Client,
    ErrorBody,
    Handler,
    Request,
    error_response,
)

TREES: Final = sorted(
    path.parent for path in Path(__file__).parents[2].glob("data/platform/*/root")
)
PEER: Final = Client("192.0.2.7", 4242)


def ask(
    path: str, *, tree: SystemFiles | None = None, lifecycle: ProcessLifecycle | None = None
) -> Any:
    """Return the JSON of a response."""
    dispatch = build(Services(Machine(), "x", files=tree, lifecycle=lifecycle))
    request = Request("GET", path, b"", {}, PEER, "1.1", keep_alive=True)
    return msgspec.json.decode(dispatch(request).body)


@pytest.fixture(scope="module")
def published() -> Any:
    """The document as it is served."""
    return ask("/openapi.json")


def follow(published: Any, node: Any) -> Any:
    """Return *node*, or the target of its reference."""
    while "$ref" in node:
        _, *keys = node["$ref"].split("/")
        node = published
        for key in keys:
            node = node[key]
    return node


def errors(published: Any, path: str, status: int, body: Any) -> list[str]:
    """Check *body* against the closed schema of a response: undocumented fields fail."""
    from jsonschema import Draft202012Validator  # noqa: PLC0415  (it compiles 38 grammars)

    response = follow(published, published["paths"][path]["get"]["responses"][str(status)])
    schema = response["content"]["application/json"]["schema"]
    closed = closed_objects(published["components"])
    validator = Draft202012Validator({"components": closed, **schema})
    return [f"{error.json_path}: {error.message}" for error in validator.iter_errors(body)]


def closed_objects(node: Any) -> Any:
    """Refuse what an object's schema does not name."""
    if isinstance(node, list):
        return [closed_objects(item) for item in node]
    if not isinstance(node, dict):
        return node
    closed = {key: closed_objects(item) for key, item in node.items()}
    return closed | ({"additionalProperties": False} if "required" in node else {})


@pytest.mark.exhaustive
def test_valid(published: Any) -> None:
    """An independent validator of OpenAPI 3.1 finds no error."""
    from openapi_spec_validator import OpenAPIV31SpecValidator  # noqa: PLC0415  (imports jsonschema)

    assert [str(error) for error in OpenAPIV31SpecValidator(published).iter_errors()] == []


def test_complete(published: Any) -> None:
    """Every route is there with its method, and HEAD beside GET; nothing else is."""
    wanted = {(route.path, route.method.lower()) for route in ROUTES}
    wanted |= {(path, "head") for path, method in wanted if method == "get"}

    assert {
        (path, method) for path, item in published["paths"].items() for method in item
    } == wanted


def test_operations_have_their_own_ids(published: Any) -> None:
    """An operation's id, which generated clients take for a name, is its alone."""
    ids = [entry["operationId"] for item in published["paths"].values() for entry in item.values()]

    assert len(set(ids)) == len(ids)
    assert all(name.isascii() and name.isalnum() for name in ids)


@pytest.mark.sample(every=6)
@pytest.mark.parametrize("tree", TREES, ids=[tree.name for tree in TREES])
def test_platforms_are_of_their_schemas(published: Any, tree: Path) -> None:
    """Responses on every recorded platform match the document, without undocumented fields."""
    environ: dict[str, str] = msgspec.json.decode((tree / "machine.json").read_bytes())["environ"]
    files = SystemFiles(str(tree / "root"), environ)

    for path in published["paths"]:
        if path.startswith("/platform"):
            assert errors(published, path, 200, ask(path, tree=files)) == []


def test_every_field_is_required(published: Any) -> None:
    """Responses have every field, so a client need not test for one."""
    known = published["components"]["schemas"]["KnownInt"]

    assert known["required"] == list(known["properties"]) == ["state", "value", "evidence"]


def test_readiness(published: Any) -> None:
    """Both kinds of 503 are there: not ready, and too many connections."""
    lifecycle = ProcessLifecycle()
    lifecycle.current = Lifecycle.STOPPING
    for body in (
        ask("/readyz", lifecycle=lifecycle),
        msgspec.json.decode(error_response(503, "x").body),
    ):
        assert errors(published, "/readyz", 503, body) == []
    assert errors(published, "/readyz", 503, {"status": 1}) != []
    assert errors(published, "/readyz", 200, {"status": "alive"}) != []


def test_rejections(published: Any) -> None:
    """Every operation knows the refusals."""
    for status in REFUSALS:
        body = msgspec.json.decode(error_response(status, "x").body)
        for path in published["paths"]:
            assert errors(published, path, status, body) == [], (status, path)


def no_handler(_: Services) -> Handler:
    """Fail: a document is made of routes alone."""
    raise AssertionError


def test_media_types() -> None:
    """A route's text, its other statuses and its other media types are kept apart."""
    routes = (
        Route(
            "GET",
            "/metrics",
            "",
            no_handler,
            lambda: str,
            media_type="text/plain",
            alternatives=(
                ResponseSpec(lambda: ErrorBody, 503),
                ResponseSpec(lambda: str, media_type="text/x"),
            ),
        ),
        Route("POST", "/on", "", no_handler, lambda: ErrorBody, status=204),
    )
    paths = document(routes, {"title": "x", "version": "1"})["paths"]

    assert paths["/metrics"]["get"]["responses"]["200"]["content"] == {
        "text/plain": {"schema": {"type": "string"}},
        "text/x": {"schema": {"type": "string"}},
    }
    assert "content" not in paths["/metrics"]["head"]["responses"]["200"]
    assert "200" not in paths["/on"]["post"]["responses"]
    assert set(paths["/on"]) == {"post"}


def test_one_name_for_two_types() -> None:
    """Two types that would share a name are refused, not mixed up."""
    one = msgspec.defstruct("Known[int]", [("a", int)], module="a")
    other = msgspec.defstruct("KnownInt", [("b", int)], module="b")
    routes = (
        Route("GET", "/1", "", no_handler, lambda: one),
        Route("GET", "/2", "", no_handler, lambda: other),
    )

    with pytest.raises(ValueError, match="two types of one name"):
        document(routes, {})
