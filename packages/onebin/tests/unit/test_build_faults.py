"""The remedy for a failed build, by its last lines."""

import pytest

from onebin.distributions import build_faults

PURE = 'tool.onebin.pure = ["thing"]'

FETCHES = "its build fetches a file while it runs"


@pytest.mark.parametrize(
    ("detail", "remedy"),
    [
        ("error: <urlopen error [Errno -2] Name does not resolve>", FETCHES),
        ("error: <urlopen error unknown url type: https>", FETCHES),
        ("socket.gaierror: [Errno -3] Temporary failure in name resolution", FETCHES),
        ("curl: (6) Could not resolve host: h.invalid", FETCHES),
        ('CMake Error: status_string: "Couldn\'t resolve host name"', FETCHES),
        ("OSError: [Errno 101] Network is unreachable", FETCHES),
        ("a.c:1:10: fatal error: 'a.h' file not found", PURE),
        ("error: unresolved symbol host", PURE),
        ("make: nasm: No such file or directory\nmake: Error 127", "runs nasm, which is not among"),
        ("sh: 1: autoreconf: not found", "its build runs autoreconf, which"),
        ("bash: line 3: bison: command not found", "its build runs bison, which"),
        ("error: [Errno 2] No such file or directory: 'cmake'", "its build runs cmake, which"),
        ("error: [Errno 2] No such file or directory: 'README'", PURE),
        ("sh: 1: git: not found", PURE),  # for its version, which builds go on without
        ("", PURE),
    ],
)
def test_remedy_fits_the_output(detail: str, remedy: str) -> None:
    """Without a network the setting for a pure form changes nothing."""
    found = build_faults.remedy("thing", f"cc -c a.c\n{detail}")

    assert remedy in found
    assert (PURE in found) == (remedy == PURE)
