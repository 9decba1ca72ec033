"""No secret in variables or files reaches any output."""

import base64
import json
import os
import secrets
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest

from devops_info_service.app.middleware import recover_and_log
from devops_info_service.app.routes import PATHS, build
from devops_info_service.app.services import Services
from devops_info_service.config import load
from devops_info_service.expectations.conformance import evaluate, load_expectations
from devops_info_service.expectations.extract import EXTRACTORS
from devops_info_service.facts.fact import File, Known, Unknown
from devops_info_service.facts.kubernetes.downward import FILES, QUANTITIES
from devops_info_service.facts.linux.variables import VARIABLES
from devops_info_service.facts.system_files import FileStat, Machine, SystemFiles
from devops_info_service.http.wire.message import Client, Request
from devops_info_service.logs import Log
from devops_info_service.report.json_report import report_json
from devops_info_service.report.text import report
from devops_info_service.snapshot import read_platform

from .recorded import DATA, FrozenClock, RecordedFiles

pytestmark = [
    pytest.mark.claim("what is shown of the environment and of files"),
    pytest.mark.claim("secrets stay"),
]

POD = "web-7c9f6d5b8-x2v4q"
UID = "1f0e2f5c-6a3d-4c57-9b1a-0c2f3d4e5f60"
ACCOUNT = "/var/run/secrets/kubernetes.io/serviceaccount"
VOLUME = "/etc/volume"
DATED = "..2025_11_24_15_00_00.123456789"

JWT_HEAD = "eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCJ9"

# Each makes another one each time, so that nothing else can be it.
KINDS: dict[str, Callable[[], str]] = {
    "PEM": lambda: (
        f"-----BEGIN PRIVATE KEY-----\n{base64.b64encode(secrets.token_bytes(48)).decode()}\n"
        "-----END PRIVATE KEY-----\n"
    ),
    "JWT": lambda: ".".join((JWT_HEAD, secrets.token_urlsafe(30), secrets.token_urlsafe(60))),
    "URL": lambda: f"postgres://admin:{secrets.token_hex(8)}@10.0.0.7:5432/db",
    "credentials": lambda: f"user:{secrets.token_hex(6)}@host",
    "AWS": lambda: f"AKIA{secrets.token_hex(8).upper()}",
    "base64": lambda: base64.b64encode(secrets.token_bytes(33)).decode(),
    "hex": lambda: secrets.token_hex(16),
    "random": lambda: f"x9{secrets.token_urlsafe(24)}",
    "text": lambda: f"it is {secrets.token_hex(8)}\x1b[2J",
    "capitals": lambda: f"Secret_{secrets.token_hex(8)}",
    "JSON": lambda: json.dumps({"private_key": secrets.token_hex(12)}),
    "line": lambda: f'key="{secrets.token_hex(16)}"',
}


def short() -> str:
    """Make a password that has the form of a name."""
    return f"hunter2-{secrets.token_hex(4)}"


NUMBERED = (
    *("DB_PORT_PASSWORD", "DB_PORT_PIN", "DB_SERVICE_PORT_PASSWORD", "DB_SERVICE_PORT", "DB_PORT"),
    *("DB_PORT_5432_TCP", "DB_PORT_5432_TCP_PORT", "DB_PORT_5432_TCP_ADDR", "DB_SERVICE_HOST"),
    *("DATABASE_PASSWORD", "API_KEY", "EXTRA_SERVICE_HOST", "EXTRA_PORT", "X_PORT_1_UDP_PROTO"),
)
READ = (
    *("/etc/hosts", "/etc/resolv.conf", "/etc/hostname", "/run/.containerenv", "/.dockerenv"),
    *(f"{ACCOUNT}/{name}" for name in ("token", "namespace", "ca.crt")),
)
VOLUMES = ("labels", "annotations", "password", *FILES, *QUANTITIES)


class Lying(RecordedFiles):
    """A pod with other variables, other files, and a volume in memory, written by kubelet."""

    def __init__(
        self, environ: dict[str, str], files: dict[str, str], volume: dict[str, str]
    ) -> None:
        super().__init__(DATA / "containerd-restricted")
        self._environ = {**super().environ(), **environ}
        self._variables = None  # a recent response is cached
        self._volume = volume
        self.files = files | {f"{VOLUME}/{name}": text for name, text in volume.items()}
        mounts = super().read("/proc/self/mountinfo").text
        line = f"999 899 0:199 / {VOLUME} ro,relatime - tmpfs tmpfs rw,size=262144k\n"
        self.files["/proc/self/mountinfo"] = mounts + line

    def read(self, path: str) -> File:
        return File(path, self.files[path]) if path in self.files else super().read(path)

    def names(self, path: str) -> tuple[str, ...] | Unknown:
        if path == VOLUME:
            return tuple(sorted(("..data", DATED, *self._volume)))
        return super().names(path)

    def nodes(self, path: str) -> dict[str, FileStat] | Unknown:
        return Unknown("nothing here is about modes")

    def link(self, path: str) -> str | Unknown:
        directory, _, name = path.rpartition("/")
        if directory == VOLUME:
            return DATED if name == "..data" else f"..data/{name}"
        return super().link(path)


