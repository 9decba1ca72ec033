"""User namespaces in each other, as engines make them: root and nesting are never claimed wrongly.

Source: user_namespaces(7), subuid(5); a tmpfs shows the machine's id of its owner (mm/shmem.c).
"""

import tempfile
from pathlib import Path
from typing import NamedTuple

from hypothesis import given
from hypothesis import strategies as st

from devops_info_service.facts.container.labels import LABEL
from devops_info_service.facts.container.user_ids import (
    IdMap,
    is_root_outside,
    outside,
)
from devops_info_service.facts.fact import File, Known
from devops_info_service.facts.linux.mounts import MOUNTINFO
from devops_info_service.facts.system_files import SystemFiles
from devops_info_service.snapshot import read_platform

from ..recorded import FrozenClock, write_tree

Ranges = tuple[IdMap, ...]


class Chain(NamedTuple):
    """Namespaces from the outermost to that of the process, and the user that made the last."""

    maps: list[Ranges]
    engine: int
    """The user's id in the namespace around the last."""

    def on_machine(self, user: int, maps: list[Ranges]) -> int | None:
        """Return the machine's id of *user* of the last of *maps*."""
        found: int | None = user
        for each in reversed(maps):
            found = None if found is None else outside(each, found)
        return found


@st.composite
def chains(draw: st.DrawFn) -> Chain:
    """Draw an engine with root or without it, on a machine or in a container of LXD or Proxmox."""
    maps: list[Ranges] = []
    room = 2**32 - 1
    if draw(st.booleans()):
        room = draw(st.sampled_from([65536, 10**6, 10**9]))
        maps.append((IdMap(0, draw(st.sampled_from([65536, 100_000, 10**6, 2**31])), room),))
    user = draw(st.just(0) | st.integers(1000, 60_000))
    if user:
        base = draw(st.integers(60_001, min(room, 2**31) - 1))
        length = draw(st.integers(1, min(room, 2**31) - base))
        maps.append((IdMap(0, user, 1), IdMap(1, base, length)))
    elif not maps:
        first = draw(st.integers(65536, 2**31))
        maps.append((IdMap(0, first, draw(st.integers(1, 65536))),))
    return Chain(maps, user)


def text_of(ranges: Ranges) -> File:
    lines = [f"{each.inside:>10} {each.outside:>10} {each.length:>10}\n" for each in ranges]
    return File("/proc/self/uid_map", "".join(lines))


def apparmor_of(chain: Chain) -> str:
    """Return the verdict for Podman with the profile "unconfined" and its files in memory."""
    owner = chain.on_machine(chain.engine, chain.maps[:-1])
    owned = f",uid={owner},gid={owner}" if owner else ""
    table = (
        "600 512 0:70 / / rw - overlay overlay rw,upperdir=/u\n"
        f"607 600 0:60 /overlay-containers/{'c4' * 32}/userdata/hosts /etc/hosts rw - tmpfs tmpfs"
        f" rw,size=3200000k,mode=700{owned},inode64\n"
    )
    files = {
        MOUNTINFO: table,
        "/proc/self/uid_map": text_of(chain.maps[-1]).text,
        LABEL: "unconfined\n",
    }
    with tempfile.TemporaryDirectory() as folder:
        write_tree(Path(folder), files)
        checks = read_platform(SystemFiles(folder, {}), FrozenClock()).security.checks
    return next(check.verdict for check in checks if check.id == "appArmorProfile")


@given(chains())
def test_nesting(chain: Chain) -> None:
    """An engine inside LXD is never called unconfined; one of a machine's user is."""
    is_inside = len(chain.maps) > 1 or not chain.engine

    assert apparmor_of(chain) == ("unknown" if is_inside else "fail")


@given(chains(), st.integers(0, 3))
def test_root(chain: Chain, user: int) -> None:
    """Whether a user is the machine's root is right, or unknown."""
    found = is_root_outside(Known(value=False), text_of(chain.maps[-1]), user)

    truth = chain.on_machine(user, chain.maps)
    if isinstance(found, Known) and truth is not None:
        assert found.value == (truth == 0)
