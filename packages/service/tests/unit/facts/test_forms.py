"""The forms of values that may be shown: matches, mismatches, secrets."""

import base64
import secrets

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devops_info_service.facts import forms
from devops_info_service.facts.fact import Known, Unknown
from devops_info_service.facts.forms import Form, is_key_like
from devops_info_service.facts.linux.variables import VARIABLES

pytestmark = [
    pytest.mark.claim("what is shown of the environment and of files"),
    pytest.mark.claim("secrets stay"),
]

UUID = "1f0e2f5c-6a3d-4c57-9b1a-0c2f3d4e5f60"

TAKEN: dict[Form, tuple[str, ...]] = {
    forms.LABEL: ("a", "web-1", "7c9f6d5b8", "a" * 63),
    forms.NAME: (
        "web-7c9f6d5b8-x2v4q",
        "ip-10-0-0-1.eu-central-1.compute.internal",
        "aks-nodepool1-12345678-vmss000000",
        "gke-cluster-1-default-pool-1a2b3c4d-x9yz",
        UUID,
        "10.0.0.1",
    ),
    forms.DOMAIN: ("svc.cluster.local", "_dmarc.example.com", "corp"),
    forms.UUID: (UUID,),
    forms.UID: (UUID, "3f786850e387550fdab836ed7e6dc881"),
    forms.ADDRESS: ("10.0.0.1", "::1", "::ffff:192.0.2.7"),
    forms.SERVER: ("10.0.0.1", "fe80::1%eth0"),
    forms.QUANTITY: ("0", "128Mi", "500m", "1.5", "2Gi", "1k", "100n", "0.05"),
    forms.LABEL_KEY: ("app", "app.kubernetes.io/name", "pod-template-hash", "a_b.C"),
    forms.LABEL_VALUE: ("", "v1.2.3", "da39a3ee5e6b4b0d3255bfef95601890afd80709"),
    forms.VARIABLE: ("PATH", "_", "a.b-c", "npm_config_cache"),
    forms.ISSUER: (
        "https://kubernetes.default.svc.cluster.local",
        "https://oidc.eks.eu-central-1.amazonaws.com/id/EXAMPLED539D4633E53DE1B716D3041E",
        "https://10.0.0.1:6443/",
        "kubernetes/serviceaccount",
    ),
    forms.AUDIENCE: (
        "api",
        "https://kubernetes.default.svc",
        "sts.amazonaws.com",
        "project.svc.id.goog",
        "//iam.googleapis.com/projects/1/locations/global",
        "spiffe://example.org",
    ),
    forms.SUBJECT: ("system:serviceaccount:shop:web",),
    forms.CPU_COUNT: ("1", "8192"),
    forms.OPTION: ("ndots:5", "edns0", "single-request-reopen", "trust-ad"),
}

WITHHELD: dict[Form, tuple[str, ...]] = {
    forms.LABEL: ("", "-a", "a-", "A", "a.b", "a" * 64, "ä", "a\n", "٣", "a" * 24 + "1"),
    forms.NAME: ("a..b", ".a", "a.", "user:pass@host", "a b", "a" * 64, ".".join(["a" * 60] * 5)),
    forms.DOMAIN: ("", "a..b", "user:pass@host", "a b"),
    forms.UUID: (
        UUID.upper(),
        UUID[:-1],
        UUID.replace("-", ""),
        "3f786850e387550fdab836ed7e6dc881",
    ),
    forms.UID: ("u", "3f786850e387550fdab836ed7e6dc88", "G" * 32),
    forms.ADDRESS: ("31337", "10.0.0.1:80", "fe80::1%eth0", "1", "10.0.0.1\0", "u:p@10.0.0.1"),
    forms.SERVER: ("fe80::1%", "fe80::1%a b", "hunter2%eth0"),
    forms.QUANTITY: ("", "Mi", "1 Mi", "-1", "1.2.3", "1MiB", "hunter2", "01", "1e3"),
    forms.LABEL_KEY: ("", "a/b/c", "/a", "a/", "A/b", "user:pass@h", "a" * 64),
    forms.LABEL_VALUE: ("-a", "a b", "a@b", "a" * 64, "a\n"),
    forms.VARIABLE: ("", "1a", "a b", "a=b", "ä", "MIIEvgIBADANBgkqhkiG9w0BAQEF"),
    forms.ISSUER: (
        "",
        "https://",
        "https://u:p@host",
        "ftp://host",
        "https://h/?token=x",
        "hunter2",
    ),
    forms.AUDIENCE: ("", "u:p@h", "a b", "https://h/?t=x", "//"),
    forms.SUBJECT: ("", "hunter2", "system:serviceaccount:shop", "system:serviceaccount:A:b"),
    forms.CPU_COUNT: ("0", "8193", "-1", "+1", "1_0", "٣", "31337"),
    forms.OPTION: ("", "ndots:x", "password=x", "ndots:-1", "ndots:12345", "A"),
}


