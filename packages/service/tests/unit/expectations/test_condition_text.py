"""The text of expectations: valid values, and messages with the remedy."""

import contextlib
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from devops_info_service.errors import ConfigError
from devops_info_service.expectations.condition import MAX_LISTED, expectation
from devops_info_service.expectations.conformance import load_expectations
from devops_info_service.expectations.entry import Entry
from devops_info_service.expectations.extract import EXTRACTORS
from devops_info_service.suggestion import nearest

REFERENCE = Path(__file__).parents[5] / "docs" / "reference" / "expectations.md"


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("", 1, "nothing is expected"),
        (
            "x.yaml",
            1,
            "not a mapping of names to values, such as memory.limit: 256Mi; a path",
        ),
        ("memory.limt: 1", 1, "'memory.limt' is not a known name; the nearest is memory.limit"),
        (
            "dns.ndots: 2\nsecurity.runasnonroot: pass",
            2,
            "'security.runasnonroot' is not a known name; the nearest is security.runAsNonRoot",
        ),
        ("memory:\n  limit: 5Mb", 2, "memory.limit: '5Mb' has no suffix"),
        ("memory: 5Mi", 1, "'memory' is not a known name; the nearest is memory."),
        ("security.hostPorts: pass", 1, "'security.hostPorts' is not a known name"),
        (
            "memory.limit: 256m",
            1,
            "memory.limit: '256m' is a fraction of a byte; m is a thousandth",
        ),
        ("dns.ndots: 1.5", 1, "dns.ndots: '1.5' is a fraction of a whole one"),
        (
            "dns.ndots: =< 2",
            1,
            "dns.ndots: =< is not an operator here; expected one of <= >=",
        ),
        ("dns.ndots: = 2", 1, "dns.ndots: = is not an operator here"),
        ("dns.ndots: ~ 2", 1, "dns.ndots: ~ is not an operator here"),
        ('dns.ndots: "<="', 1, "dns.ndots: '' is not a quantity"),
        ("dns.ndots: <= 2,", 1, "dns.ndots: '' is not a quantity"),
        ("dns.ndots: <= none", 1, "dns.ndots: <= compares with a quantity"),
        ("dns.ndots: []", 1, "dns.ndots has an empty list"),
        ("dns.ndots: two", 1, "dns.ndots: 'two' is not a quantity"),
        (
            "qos.class: guaranteed",
            1,
            "qos.class is one of Guaranteed, Burstable, BestEffort, not 'guaranteed'",
        ),
        (
            "qos.class: <= Burstable",
            1,
            "qos.class: <= is not an operator here; expected one of ==",
        ),
        ("identity.pod: ''", 1, "identity.pod is compared with nothing"),
        (
            "security.profile: privileged",
            1,
            "security.profile is one of baseline, restricted, not 'privileged'",
        ),
        (
            "security.profile: [baseline]",
            1,
            "security.profile is one of baseline, restricted, not a list",
        ),
        ("security.profile: == baseline", 1, "security.profile is one of"),
        ("security.runAsUser: true", 1, "security.runAsUser is one of pass, fail, not 'true'"),
        ("security.read_only_root: 1", 1, "security.read_only_root is true or false, not '1'"),
        (
            "security.capabilities: ''",
            1,
            "security.capabilities is compared with nothing; none is the empty set",
        ),
        ('security.capabilities: "<="', 1, "security.capabilities is compared"),
        (
            "security.capabilities: < CHOWN",
            1,
            "security.capabilities: < is not an operator here; expected one of <= >= == !=",
        ),
        ('security.capabilities: ["<= CHOWN"]', 1, "security.capabilities knows no '<= CHOWN'"),
        (
            "security.capabilities: NET_BIND",
            1,
            "security.capabilities knows no 'NET_BIND'; the nearest is NET_BIND_SERVICE",
        ),
        ("security.capabilities: none CHOWN", 1, "security.capabilities knows no 'none'"),
        ('"\\u001b[31m\\n": 1', 1, "the name there is not a known name"),
    ],
)
def test_rejected(text: str, line: int, message: str) -> None:
    """A message has the setting, the line, the fault and the remedy."""
    with pytest.raises(ConfigError) as caught:
        load_expectations(text)

    assert str(caught.value).startswith(f"EXPECTATIONS, line {line}: {message}")
    assert "\n" not in str(caught.value)
    assert caught.value.exit_status == 2


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("/no/such/file", "/no/such/file is not there"),
        ("/dev/null", "/dev/null is not a regular file"),
        ("/", "/ is not a regular file"),
        ("./no\x00", "./no\x00 is refused by the kernel"),
    ],
)
def test_no_file(path: str, message: str) -> None:
    """A path without a readable file is an error."""
    with pytest.raises(ConfigError) as caught:
        load_expectations(path)

    assert str(caught.value) == f"EXPECTATIONS: {message}"


