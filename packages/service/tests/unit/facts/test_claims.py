"""The service account: claims come out, the token never does."""

import base64
import hashlib
import json
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from devops_info_service.facts.fact import File, Known, Unknown
from devops_info_service.facts.kubernetes.claims import DIRECTORY, read_service_account
from devops_info_service.facts.system_files import Clock, SystemFiles
from devops_info_service.snapshot import read_platform

NOW = 1_764_000_000


def token(payload: Any) -> str:
    """Make an unsigned token."""
    return ".".join(encoded(part) for part in ({"alg": "RS256"}, payload, "signature" * 20))


def encoded(part: Any) -> str:
    """Encode as JSON Web Tokens do."""
    return base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=")


FULL = {
    "iss": "https://issuer",
    "aud": "one",
    "sub": "system:serviceaccount:shop:web",
    "exp": NOW + 60,
    "kubernetes.io": {
        "namespace": "shop",
        "pod": {"name": "web-1", "uid": "1f0e2f5c-6a3d-4c57-9b1a-0c2f3d4e5f60"},
    },
}


def test_claims(tree_of: Callable[..., SystemFiles], clock: Clock) -> None:
    """The token's claims are reported, with the time until it expires."""
    text = token(FULL)
    fact = read_service_account(tree_of({f"{DIRECTORY}/token": text}), clock).token

    assert isinstance(fact, Known)
    assert fact.value.issuer == "https://issuer"
    assert fact.value.audiences == ("one",)
    assert (fact.value.namespace, fact.value.pod, fact.value.node) == ("shop", "web-1", "")
    assert fact.value.expires_in_seconds == 60
    assert fact.value.fingerprint == hashlib.sha256(text.encode()).hexdigest()


def test_token_that_never_ends(tree_of: Callable[..., SystemFiles], clock: Clock) -> None:
    """A token out of a Secret never expires."""
    tree = tree_of({f"{DIRECTORY}/token": token({"iss": "kubernetes/serviceaccount"})})
    fact = read_service_account(tree, clock).token

    assert isinstance(fact, Known)
    assert fact.value.expires_at is None
    assert fact.value.expires_in_seconds is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "no token, a password",
        "a.b.c",
        "..",
        "a.b",
        token([]),
        token({"exp": "soon"}),
        token({"kubernetes.io": 7}),
        token({"exp": 10**30}),
        "x." + base64.urlsafe_b64encode(b"[" * 9000).decode() + ".y",
        "x." + "é" * 100 + ".y",
        "x" * 20_000,
    ],
)
def test_no_token(tree_of: Callable[..., SystemFiles], clock: Clock, text: str) -> None:
    """An invalid token is unknown, and the reason repeats nothing of it."""
    account = read_service_account(tree_of({f"{DIRECTORY}/token": text}), clock)

    assert account.mounted
    assert isinstance(account.token, Unknown)
    assert account.token.reason.removeprefix(f"{DIRECTORY}/token ") in {
        "is not a JSON Web Token",
        "has claims that cannot be read",
    }


@given(text=st.text(max_size=200) | st.binary(max_size=60).map(repr))
def test_any_token(text: str) -> None:
    """No content of the file breaks the reading."""

    class OneFile(SystemFiles):
        def read(self, path: str) -> File:
            return File(path, text)

    class Still:
        def time(self) -> float:
            return NOW

        def monotonic(self) -> float:
            return 0.0

    assert read_service_account(OneFile("/nowhere", {}), Still()).mounted


def test_certificate(tree_of: Callable[..., SystemFiles], clock: Clock) -> None:
    """A certificate is its fingerprint, as openssl prints it but for the colons."""
    body = base64.encodebytes(b"der").decode()
    pem = f"-----BEGIN CERTIFICATE-----\n{body}-----END CERTIFICATE-----\n"
    account = read_service_account(tree_of({f"{DIRECTORY}/ca.crt": pem}), clock)

    assert isinstance(account.ca, Known)
    assert account.ca.value == hashlib.sha256(b"der").hexdigest()


@pytest.mark.parametrize(
    "pem",
    ["", "-----BEGIN CERTIFICATE-----", "-----BEGIN CERTIFICATE-----x-----END CERTIFICATE-----"],
)
def test_no_certificate(tree_of: Callable[..., SystemFiles], clock: Clock, pem: str) -> None:
    """An invalid certificate is unknown."""
    account = read_service_account(tree_of({f"{DIRECTORY}/ca.crt": pem}), clock)

    assert account.ca == Unknown(f"{DIRECTORY}/ca.crt is not a certificate")


@pytest.mark.parametrize("name", ["containerd-restricted", "crio-pod", "gvisor", "privileged-pod"])
def test_secrets_stay_inside(saved: Callable[[str], SystemFiles], clock: Clock, name: str) -> None:
    """No part of a token, and no variable that is not harmless, is in the report."""
    tree = saved(name)
    report = msgspec.json.encode(read_platform(tree, clock)).decode()
    head, payload, signature = tree.read(f"{DIRECTORY}/token").text.split(".")

    assert head not in report
    assert payload not in report
    assert signature not in report
    assert "an-example-and-no-password" not in report