@pytest.mark.parametrize(
    ("form", "text"), [(form, text) for form, texts in TAKEN.items() for text in texts]
)
def test_taken(form: Form, text: str) -> None:
    """A value of the form is a fact."""
    fact = form.fact(text, "environment", "X")

    assert isinstance(fact, Known)
    assert fact.value == text == fact.evidence[0].value


@pytest.mark.parametrize(
    ("form", "text"), [(form, text) for form, texts in WITHHELD.items() for text in texts]
)
def test_withheld(form: Form, text: str) -> None:
    """Any other value is withheld: the reason names the form, and nothing of the value."""
    assert form.fact(text, "environment", "X") == Unknown(
        f"X in environment is withheld: not {form.name}"
    )


ANY_FORM = {form.name: form for form in (*TAKEN, *VARIABLES.values())}
SECRETS = (
    "-----BEGIN PRIVATE KEY-----\nMIIEvgIBADANBgkqhkiG9w0BAQEFAASC\n-----END PRIVATE KEY-----",
    "user:pass@host",
    "postgres://user:pass@10.0.0.7:5432/db",
    "https://user:pass@example.com/",
    "AKIAIOSFODNN7EXAMPLE/wJalrXUtnFEMI",
    "ghp_16C7e42F292c6912E7710c838347Ae178B4a",
    "xoxb-17653672481-19874698323-pdFZKVeTuE8sk7oOHcBrzzqy",
    '{"type": "service_account", "private_key": "x"}',
    "hunter2\nhunter3",
    "hunter2\x1b[2J",
    "p@ssw0rd!",
    "",
)


@pytest.mark.sample(every=7)
@pytest.mark.parametrize("what", ANY_FORM)
@pytest.mark.parametrize("secret", SECRETS)
def test_no_form_takes_a_secret(what: str, secret: str) -> None:
    """Keys, tokens, and addresses with a password in them have no form that is shown."""
    if what != forms.LABEL_VALUE.name:  # those are public, and of proven volumes only
        assert not ANY_FORM[what].holds(secret)


KEYS = st.one_of(
    st.binary(min_size=16, max_size=64).map(bytes.hex),
    st.binary(min_size=24, max_size=64).map(lambda data: base64.b64encode(data).decode()),
    st.binary(min_size=24, max_size=64).map(lambda data: base64.b32encode(data).decode().lower()),
)
NAMES = [form for form in ANY_FORM.values() if form not in {forms.LABEL_VALUE, forms.UID}]


@given(key=KEYS.filter(is_key_like), form=st.sampled_from(NAMES))
def test_keys(key: str, form: Form) -> None:
    """A key of 128 bits or more is never a name, in any spelling."""
    assert not form.holds(key)


def test_random_keys() -> None:
    """None of a thousand keys, as people make them, passes any form of a name."""
    for _ in range(1000):
        key = secrets.token_hex(16)
        assert is_key_like(key)
        assert not any(form.holds(key) for form in NAMES)


@given(text=st.text(), form=st.sampled_from(list(ANY_FORM.values())))
def test_any_text(text: str, form: Form) -> None:
    """No text breaks a form, and none with a character that is not printable has one."""
    if form.holds(text):
        assert text.isascii()
        assert text.isprintable()