@pytest.mark.parametrize("suffix", ["yaml", "json"])
def test_file(tmp_path: Path, suffix: str) -> None:
    """A path is read as YAML or JSON; errors name the file."""
    file = tmp_path / f"expected.{suffix}"
    file.write_text('{"memory": {"limit": "256Mi"}}' if suffix == "json" else "memory.limit: 256Mi")
    (only,) = load_expectations(str(file))
    assert only.text == "256Mi"

    file.write_text('{\n"memory": {\n"limit": "-1"}}')
    with pytest.raises(ConfigError) as caught:
        load_expectations(str(file))
    assert str(caught.value) == (f"EXPECTATIONS: {file}, line 3: memory.limit: '-1' is below zero")

    file.write_text("#" * 65_537)
    with pytest.raises(ConfigError, match="line 1: more than 65536 bytes"):
        load_expectations(str(file))


def test_relative_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A value that begins with ./ is a path from the working directory."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "expected").write_text("dns.ndots: 1")

    (only,) = load_expectations("./expected")
    assert only.of is EXTRACTORS["dns.ndots"]


@given(st.sampled_from(list(EXTRACTORS)), st.text(max_size=30), st.booleans())
def test_any_value(name: str, value: str, is_list: bool) -> None:  # noqa: FBT001  a drawn value
    """Any value of any name is an expectation or one line why not."""
    with contextlib.suppress(ValueError):
        assert expectation(Entry(name, 1, (value,), is_list)).of.expect.name == name


@given(st.text(max_size=100))
def test_any_text(text: str) -> None:
    """Any text is a contract or a ConfigError."""
    with contextlib.suppress(ConfigError):
        assert load_expectations(text if text[:1] not in {"/", "."} else "")


@pytest.mark.parametrize(
    ("word", "near"),
    [
        ("memory.l", "memory.limit"),
        ("cpu.limits", "cpu.limit"),
        ("ndots", "dns.ndots"),
        ("", "cpu.limit"),
    ],
)
def test_nearest(word: str, near: str) -> None:
    """A slip of the finger leads to the name that was meant."""
    assert nearest(word, EXTRACTORS) == near


def test_reference_lists_every_name() -> None:
    """The reference has a row for each name and no other, in the order of the table."""
    rows = []
    for each in EXTRACTORS.values():
        name = each.expect
        listed = ", ".join(f"`{word}`" for word in name.allowed)
        words = f" ({listed})" if 0 < len(name.allowed) < MAX_LISTED else ""
        rows.append(f"| `{name.name}` | {name.kind} | {name.meaning}{words} | `{each.path}` |")
    _, _, table = REFERENCE.read_text().partition("\n| name | kind |")

    assert rows == table.partition("\n\n")[0].splitlines()[2:]


def test_examples_of_the_reference() -> None:
    """The expectations in the reference are valid; its manifests are YAML."""
    blocks = [block.partition("\n```")[0] for block in REFERENCE.read_text().split("```yaml\n")[1:]]
    example, init, job = blocks
    embedded = yaml.safe_load(job)["spec"]["template"]["spec"]["containers"][0]["env"][0]["value"]

    assert len(load_expectations(example)) == 5
    assert len(load_expectations(embedded)) == 2
    assert yaml.safe_load(init)["initContainers"]


@pytest.mark.parametrize(
    "text",
    [
        "SECRET",
        "SECRET\n",
        "-----BEGIN PRIVATE KEY-----\nSECRET\n-----END PRIVATE KEY-----",
        "SECRET: x",
        '"SECRET": x\n"SECRET": x',
        "SECRET:\n  SECRET: x",
        "- SECRET",
        "{SECRET}",
        "user:SECRET@host",
    ],
)
@pytest.mark.parametrize(
    "secret",
    [
        "eyJhbGciOiJSUzI1NiIsImtpZCI6IkFCQyJ9.eyJpc3MiOiJ.sig",
        "MIIEvgIBADANBgkqhkiG9w0BAQEFAASC/+AB==",
        "p@ssw0rd!",
        "3f786850e387550fdab836ed7e6dc881",
    ],
)
def test_wrong_file(tmp_path: Path, text: str, secret: str) -> None:
    """Of a file that was never meant, such as a token, the message repeats nothing."""
    file = tmp_path / "token"
    file.write_text(text.replace("SECRET", secret))
    with pytest.raises(ConfigError) as caught:
        load_expectations(str(file))

    assert secret not in str(caught.value)
    assert secret[:16] not in str(caught.value)
