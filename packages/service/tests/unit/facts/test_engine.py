"""The engine, or that there is none: by signs that only one of them leaves."""

from collections.abc import Callable

import pytest

from devops_info_service.facts.container.process_view import read_process_view
from devops_info_service.facts.fact import Known
from devops_info_service.facts.linux.namespaces import FIRST_NAMESPACES
from devops_info_service.facts.linux.sandbox import Detection
from devops_info_service.facts.system_files import SystemFiles

MACHINE = {
    f"/proc/self/ns/{kind}": f"{kind}:[{number}]" for kind, number in FIRST_NAMESPACES.items()
}
ROOT = "1 0 8:1 / / rw - ext4 /dev/sda1 rw\n"
DEV = "2 1 0:5 / /dev rw - devtmpfs udev rw\n"
OWN_DEV = "2 1 0:9 / /dev ro - tmpfs tmpfs rw,mode=755\n"
MASK = "3 1 0:25 /systemd/inaccessible/reg /proc/kcore ro - tmpfs tmpfs rw,mode=755\n"
ID = "1a" * 32
NERDCTL = "/var/lib/nerdctl/x/etchosts/default"
NONE = Detection("none", "certain")


@pytest.mark.parametrize(
    ("mounts", "group", "files", "engine"),
    [
        (ROOT + DEV, "/user.slice/session-1.scope", {}, NONE),
        (ROOT + DEV, "/", {"/.dockerenv": ""}, NONE),
        (ROOT + OWN_DEV + MASK, "/system.slice/run-1.service", {}, NONE),
        (ROOT + OWN_DEV + MASK, "/machine.slice/x.scope", {}, None),
        (ROOT + DEV, "/system.slice/docker-registry.service", {}, NONE),
        (ROOT + DEV, f"/system.slice/docker-{ID}.scope", {}, Detection("docker", "certain")),
        (
            f"{ROOT}{DEV}4 1 8:1 {NERDCTL}/{ID}/hosts /etc/hosts rw - ext4 /dev/sda1 rw\n",
            f"/system.slice/docker-{ID}.scope",
            {},
            None,
        ),
    ],
)
def test_engine(
    tree_of: Callable[..., SystemFiles],
    mounts: str,
    group: str,
    files: dict[str, str],
    engine: Detection | None,
) -> None:
    """A file that was left behind proves nothing; two certain signs that differ are no proof."""
    tree = tree_of(
        MACHINE | {"/proc/self/mountinfo": mounts, "/proc/self/cgroup": f"0::{group}\n"} | files
    )
    found = read_process_view(tree).engine

    assert (found.value if isinstance(found, Known) else None) == engine
