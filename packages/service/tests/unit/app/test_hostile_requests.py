"""No byte that a client or a platform chose reaches a reader's terminal through any route."""

from typing import Final

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from devops_info_service.app.routes import build
from devops_info_service.app.services import Services
from devops_info_service.config import Config
from devops_info_service.facts.fact import File
from devops_info_service.facts.linux.mounts import MOUNTINFO
from devops_info_service.facts.system_files import Machine, SystemFiles
from devops_info_service.http import Cidr, Handler
from devops_info_service.http.wire.message import Client, Request

from ..recorded import DATA

pytestmark = pytest.mark.claim("escaping")

PATHS: Final = (
    *("/", "/health", "/version", "/metrics", "/openapi.json", "/conformance", "/nowhere"),
    *("/platform", "/platform/resources", "/platform/security", "/platform/identity"),
    *("/platform/network", "/platform/filesystem", "/platform/history"),
)
STEERING: Final = "\x9b31m\x85\u202e\u2028\u2066\ufeff\U000e0001é"
"""C1 control characters, marks of direction, separators, a tag, and a printable character."""
HOSTILE_BYTES: Final = st.one_of(
    st.text(st.sampled_from(STEERING), min_size=1).map(str.encode),
    # The parser rejects ASCII's control characters.
    st.binary(min_size=1).map(lambda data: bytes(each for each in data if 31 < each != 127)),
)


class HostileContainer(SystemFiles):
    """A container whose names its user has chosen."""

    def __init__(self) -> None:
        environ = {"EVIL": STEERING, f"N{STEERING}": "", "POD_NAME": STEERING, "HOME": STEERING}
        super().__init__(str(DATA / "docker-limited" / "root"), environ)

    def read(self, path: str) -> File:
        file = super().read(path)
        if path == MOUNTINFO:
            line = f"901 900 0:99 /{STEERING} /mnt/{STEERING} rw - ext4 /dev/{STEERING} rw\n"
            return File(path, file.text + line)
        if path == "/proc/sys/kernel/hostname":
            return File(path, f"{STEERING}\n")
        if path == "/proc/self/cgroup":
            return File(path, f"0::/{STEERING}\n")
        return file


def service() -> Handler:
    config = Config(
        trusted_proxies=(Cidr.parse("10.0.0.0/8"),),
        show_environment=("EVIL", "HOME"),
        expectations=f"identity.hostname: {'x' * 4}\nsecurity.label: x",
    )
    return build(Services(Machine(), "x", config, files=HostileContainer()))


SERVICE: Final = service()


@pytest.mark.parametrize("accept", [b"*/*", b"text/html"])
@pytest.mark.parametrize("path", PATHS)
@given(hostile=HOSTILE_BYTES)
def test_no_route_steers_a_terminal(path: str, accept: bytes, hostile: bytes) -> None:
    """Every body is lines of printable text; JSON decodes to its source."""
    names = (b"user-agent", b"x-forwarded-for", b"forwarded", b"traceparent", b"x-real-ip")
    fields = {b"accept": accept, b"host": b"x", **dict.fromkeys(names, hostile)}
    client = Client("10.0.0.9", 4242)
    response = SERVICE(Request("GET", path, hostile, fields, client, "1.1", keep_alive=True))

    text = response.body.decode()
    assert text.replace("\n", "").isprintable()
    if response.content_type == b"application/json":
        document = msgspec.json.decode(response.body)
        if path == "/":
            assert document["request"]["user_agent"] == hostile.decode("utf-8", "replace")
    for name, value in response.headers:
        assert (name + value).isascii()
