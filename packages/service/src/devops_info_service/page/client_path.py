"""The way the request came, and who it reached."""

from devops_info_service.catalog.row import Row
from devops_info_service.facts.fact import truncate
from devops_info_service.handlers.platform import ClientPath, Hop, Told
from devops_info_service.http.wire.message import Client, Request

from .markup import Markup, tag
from .tables import facts


def way_part(name: str, request: Request, way: ClientPath) -> Markup:
    """Draw the connection to *name*, which is us, and repeat what header fields claim."""
    trust = "trusted" if way.peer_trusted else "not trusted"
    steps = [_step(name, "this service", way.protocol)]
    if way.peer != way.client:
        steps.insert(0, _step(_end(way.peer), "the peer", trust))
        steps.insert(0, _step(_end(way.client), "the client", "as the peer says"))
    else:
        steps.insert(0, _step(_end(way.peer), "the peer, taken for the client", trust))
    agent = request.headers.get(b"user-agent", b"").decode("utf-8", "replace")
    rows = [
        Row("client", _end(way.client)),
        Row("peer", _end(way.peer), (f"{trust}: TRUSTED_PROXIES decides whose word is believed",)),
        Row("protocol", way.protocol),
        Row("user agent", truncate(agent) or "none"),
        *(
            Row(told.field, told.value, (_read(told, believed=way.peer_trusted),))
            for told in way.forwarded
        ),
    ]
    if not way.forwarded:
        rows.append(Row("forwarded", "no header field speaks of another client"))
    return tag(
        "section",
        tag("h2", "The way this request came", id="way-title"),
        tag("ol", *steps, class_="way"),
        tag("div", facts(rows, "The way this request came"), class_="card"),
        id="way",
        aria_labelledby="way-title",
    )


def _step(name: str, role: str, remark: str) -> Markup:
    return tag("li", tag("span", role, class_="role"), tag("code", name), tag("span", remark))


def _end(client: Client) -> str:
    if not client.port:
        return client.address
    address = f"[{client.address}]" if ":" in client.address else client.address
    return f"{address}:{client.port}"


def _read(told: Told, *, believed: bool) -> str:
    if told.hops is None:
        return "has an error, so none of it is believed"
    hops = ", then ".join(map(_hop, told.hops))
    return hops if believed else f"{hops}; not believed, as the peer is not trusted"


def _hop(hop: Hop) -> str:
    if hop.address is None:
        return "a withheld name"
    return f"{hop.address} ({'trusted' if hop.trusted else 'not trusted'})"
