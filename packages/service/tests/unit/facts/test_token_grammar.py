"""Tokens of service accounts as API servers have signed them, old and new.

Sources: RFC 7515, section 2 (base64url without padding); Kubernetes, pkg/serviceaccount/claims.go
(bound) and legacy.go (kept in Secrets).
"""

import base64
import json
from collections.abc import Callable, Mapping
from typing import Any, Final

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from devops_info_service.facts.fact import Known
from devops_info_service.facts.kubernetes.claims import (
    DIRECTORY,
    Claims,
    read_service_account,
    without_secrets,
)
from devops_info_service.facts.system_files import SystemFiles

from ..recorded import NOW, FrozenClock

names = st.from_regex(r"[a-z]{1,9}(-[a-z0-9]{1,5}){0,3}", fullmatch=True)
uuids = st.uuids().map(str)
seconds = st.integers(0, 2**40)
issuers = st.sampled_from(
    [
        "https://kubernetes.default.svc.cluster.local",
        "https://oidc.eks.eu-west-1.amazonaws.com/id/AB",
    ]
)
ALGORITHMS: Final = ("RS256", "ES256", "EdDSA")


@st.composite
def bound(draw: st.DrawFn) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """Make the claims of a token that kubelet requests, and what must be read of them."""
    namespace, account, pod = draw(names), draw(names), draw(names)
    uid, start, life = draw(uuids), draw(seconds), draw(st.integers(600, 31_536_000))
    audience = draw(issuers)
    inner: dict[str, Any] = {
        "namespace": namespace,
        "serviceaccount": {"name": account, "uid": draw(uuids)},
        "pod": {"name": pod, "uid": uid},
        "warnafter": start + 3607,
    }
    node = draw(st.none() | names)
    if node is not None:
        inner["node"] = {"name": node, "uid": draw(uuids)}
    claims: dict[str, Any] = {
        "aud": draw(st.sampled_from([audience, [audience]])),
        "exp": start + life,
        "iat": start,
        "nbf": start,
        "iss": draw(issuers),
        "sub": f"system:serviceaccount:{namespace}:{account}",
        "kubernetes.io": inner,
    }
    if draw(st.booleans()):
        claims["jti"] = draw(uuids)
    return claims, {
        "namespace": namespace,
        "service_account": account,
        "pod": pod,
        "pod_uid": uid,
        "node": node or "",
        "subject": claims["sub"],
        "audiences": (audience,),
        "issued_at": start,
        "expires_at": start + life,
        "expires_in_seconds": start + life - NOW,
    }


@st.composite
def legacy(draw: st.DrawFn) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """Make the claims of a token in a Secret: flat, and without an end."""
    namespace, account = draw(names), draw(names)
    prefix = "kubernetes.io/serviceaccount/"
    claims = {
        "iss": "kubernetes/serviceaccount",
        "sub": f"system:serviceaccount:{namespace}:{account}",
        f"{prefix}namespace": namespace,
        f"{prefix}secret.name": f"{account}-token-x7k2p",
        f"{prefix}service-account.name": account,
        f"{prefix}service-account.uid": draw(uuids),
    }
    return claims, {
        "namespace": namespace,
        "service_account": account,
        "pod": "",
        "pod_uid": "",
        "node": "",
        "subject": claims["sub"],
        "audiences": (),
        "issued_at": None,
        "expires_at": None,
        "expires_in_seconds": None,
    }


@st.composite
def tokens(draw: st.DrawFn) -> tuple[str, Mapping[str, Any], str]:
    """Sign claims; keys come in any order, as maps of Go do before they are sorted."""
    claims, expected = draw(bound() | legacy())
    order = draw(st.permutations(sorted(claims)))
    head = {"alg": draw(st.sampled_from(ALGORITHMS)), "kid": draw(st.text(max_size=9))}
    signature = part(draw(st.binary(min_size=32, max_size=64)))
    body = part(json.dumps({key: claims[key] for key in order}, ensure_ascii=False).encode())
    return f"{part(json.dumps(head).encode())}.{body}.{signature}", expected, signature


def part(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(tokens(), st.sampled_from(["", "\n"]))
def test_token(
    tree_of: Callable[..., SystemFiles], made: tuple[str, Mapping[str, Any], str], end: str
) -> None:
    """Every claim is read as it was made."""
    token, expected, _ = made
    found = read_service_account(tree_of({f"{DIRECTORY}/token": token + end}), FrozenClock()).token

    assert isinstance(found, Known)
    assert {name: getattr(found.value, name) for name in expected} == expected
    assert found.value.withheld == ()


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(tokens())
def test_recorded_token(
    tree_of: Callable[..., SystemFiles], made: tuple[str, Mapping[str, Any], str]
) -> None:
    """A recording has the same claims, and no signature that a server would take."""
    token, expected, signature = made
    kept = without_secrets(token)
    found = read_service_account(tree_of({f"{DIRECTORY}/token": kept}), FrozenClock()).token

    assert signature not in kept
    assert isinstance(found, Known)
    claims: Claims = found.value
    assert {name: getattr(claims, name) for name in expected} == expected
