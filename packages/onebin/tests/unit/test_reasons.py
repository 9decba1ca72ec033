"""Reasons, parsed from real output of other programs."""

import pytest

from onebin.effects.reasons import Reason, subject, why

OUTPUTS = [
    (
        "cc1: fatal error: error writing to /tmp/cc.s: No space left on device",
        Reason.DISK_FULL,
        "",
    ),
    ("error: unable to build musl crt file: NoSpaceLeft", Reason.DISK_FULL, ""),
    ("cp: error writing 'x': Disk quota exceeded", Reason.DISK_FULL, ""),
    (
        "/c/bin/cc: 6: exec: /v/site-packages/ziglang/zig: not found\nerror: command 'cc' failed",
        Reason.NO_COMPILER,
        "/v/site-packages/ziglang/zig",
    ),
    (
        "/c/bin/cc: line 6: /v/ziglang/zig: Permission denied",
        Reason.NO_COMPILER,
        "/v/ziglang/zig",
    ),
    ("/v/ziglang/zig: error: unknown option", None, ""),
    (
        (
            "error: sub-compilation of musl libc.a failed\n"
            "    note: failed to check cache: file_hash ProcessFdQuotaExceeded"
        ),
        Reason.TOO_MANY_FILES,
        "",
    ),
    (
        (
            "ld.lld: error: undefined symbol: png_create_read_struct\n"
            ">>> referenced by m.c\n>>>               m.o:(read)"
        ),
        Reason.UNDEFINED_SYMBOL,
        "png_create_read_struct",
    ),
    (
        (
            "ERROR: No matching distribution found for thing\n"
            "onebin: no response: https://h.invalid/simple/thing/: no response within 60 s\n"
        ),
        Reason.INDEX_UNREACHABLE,
        "https://h.invalid/simple/thing/: no response within 60 s",
    ),
    (
        (
            "ERROR: No matching distribution found for thing\n"
            "onebin: no response: https://h.invalid/simple/thing/: status 403 Forbidden"
        ),
        Reason.INDEX_DENIED,
        "https://h.invalid/simple/thing/: status 403 Forbidden",
    ),
    (
        # The second try succeeded.
        (
            "WARNING: Retrying (Retry(total=4, connect=None, read=None, redirect=None, "
            "status=None)) after connection broken by 'NewConnectionError(...)': /simple/thing/\n"
            "ERROR: No matching distribution found for thing"
        ),
        Reason.NO_MATCH,
        "thing",
    ),
    (
        (
            "ERROR: Could not find a version that satisfies the requirement thing==9 (from "
            "versions: 1)\nERROR: No matching distribution found for thing==9"
        ),
        Reason.NO_MATCH,
        "thing==9",
    ),
    (
        "ERROR: Package 'older' requires a different Python: 3.14.0 not in '<3.14'",
        Reason.NO_MATCH,
        "older",
    ),
    (
        (
            "ERROR: Packages require a different Python. 3.14.0 not in:\n"
            "'<3.14' (required by older==2)\n'<3.13' (required by older==1)"
        ),
        Reason.NO_MATCH,
        "older==2",
    ),
    (
        (
            "ERROR: Cannot install a==1 and b<2 because these package versions have conflicting "
            "dependencies.\nERROR: ResolutionImpossible: for help visit https://pip.invalid/"
        ),
        Reason.CONFLICT,
        "a==1 and b<2",
    ),
    (
        "ERROR: wheel 1 asks for thing by an address",
        Reason.ADDRESS,
        "ERROR: wheel 1 asks for thing",
    ),
    (
        (
            "ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE. If you have "
            "updated the package versions, please update the hashes."
        ),
        Reason.HASH_MISMATCH,
        "",
    ),
    ("Segmentation fault", None, ""),
    ("", None, ""),
]


@pytest.mark.parametrize(("output", "reason", "about"), OUTPUTS)
def test_reason(output: str, reason: Reason | None, about: str) -> None:
    """Each known failure is recognized by its text; any other has no reason."""
    assert (reason, about) == (why(output), subject(output))


def test_every_reason_has_an_output() -> None:
    """A pattern without a recorded output is a guess."""
    assert set(Reason) == {reason for _, reason, _ in OUTPUTS if reason}
