"""The section on the request: how it arrived, and what its header fields claim."""

from devops_info_service.catalog.row import Note, Row
from devops_info_service.client_path import ClientPath, ForwardedClaim, Hop
from devops_info_service.facts.fact import truncate
from devops_info_service.http.wire.message import Client, Request

from .markup import Markup, tag
from .tables import facts

_TITLE = "How this request arrived"


def client_path_section(name: str, request: Request, path: ClientPath) -> Markup:
    """Return the connection to *name*, the workload, and the claims of header fields."""
    trust = "trusted" if path.peer_trusted else "not trusted"
    steps = [_step(name, "this service", path.protocol)]
    if path.peer != path.client:
        steps.insert(0, _step(_address(path.peer), "the peer", trust))
        steps.insert(0, _step(_address(path.client), "the client", "as the peer claims"))
    else:
        steps.insert(0, _step(_address(path.peer), "the peer, taken as the client", trust))
    agent = request.headers.get(b"user-agent", b"").decode("utf-8", "replace")
    rows = [
        Row("client", _address(path.client)),
        Row("peer", _address(path.peer), (Note(f"{trust}: TRUSTED_PROXIES lists trusted peers"),)),
        Row("protocol", path.protocol),
        Row("user agent", truncate(agent) or "none"),
        *(
            Row(claim.field, claim.value, (_evaluate(claim, trusted=path.peer_trusted),))
            for claim in path.forwarded
        ),
    ]
    if not path.forwarded:
        rows.append(Row("forwarded", "no header field names another client"))
    return tag(
        "section",
        tag("h2", _TITLE, id="request-title"),
        tag("ol", *steps, class_="path"),
        tag("div", facts(rows, _TITLE), class_="card"),
        id="request",
        aria_labelledby="request-title",
    )


def _step(name: str, role: str, remark: str) -> Markup:
    return tag("li", tag("span", role, class_="role"), tag("code", name), tag("span", remark))


def _address(client: Client) -> str:
    if not client.port:
        return client.address
    address = f"[{client.address}]" if ":" in client.address else client.address
    return f"{address}:{client.port}"


def _evaluate(claim: ForwardedClaim, *, trusted: bool) -> Note:
    if claim.hops is None:
        return Note("malformed, so ignored")
    hops = ", then ".join(map(_hop, claim.hops))
    return Note(hops if trusted else f"{hops}; ignored, as the peer is not trusted")


def _hop(hop: Hop) -> str:
    if hop.address is None:
        return "a withheld address"
    return f"{hop.address} ({'trusted' if hop.trusted else 'not trusted'})"