def everything(tree: SystemFiles, capture: Callable[[], str]) -> Iterator[tuple[str, str]]:
    """Yield each output and its text."""
    words = {"float": "1", "boolean": "true", "profile": "baseline", "set": "none", "string": "x"}
    contract = "\n".join(
        f"{each.expect.name}: {(each.expect.allowed or (words.get(each.expect.kind, '1'),))[0]}"
        for each in EXTRACTORS.values()
    )
    clock = FrozenClock()
    snapshot = read_platform(tree, clock)
    conformance = evaluate(load_expectations(contract), snapshot)
    yield "report", report(snapshot, "restricted", conformance)
    yield "report --json", report_json(snapshot, conformance).decode()
    config = load((), {"EXPECTATIONS": contract})
    log = Log(lambda line: os.write(1, line))
    dispatch = recover_and_log(
        build(Services(Machine(), "test", config, files=tree)), log, access_log=True
    )
    ways = [(path, b"*/*") for path in PATHS if path != "/openapi.json"]  # made of the code alone
    for path, accept in (*ways, ("/", b"text/html")):
        fields = {b"host": b"x", b"accept": accept}
        response = dispatch(
            Request("GET", path, b"", fields, Client("192.0.2.1", 1), "1.1", keep_alive=True)
        )
        assert response.status in {200, 405, 409, 404}, response
        yield f"{path} as {accept.decode()}", response.body.decode()
    yield "log", capture()


def assert_silent(
    secret: str, tree: SystemFiles, capfd: pytest.CaptureFixture[str], where: str
) -> None:
    """Fail if *secret*, or a good part of it, is in any output."""
    parts = [part for part in secret.replace("\x1b", "\n").splitlines() if "-----" not in part]
    for way, text in everything(tree, lambda: "".join(capfd.readouterr())):
        for part in parts:
            spelled = (part, json.dumps(part)[1:-1], part[:24], part[-16:])
            assert not any(each in text for each in spelled), (where, way)


@pytest.mark.sample(every=19)
@pytest.mark.parametrize(
    ("name", "kind"),
    [
        *((name, kind) for name in NUMBERED for kind in KINDS),
        *((name, kind) for name in VARIABLES for kind in ("PEM", "credentials", "hex")),
    ],
)
def test_variable(kind: str, name: str, capfd: pytest.CaptureFixture[str]) -> None:
    """A secret in any variable that is read stays there."""
    secret = KINDS[kind]()

    assert_silent(secret, Lying({name: secret}, {}, {}), capfd, name)


@pytest.mark.parametrize("kind", KINDS)
def test_all_variables(kind: str, capfd: pytest.CaptureFixture[str]) -> None:
    """So it does in all of them at once, where nothing true is left to fit."""
    secret = KINDS[kind]()

    assert_silent(secret, Lying(dict.fromkeys((*VARIABLES, *NUMBERED), secret), {}, {}), capfd, "")


# The others are as long, and spelled, as names of variables are.
@pytest.mark.parametrize("kind", sorted(set(KINDS) - {"capitals", "AWS", "random"}))
def test_name(kind: str, capfd: pytest.CaptureFixture[str]) -> None:
    """A secret that became a variable's name, as a line of an env file does, stays there too."""
    secret = KINDS[kind]()

    assert_silent(secret, Lying({secret.replace("=", ""): ""}, {}, {}), capfd, kind)


@pytest.mark.sample(every=11)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("path", READ)
def test_file(kind: str, path: str, capfd: pytest.CaptureFixture[str]) -> None:
    """A secret in any file that is read stays there."""
    secret = KINDS[kind]()
    for text in (secret, f"search {secret}\nnameserver {secret}\noptions {secret}\n# {secret}"):
        assert_silent(secret, Lying({}, {path: text}, {}), capfd, path)


@pytest.mark.sample(every=13)
@pytest.mark.parametrize("kind", [*KINDS, "short"])
def test_secret_volume(kind: str, capfd: pytest.CaptureFixture[str]) -> None:
    """A mounted Secret is not a volume of the downward API, whatever its keys are."""
    secret = (KINDS | {"short": short})[kind]()
    for name in VOLUMES:
        assert_silent(secret, Lying({}, {}, {name: secret}), capfd, name)
        line = f'password="{secret}"'
        assert_silent(secret, Lying({}, {}, {name: line, "namespace": "shop"}), capfd, name)
    assert_silent(secret, Lying({}, {}, dict.fromkeys(VOLUMES, secret)), capfd, "all")


