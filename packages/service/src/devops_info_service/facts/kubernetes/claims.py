"""The service account's token: its claims and its end, never the token itself.

The claims are read, not verified: the writer of the file can claim anything.

Source: RFC 7519; Kubernetes, "Managing Service Accounts", bound and legacy tokens.
"""

import binascii
from typing import Annotated, Final

import msgspec

from devops_info_service.facts.fact import WITHHELD, Evidence, Fact, Known, Unknown
from devops_info_service.facts.forms import (
    AUDIENCE,
    ISSUER,
    LABEL,
    MAX_LIST,
    NAME,
    SUBJECT,
    UUID,
    Form,
)
from devops_info_service.facts.system_files import Clock, SystemFiles

DIRECTORY: Final = "/var/run/secrets/kubernetes.io/serviceaccount"
MAX_TOKEN: Final = 16 * 1024
"""Characters: a bound token has about 1200."""


Seconds = Annotated[int, msgspec.Meta(ge=0, le=2**53)]
"""Since 1970; no further than JSON numbers are exact."""


class _Named(msgspec.Struct, frozen=True):
    name: str = ""
    uid: str = ""


class _Kubernetes(msgspec.Struct, frozen=True):
    namespace: str = ""
    pod: _Named = _Named()
    node: _Named = _Named()
    serviceaccount: _Named = _Named()


_FLAT: Final = "kubernetes.io/serviceaccount/"
"""Before the names of claims in tokens that are kept in Secrets (pkg/serviceaccount/legacy.go)."""


class _Payload(
    msgspec.Struct,
    frozen=True,
    rename={
        "kubernetes": "kubernetes.io",
        "flat_namespace": f"{_FLAT}namespace",
        "flat_account": f"{_FLAT}service-account.name",
    },
):
    iss: str = ""
    sub: str = ""
    aud: str | tuple[str, ...] = ()
    exp: Seconds | None = None
    iat: Seconds | None = None
    kubernetes: _Kubernetes = _Kubernetes()
    flat_namespace: str = ""
    flat_account: str = ""


FORMS: Final[dict[str, Form]] = {
    "issuer": ISSUER,
    "subject": SUBJECT,
    "namespace": LABEL,
    "service_account": NAME,
    "pod": NAME,
    "pod_uid": UUID,
    "node": NAME,
}
"""Claim -> its form; a value of another form is withheld."""


class Claims(msgspec.Struct, frozen=True):
    """The claims of the token; an empty text is a claim that is absent or withheld."""

    issuer: str
    audiences: tuple[str, ...]
    subject: str
    namespace: str
    service_account: str
    pod: str
    pod_uid: str
    node: str
    """Claimed from Kubernetes 1.30 on."""
    issued_at: int | None
    """Seconds since 1970."""
    expires_at: int | None
    """Seconds since 1970; ``None``: never, as tokens kept in Secrets."""
    expires_in_seconds: int | None
    """Negative once it has expired; kubelet renews at 80 % of the life."""
    fingerprint: str
    """Of the whole token: two reports of one token have the same."""
    withheld: tuple[str, ...] = ()
    """Claims that are made and not shown: they lack the form of such a claim."""


class ServiceAccount(msgspec.Struct, frozen=True):
    """The means of this process to talk to the cluster."""

    token: Fact[Claims]
    ca: Fact[str]
    """Fingerprint (SHA-256) of the cluster's certificate."""
    namespace: Fact[str]
    mounted: bool


def read_service_account(tree: SystemFiles, clock: Clock) -> ServiceAccount:
    """Read it where kubelet mounts it."""
    file = tree.read(f"{DIRECTORY}/token")
    now = int(clock.time())
    return ServiceAccount(
        token=file.content
        if isinstance(file.content, Unknown)
        else _claims(file.path, file.content.strip(" \t\r\n"), now),
        ca=_certificate(tree),
        namespace=tree.read(f"{DIRECTORY}/namespace").parse(LABEL.parse),
        mounted=not isinstance(file.content, Unknown),
    )


