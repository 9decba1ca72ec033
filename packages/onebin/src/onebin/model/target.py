"""Facts of the target that are known before the build."""

from .project import Machine
from .series import RELEASE, RELEASES


def target_environment(machine: Machine, python: str = RELEASE) -> dict[str, str]:
    """Return the marker variables (PEP 508) of the executable, not of this interpreter.

    *python* is its release; for a line (``3.13``) alone, the pinned release is taken.
    """
    line = ".".join(python.split(".")[:2])
    if python == line:
        pinned = [item.version for item in RELEASES if item.series == line]
        python = pinned[-1] if pinned else f"{line}.0"
    return {
        "implementation_name": "cpython",
        "implementation_version": python,
        "os_name": "posix",
        "platform_machine": machine,
        "platform_python_implementation": "CPython",
        "platform_release": "",
        "platform_system": "Linux",
        "platform_version": "",
        "python_full_version": python,
        "python_version": line,
        "sys_platform": "linux",
        "extra": "",
    }