@pytest.mark.sample(every=13)
@pytest.mark.parametrize(
    "claim",
    [
        *({key: "SECRET"} for key in ("iss", "sub", "aud")),
        {"aud": ["SECRET", "api"]},
        {"kubernetes.io": {"namespace": "SECRET"}},
        *({"kubernetes.io": {key: {"name": "SECRET"}}} for key in ("pod", "node")),
        {"kubernetes.io": {"pod": {"uid": "SECRET"}}},
        {"kubernetes.io": {"serviceaccount": {"name": "SECRET"}}},
        {"password": "SECRET"},
    ],
)
@pytest.mark.parametrize("kind", KINDS)
def test_claim(kind: str, claim: dict[str, object], capfd: pytest.CaptureFixture[str]) -> None:
    """A secret that a token claims stays in it."""
    secret = KINDS[kind]()
    payload = json.dumps(claim).replace('"SECRET"', json.dumps(secret)).encode()
    token = f"e30.{base64.urlsafe_b64encode(payload).decode().rstrip('=')}.{'s' * 20}"

    assert_silent(secret, Lying({}, {f"{ACCOUNT}/token": token}, {}), capfd, str(claim))


LABELS = 'app="web"\npod-template-hash="7c9f6d5b8"'
ANNOTATIONS = 'kubernetes.io/config.seen="x"\nkubernetes.io/config.source="api"'


@pytest.mark.parametrize(
    ("volume", "node"),
    [
        ({"labels": LABELS, "node": "node-7"}, True),
        ({"annotations": ANNOTATIONS, "node": "node-7"}, True),
        ({"uid": UID, "node": "node-7"}, True),
        ({"name": POD, "node": "node-7", "cpu_limit": "2"}, True),
        # No sign, or not all of it has its form.
        ({"node": "node-7"}, False),
        ({"namespace": "shop", "node": "node-7"}, False),
        ({"labels": 'app="web"', "node": "node-7"}, False),
        ({"labels": 'z="1"\npod-template-hash="7c9f6d5b8"', "node": "node-7"}, False),
        ({"name": "web-7c9f6d5b8-other", "node": "node-7"}, False),
        ({"uid": UID.replace("1", "2"), "node": "node-7"}, False),
        ({"uid": UID, "node": "node-7", "password": "x"}, False),
        ({"uid": UID, "node": "user:pass@node"}, False),
        ({"uid": UID, "node": "node-7", "cpu_limit": "hunter2"}, False),
    ],
)
def test_sign(volume: dict[str, str], node: bool) -> None:  # noqa: FBT001
    """A volume is the downward API's by a positive sign, and if all of it has its form."""
    snapshot = read_platform(Lying({}, {f"{ACCOUNT}/token": "no token"}, volume), FrozenClock())
    fact = snapshot.identity.node

    assert (fact.value if isinstance(fact, Known) else None) == ("node-7" if node else None)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (LABELS, True),
        ('controller-revision-hash="5d8f"\npod-template-generation="1"', True),
        (f'statefulset.kubernetes.io/pod-name="{POD}"', True),
        ('job-name="web-7c9f6d5b8"', True),
        ('app="web"', False),
        ('pod-template-hash="other"', False),
        ('app="web"\npod-template-hash="7c9f6d5b8" ', True),  # white space ends every file
        ('pod-template-hash="7c9f6d5b8"\nx="a b"', False),
        ("", False),
    ],
)
def test_labels(text: str, shown: bool) -> None:  # noqa: FBT001
    """Labels are shown where a controller's mark among them fits the pod's name."""
    tree = Lying({}, {}, {"labels": text, "password": "x"})
    tree.files["/proc/self/mountinfo"] = tree.read("/proc/self/mountinfo").text.replace(
        "/etc/podinfo", "/etc/elsewhere"
    )

    assert isinstance(read_platform(tree, FrozenClock()).identity.labels, Known) is shown


def test_written_otherwise(tmp_path: Path) -> None:
    """A directory without kubelet's layout is not a volume of the downward API."""
    saved = RecordedFiles(DATA / "containerd-restricted")
    assert isinstance(read_platform(saved, FrozenClock()).identity.labels, Known)

    for target in ("..data2", "/tmp", "..2025_11_24_15_00_00", "..2025-11-24.1", "..x"):

        class Other(RecordedFiles):
            def link(self, path: str, target: str = target) -> str | Unknown:
                return target if path.endswith("/..data") else super().link(path)

        snapshot = read_platform(Other(DATA / "containerd-restricted"), FrozenClock())
        assert isinstance(snapshot.identity.labels, Unknown)


def test_reason() -> None:
    """A withheld value has its reason."""
    environ = {"K8S_NODE_NAME": "user:pass@host"}
    tree = Lying(environ, {f"{ACCOUNT}/token": "no token"}, {})
    snapshot = read_platform(tree, FrozenClock())

    assert snapshot.identity.node == Unknown(
        "K8S_NODE_NAME in environment is withheld: not an RFC 1123 name"
    )
    assert "not an RFC 1123 name" in report(snapshot)
    assert msgspec.json.encode(snapshot).count(b"user:pass") == 0
    assert os.fsencode("withheld") in msgspec.json.encode(snapshot)
