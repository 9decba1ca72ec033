"""The evidence of the checks beyond the standards."""

from collections.abc import Callable

from devops_info_service.facts.system_files import Clock, SystemFiles
from devops_info_service.snapshot import read_platform


def test_grave_devices_are_shown(saved: Callable[[str], SystemFiles], clock: Clock) -> None:
    """Of a whole /dev the evidence shows the disks that make the check fail."""
    security = read_platform(saved("docker-privileged"), clock).security
    check = next(check for check in security.checks if check.id == "deviceNodes")

    assert check.verdict == "fail"
    assert all(
        seen.value == "block" or seen.file in {"/dev/mem", "/dev/port", "/dev/kmsg", "/dev/kvm"}
        for seen in check.evidence
    )
