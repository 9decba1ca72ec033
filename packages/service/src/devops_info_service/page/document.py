"""The page as a whole: head, sections in their order, and the policy for the browser."""

import binascii
import hashlib
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Final

import msgspec

from devops_info_service.catalog.placement import is_machine, remark
from devops_info_service.catalog.properties import text
from devops_info_service.catalog.row import certainty
from devops_info_service.client_path import ClientPath
from devops_info_service.facts.fact import Known, value_of
from devops_info_service.facts.kubernetes.identity import Identity
from devops_info_service.facts.linux.uptime import Runtime
from devops_info_service.http.wire.message import Request
from devops_info_service.report.sections import DETAILS, section
from devops_info_service.service_info import Endpoint, Service
from devops_info_service.snapshot import PlatformSnapshot

from .client_path import client_path_section
from .markup import Markup, escape, join, opening, tag
from .script import SCRIPT
from .security import security_section, security_verdicts
from .style import ICON, SIGNS, STYLE
from .tables import collapsible_section, facts
from .usage import usage_section

if TYPE_CHECKING:
    from devops_info_service.expectations.conformance import Conformance
    from devops_info_service.facts.linux.limit_watch import Change


def _hash(content: str) -> str:
    digest = hashlib.sha256(content.encode()).digest()
    return f"'sha256-{binascii.b2a_base64(digest, newline=False).decode()}'"


POLICY: Final = "; ".join(
    (
        "default-src 'none'",
        f"script-src {_hash(SCRIPT)}",
        f"style-src {_hash(STYLE)}",
        "img-src data:",  # the icon of the tab, which is in the page as well
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
)
"""A second defense behind ``markup``: injected markup can load, send and run nothing."""

HEADERS: Final = (
    (b"Content-Security-Policy", POLICY.encode()),
    (b"X-Content-Type-Options", b"nosniff"),
    (b"Referrer-Policy", b"no-referrer"),
)

_SECTIONS: Final = (
    ("usage", "Granted and used"),
    ("expectations", "Expectations"),
    ("security", "Security"),
    ("identity", "Identity"),
    ("request", "Request"),
    ("facts", "All facts"),
    ("json", "JSON"),
)
_SHORT_ID: Final = 12
"""Characters of a container's id, as engines print it."""


class CachedPage(msgspec.Struct, frozen=True):
    """The page of one snapshot, around what differs with each request."""

    name: str
    """Of the workload."""
    head: bytes
    tail: bytes


def render_page(shared: CachedPage, request: Request, path: ClientPath) -> bytes:
    """Return the page, UTF-8: what *request* shares with others, and how it arrived."""
    return shared.head + client_path_section(shared.name, request, path).encode() + shared.tail


def render_shared(
    snapshot: PlatformSnapshot,
    now: Runtime,
    service: Service,
    endpoints: Sequence[Endpoint],
    conformance: "Conformance | None" = None,
    cpus_in_use: float | None = None,
    history: "Sequence[Change]" = (),
) -> CachedPage:
    """Return what all requests share while *snapshot* is fresh; it takes some milliseconds."""
    name = _name(snapshot.identity)
    verdict, expectations = _expectations(conformance)
    head = join(
        [
            Markup("<!doctype html>\n"),
            opening("html", lang="en"),
            _metadata(name),
            opening("body"),
            SIGNS,
            tag("a", "Skip to the report", href="#report", class_="skip"),
            _header(snapshot, name, now, verdict),
            opening("main", id="report"),
            usage_section(snapshot, cpus_in_use, history),
            expectations,
            security_section(snapshot.security, judged=not is_machine(snapshot)),
            _identity(snapshot),
        ]
    )
    tail = join(
        [
            _facts(snapshot),
            _routes(endpoints),
            Markup("</main>"),
            tag(
                "footer",
                tag("p", f"{service.name} {service.version}, {service.framework}"),
                tag(
                    "p",
                    f"Snapshot of {snapshot.taken_at}, read in {snapshot.seconds * 1000:.0f} ms",
                ),
            ),
            tag("script", Markup(SCRIPT)),
            Markup("</body></html>\n"),
        ]
    )
    return CachedPage(name, head.encode(), tail.encode())


def _expectations(conformance: "Conformance | None") -> tuple[Markup, Markup]:
    """Return the verdict for the header and the section; both are empty without expectations."""
    if conformance is None:
        return Markup(), Markup()
    from .expectations import expectations_section, expectations_verdict  # noqa: PLC0415

    return expectations_verdict(conformance), expectations_section(conformance)


def _metadata(name: str) -> Markup:
    return tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", name_="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name_="color-scheme", content="light dark"),
        tag("title", f"{name}: what the platform grants"),
        tag("link", rel="icon", href=ICON),
        tag("style", Markup(STYLE)),
    )


