"""The page as a whole: head, parts in their order, and what a browser may do with it."""

import binascii
import hashlib
from collections.abc import Iterable, Sequence
from typing import Final

import msgspec

from devops_info_service.facts.fact import Known, value_of
from devops_info_service.facts.kubernetes.identity import Identity
from devops_info_service.facts.linux.uptime import Runtime
from devops_info_service.handlers.info import Endpoint, Service
from devops_info_service.handlers.platform import ClientPath
from devops_info_service.http.wire.message import Request
from devops_info_service.report.layout import Section
from devops_info_service.report.sections import DETAILS, section
from devops_info_service.snapshot import PlatformSnapshot

from .client_path import way_part
from .markup import Markup, join, tag
from .script import SCRIPT
from .security import expectations_part, security_part, verdict_on, verdicts
from .style import ICON, SIGNS, STYLE
from .tables import facts, folded
from .usage import granted_part


def _hash(content: str) -> str:
    digest = hashlib.sha256(content.encode()).digest()
    return f"'sha256-{binascii.b2a_base64(digest, newline=False).decode()}'"


POLICY: Final = "; ".join(
    (
        "default-src 'none'",
        f"script-src {_hash(SCRIPT)}",
        f"style-src {_hash(STYLE)}",
        "img-src data:",  # the sign in the tab, which is in the page as well
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
)
"""The second wall behind ``markup``: even markup that got in could load, send and run nothing."""

HEADERS: Final = (
    (b"Content-Security-Policy", POLICY.encode()),
    (b"X-Content-Type-Options", b"nosniff"),
    (b"Referrer-Policy", b"no-referrer"),
)

_PARTS: Final = (
    ("granted", "Granted and used"),
    ("expectations", "Expectations"),
    ("security", "Security"),
    ("identity", "Identity"),
    ("way", "Request"),
    ("rest", "All facts"),
    ("json", "JSON"),
)
_SHORT_ID: Final = 12
"""Characters of a container's id, as engines print it."""


class Frame(msgspec.Struct, frozen=True):
    """The page of one look, around what each request has of its own."""

    name: str
    """What the workload is called."""
    before: bytes
    after: bytes


_OWN: Final = Markup("\0")
"""Where a request's own part goes; escaped text has no such character."""


def page(frame: Frame, request: Request, way: ClientPath) -> bytes:
    """Return the page, UTF-8: all of the frame's look, and how this *request* came."""
    return frame.before + way_part(frame.name, request, way).encode() + frame.after


def frame(
    look: PlatformSnapshot,
    now: Runtime,
    service: Service,
    endpoints: Sequence[Endpoint],
    expectations: Section | None = None,
) -> Frame:
    """Make what is the same for all who ask while *look* is fresh; some milliseconds."""
    name = _name(look.identity)
    parts = [
        tag("a", "Skip to the report", href="#report", class_="skip"),
        _head(look, name, now, expectations),
        tag(
            "main",
            granted_part(look),
            expectations_part(expectations) if expectations else Markup(),
            security_part(look.security),
            _identity(look),
            _OWN,
            _rest(look),
            _routes(endpoints),
            id="report",
        ),
        tag(
            "footer",
            tag("p", f"{service.name} {service.version}, {service.framework}"),
            tag("p", f"Looked at {look.taken_at}, in {look.seconds * 1000:.0f} ms"),
        ),
        tag("script", Markup(SCRIPT)),
    ]
    head = join(
        [
            tag("meta", charset="utf-8"),
            tag("meta", name_="viewport", content="width=device-width, initial-scale=1"),
            tag("meta", name_="color-scheme", content="light dark"),
            tag("title", f"{name}: what the platform grants"),
            tag("link", rel="icon", href=ICON),
            tag("style", Markup(STYLE)),
        ]
    )
    body = tag("body", SIGNS, *parts)
    whole = f"<!doctype html>\n{tag('html', tag('head', head), body, lang='en')}\n"
    before, _, after = whole.partition(_OWN)
    return Frame(name, before.encode(), after.encode())


def _name(identity: Identity) -> str:
    return value_of(identity.pod, None) or value_of(identity.hostname, "this container")


def _head(look: PlatformSnapshot, name: str, now: Runtime, expectations: Section | None) -> Markup:
    return tag(
        "header",
        tag(
            "div",
            tag("p", "Granted, not requested", class_="kicker"),
            tag("h1", name),
            tag("p", *_lead(look.identity), f" Up for {now.uptime_human}."),
            class_="who",
        ),
        tag(
            "div",
            verdicts(look.security),
            verdict_on(expectations) if expectations else Markup(),
            class_="standing",
        ),
        tag(
            "nav",
            tag(
                "ul",
                *(
                    tag("li", tag("a", said, href=f"#{key}"))
                    for key, said in _PARTS
                    if expectations or key != "expectations"
                ),
            ),
            aria_label="Parts of the report",
        ),
    )


def _lead(identity: Identity) -> Iterable[str]:
    """Say in one sentence who this is."""
    engine = identity.engine
    under = f" under {engine.value.name}" if isinstance(engine, Known) else ""
    if isinstance(identity.pod, Known):
        yield f"Container {value_of(identity.container, 'of unknown name')} of a pod"
        for fact, word in ((identity.namespace, "in namespace"), (identity.node, "on node")):
            if isinstance(fact, Known):
                yield f", {word} {fact.value}"
        yield f",{under}." if under else "."
    elif isinstance(identity.container_id, Known):
        yield f"Container {identity.container_id.value[:_SHORT_ID]}{under}."
    else:
        yield f"A container{under}." if under else "A process; no container engine shows."


def _identity(look: PlatformSnapshot) -> Markup:
    identity = section(look, "identity")
    return tag(
        "section",
        tag("h2", identity.title, id="identity-title"),
        tag("div", facts(identity.rows, identity.title), class_="card"),
        id="identity",
        aria_labelledby="identity-title",
    )


def _rest(look: PlatformSnapshot) -> Markup:
    return tag(
        "section",
        tag("h2", "All facts", id="rest-title"),
        *(folded(section(look, name)) for name in DETAILS),
        id="rest",
        aria_labelledby="rest-title",
    )


def _routes(endpoints: Sequence[Endpoint]) -> Markup:
    head = tag("tr", tag("th", "Path", scope="col"), tag("th", "What it answers", scope="col"))
    return tag(
        "section",
        tag("h2", "The same as JSON", id="json-title"),
        tag(
            "p",
            "This page is for browsers: whoever does not prefer HTML gets JSON here, too, as ",
            tag("code", "curl"),
            " does.",
            class_="intro",
        ),
        tag(
            "div",
            tag(
                "table",
                tag("caption", "Published routes", class_="unseen"),
                tag("thead", head),
                tag("tbody", *map(_route, endpoints)),
                class_="routes",
            ),
            class_="card",
        ),
        id="json",
        aria_labelledby="json-title",
    )


def _route(endpoint: Endpoint) -> Markup:
    path = tag("code", endpoint.path)
    # Relative: a proxy may have put the service below a path of its own.
    link = tag("a", path, href=endpoint.path[1:]) if endpoint.path != "/" else path
    shown = link if endpoint.method == "GET" else join([f"{endpoint.method} ", path])
    return tag("tr", tag("th", shown, scope="row"), tag("td", endpoint.description))