def _claims(path: str, token: str, now: int) -> Fact[Claims]:
    # No reason below repeats the content: it may be half a secret.
    parts = token.split(".")
    if len(parts) != 3 or len(token) > MAX_TOKEN:  # noqa: PLR2004 (head, claims, signature)
        return Unknown(f"{path} is not a JSON Web Token")
    try:
        payload = msgspec.json.decode(_base64url(parts[1]), type=_Payload)
    except (ValueError, RecursionError):
        return Unknown(f"{path} has claims that cannot be read")
    made = {
        "issuer": payload.iss,
        "subject": payload.sub,
        "namespace": payload.kubernetes.namespace or payload.flat_namespace,
        "service_account": payload.kubernetes.serviceaccount.name or payload.flat_account,
        "pod": payload.kubernetes.pod.name,
        "pod_uid": payload.kubernetes.pod.uid,
        "node": payload.kubernetes.node.name,
    }
    withheld = [name for name, value in made.items() if value and not FORMS[name].holds(value)]
    made |= dict.fromkeys(withheld, "")
    audiences = (payload.aud,) if isinstance(payload.aud, str) else payload.aud
    if len(audiences) > MAX_LIST or not all(map(AUDIENCE.holds, audiences)):
        audiences = ()
        withheld.append("audiences")
    claims = Claims(
        audiences=audiences,
        **made,
        issued_at=payload.iat,
        expires_at=payload.exp,
        expires_in_seconds=None if payload.exp is None else payload.exp - now,
        fingerprint=_fingerprint(token.encode()),
        withheld=tuple(withheld),
    )
    return Known(claims, (Evidence(path, "claims", claims.fingerprint),))


def without_secrets(token: str) -> str:
    """Return a token with those claims alone that are shown, and without a signature."""
    parts = token.strip(" \t\r\n").split(".")
    if len(parts) != 3:  # noqa: PLR2004
        return WITHHELD
    try:
        payload = msgspec.json.decode(_base64url(parts[1]), type=_Payload)
    except (ValueError, RecursionError):
        return ".."

    def gate(claim: str, text: str) -> str:
        return text if not text or FORMS[claim].holds(text) else f"({claim} {WITHHELD})"

    inner = payload.kubernetes
    aud = (payload.aud,) if isinstance(payload.aud, str) else payload.aud
    kept = _Payload(
        iss=gate("issuer", payload.iss),
        sub=gate("subject", payload.sub),
        aud=aud if all(map(AUDIENCE.holds, aud)) else f"({WITHHELD})",
        exp=payload.exp,
        iat=payload.iat,
        kubernetes=_Kubernetes(
            namespace=gate("namespace", inner.namespace),
            pod=_Named(gate("pod", inner.pod.name), gate("pod_uid", inner.pod.uid)),
            node=_Named(gate("node", inner.node.name)),
            serviceaccount=_Named(gate("service_account", inner.serviceaccount.name)),
        ),
        flat_namespace=gate("namespace", payload.flat_namespace),
        flat_account=gate("service_account", payload.flat_account),
    )
    body = binascii.b2a_base64(msgspec.json.encode(kept), newline=False).decode().rstrip("=")
    return f"e30.{body.replace('+', '-').replace('/', '_')}."


def _base64url(text: str) -> bytes:
    padded = text.replace("-", "+").replace("_", "/") + "=" * (-len(text) % 4)
    return binascii.a2b_base64(padded.encode())


def _certificate(tree: SystemFiles) -> Fact[str]:
    file = tree.read(f"{DIRECTORY}/ca.crt")
    if isinstance(file.content, Unknown):
        return file.content
    _, begin, rest = file.content.partition("-----BEGIN CERTIFICATE-----")
    body, end, _ = rest.partition("-----END CERTIFICATE-----")
    if not begin or not end:
        return Unknown(f"{file.path} is not a certificate")
    try:
        der = binascii.a2b_base64(body.encode())
    except binascii.Error:
        return Unknown(f"{file.path} is not a certificate")
    digest = _fingerprint(der)
    return Known(digest, (file.evidence("SHA-256", digest),))


def _fingerprint(secret: bytes) -> str:
    """Return the SHA-256 of a secret too long to be guessed: a token, a key, a certificate."""
    import hashlib  # noqa: PLC0415 (a fifth of a start, and most containers have no token)

    return hashlib.sha256(secret).hexdigest()
