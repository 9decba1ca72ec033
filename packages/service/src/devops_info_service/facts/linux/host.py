"""The host: facts that do not change while the process runs."""

from typing import Final

import msgspec

from devops_info_service.facts.system_files import Source, printable

ARCHITECTURES: Final = {
    "x86_64": "amd64",
    "aarch64": "arm64",
    "armv7l": "arm",
    "armv6l": "arm",
    "i686": "386",
    "i386": "386",
    "loongarch64": "loong64",
}
"""The kernel's word for a machine -> the image platform's; where they differ, that is
(``riscv64``, ``ppc64le`` and ``s390x`` are the same in both)."""


class Host(msgspec.Struct, frozen=True):
    """The host, named as container platforms name it."""

    hostname: str
    platform: str
    platform_version: str
    """The kernel's release: an image may hold no distribution to name."""
    architecture: str
    cpu_count: int
    """CPUs this process may run on, not CPUs there are."""
    python_version: str


def read_host(source: Source) -> Host:
    """Read *source* once."""
    uname = source.uname()
    return Host(
        hostname=printable(uname.nodename),
        platform=uname.sysname.lower(),
        platform_version=uname.release,
        architecture=ARCHITECTURES.get(uname.machine, uname.machine),
        cpu_count=source.cpus(),
        python_version=source.python_version(),
    )