def _name(identity: Identity) -> str:
    return value_of(identity.pod, None) or value_of(identity.hostname, "this container")


def _header(snapshot: PlatformSnapshot, name: str, now: Runtime, expectations: Markup) -> Markup:
    return tag(
        "header",
        tag(
            "div",
            tag("p", "Granted, not requested", class_="kicker"),
            tag("h1", name),
            tag("p", *_summary(snapshot), f" Up for {now.uptime_human}."),
            class_="name",
        ),
        _standing(snapshot, expectations),
        tag(
            "nav",
            tag(
                "ul",
                *(
                    tag("li", tag("a", title, href=f"#{key}"))
                    for key, title in _SECTIONS
                    if expectations or key != "expectations"
                ),
            ),
            aria_label="Sections of the report",
        ),
    )


def _standing(snapshot: PlatformSnapshot, expectations: Markup) -> Markup:
    """Return the verdicts; of a machine none, but why there are none."""
    text_ = remark(snapshot)
    notice = tag("p", f"{text_}.", class_="notice", id="placement") if text_ else Markup()
    verdicts = Markup() if is_machine(snapshot) else security_verdicts(snapshot.security)
    return tag("div", notice, verdicts, expectations, class_="standing")


def _summary(snapshot: PlatformSnapshot) -> Iterable[str]:
    """Return the parts of one sentence: container, pod, namespace, node, engine."""
    identity = snapshot.identity
    if is_machine(snapshot):
        yield "Not in a container: a process of the machine itself."
        return
    under = ""
    if isinstance(identity.engine, Known):
        under = f" under {text(snapshot, 'identity.engine')}"
    if isinstance(identity.pod, Known):
        container = "of unknown name"
        if isinstance(identity.container, Known):
            container = text(snapshot, "identity.container")
        yield f"Container {container} of a pod"
        for name, relation in (("namespace", "in namespace"), ("node", "on node")):
            if isinstance(getattr(identity, name), Known):
                yield f", {relation} {text(snapshot, f'identity.{name}')}"
        yield f",{under}." if under else "."
    elif isinstance(identity.container_id, Known):
        yield f"Container {identity.container_id.value[:_SHORT_ID]}{under}."
    else:
        level = certainty(snapshot.placement)
        container = "Unclear whether a container" if level == "unknown" else "A container"
        yield f"{container}{under}."


def _identity(snapshot: PlatformSnapshot) -> Markup:
    identity = section(snapshot, "identity")
    return tag(
        "section",
        tag("h2", identity.title, id="identity-title"),
        tag("div", facts(identity.rows, identity.title), class_="card"),
        id="identity",
        aria_labelledby="identity-title",
    )


def _facts(snapshot: PlatformSnapshot) -> Markup:
    return tag(
        "section",
        tag("h2", "All facts", id="facts-title"),
        *(collapsible_section(section(snapshot, name)) for name in DETAILS),
        id="facts",
        aria_labelledby="facts-title",
    )


def _routes(endpoints: Sequence[Endpoint]) -> Markup:
    head = tag("tr", tag("th", "Path", scope="col"), tag("th", "Response", scope="col"))
    return tag(
        "section",
        tag("h2", "The same as JSON", id="json-title"),
        tag(
            "p",
            "This page is for browsers. A client that does not prefer HTML gets JSON here, as ",
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
    # A narrow column breaks a path after a slash, not within a name.
    path = tag("code", Markup(escape(endpoint.path).replace("/", "/<wbr/>")))
    # Relative: a proxy may serve this under a path.
    link = tag("a", path, href=endpoint.path[1:]) if endpoint.path != "/" else path
    shown = link if endpoint.method == "GET" else join([f"{endpoint.method} ", path])
    return tag("tr", tag("th", shown, scope="row"), tag("td", endpoint.description))
