"""What a container starts: found along PATH, and startable by its user, as a kernel has it."""

import os
import subprocess
import sys
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from onebin.inspection import Report, inspect
from onebin.inspection.accounts import groups, users

Save = Callable[..., Path]
Files = dict[str, tuple[bytes, dict[str, Any]]]

DIRECTORY = tarfile.DIRTYPE


def status(report: Report, identifier: str) -> str:
    [found] = [one for one in report.findings if one.id == identifier]
    return found.status


def folder(mode: int, uid: int = 0, gid: int = 0) -> tuple[bytes, dict[str, Any]]:
    return b"", {"type": DIRECTORY, "mode": mode, "uid": uid, "gid": gid}


def program(mode: int = 0o755, uid: int = 0, gid: int = 0) -> tuple[bytes, dict[str, Any]]:
    return b"\x7fELFx", {"mode": mode, "uid": uid, "gid": gid}


STARTS: list[tuple[Files, str, str]] = [
    ({"s": folder(0o755), "s/run": program()}, "1000:1000", "pass"),
    ({"s/run": program()}, "1000:1000", "pass"),  # engines make the folder
    ({"s": folder(0o700), "s/run": program()}, "1000:1000", "fail"),
    ({"s": folder(0o700), "s/run": program()}, "0:0", "pass"),
    ({"s": folder(0o700, uid=1000), "s/run": program()}, "1000:1000", "pass"),
    ({"s": folder(0o070, gid=1000), "s/run": program()}, "1000:1000", "pass"),
    ({"s": folder(0o070, uid=1000, gid=1000), "s/run": program()}, "1000:1000", "fail"),
    ({"s": folder(0o711), "s/run": program(0o711)}, "1000:1000", "pass"),
    ({"s": folder(0o755), "s/run": program(0o744)}, "1000:1000", "fail"),
    ({"s": folder(0o755), "s/run": program(0o011)}, "0:0", "pass"),
    ({"s": folder(0o755), "s/run": program(0o644)}, "0:0", "fail"),
    ({"s": folder(0o755), "s/run": program(0o750, gid=7)}, "1000:7", "pass"),
    ({"s": folder(0o755), "s/run": program(0o705, gid=7)}, "1000:7", "fail"),
]


@pytest.mark.parametrize(("files", "user", "wanted"), STARTS)
def test_who_may_start_it(save: Save, files: Files, user: str, wanted: str) -> None:
    """Owner, group and others as path_resolution(7) has them; root searches all."""
    report = inspect(save({"User": user, "Entrypoint": ["/s/run"]}, files=files))

    assert status(report, "IMG-ENTRY-001") == wanted


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can try it as others")
@pytest.mark.parametrize(("files", "user", "wanted"), STARTS)
def test_the_kernel_agrees(tmp_path: Path, files: Files, user: str, wanted: str) -> None:
    """The same files on a disk, and access(2) by the same user."""
    tmp_path.chmod(0o755)
    for name, (data, facts) in files.items():
        path = tmp_path / name
        path.parent.mkdir(mode=0o755, exist_ok=True)
        path.mkdir() if facts.get("type") == DIRECTORY else path.write_bytes(data)
    for name, (_, facts) in files.items():
        os.chown(tmp_path / name, facts["uid"], facts["gid"])
        (tmp_path / name).chmod(facts["mode"])
    uid, gid = map(int, user.split(":"))
    code = (
        f"import os; os.chroot({str(tmp_path)!r}); os.setgroups([]); os.setgid({gid});"
        f" os.setuid({uid}); raise SystemExit(not os.access('/s/run', os.X_OK))"
    )

    done = subprocess.run([sys.executable, "-I", "-c", code], check=False)

    assert ("pass", "fail")[done.returncode] == wanted


@pytest.mark.parametrize(
    ("env", "command", "found"),
    [
        (["PATH=/opt:/usr/bin"], "run", "/usr/bin/run"),  # /opt/run is a folder
        (["PATH=/no-x:/usr/bin"], "run", "/usr/bin/run"),
        (["PATH=:usr/bin"], "run", None),  # runtimes search no relative folder
        ([], "run", "/usr/bin/run"),
        ([], "./run", "/usr/bin/run"),
        ([], "bin/run", None),
        ([], "/usr/bin/run", "/usr/bin/run"),
    ],
)
def test_search(save: Save, env: list[str], command: str, found: str | None) -> None:
    """A name without a slash is searched along PATH; others begin at the working directory."""
    files: Files = {
        "opt/run": folder(0o755),
        "no-x/run": program(0o644),
        "usr/bin/run": program(),
    }
    config = {
        "Env": env,
        "WorkingDir": "/usr/bin",
        "Healthcheck": {"Test": ["CMD", command, "--quick"]},
    }
    report = inspect(save(config, files=files))

    assert status(report, "IMG-ENTRY-002") == ("pass" if found else "fail")


@pytest.mark.parametrize(
    ("files", "wanted"),
    [
        ({"check": program()}, "pass"),
        ({"check": (b"#!/app", {"mode": 0o755})}, "pass"),
        ({"check": program(0o644)}, "fail"),
        ({"check": program(0o744)}, "fail"),
        ({"check": (b"text", {"mode": 0o755})}, "fail"),
        ({"check": folder(0o755)}, "fail"),
        ({}, "fail"),
    ],
)
def test_a_health_check_is_run_by_the_user(save: Save, files: Files, wanted: str) -> None:
    """Engines start it in the container as they start the entry point."""
    report = inspect(save({"Healthcheck": {"Test": ["CMD", "/check"]}}, files=files))

    assert status(report, "IMG-ENTRY-002") == wanted


@pytest.mark.parametrize(
    ("user", "mode", "wanted"),
    [("app", 0o755, "pass"), ("app", 0o750, "unknown"), ("app", 0o644, "fail")],
)
def test_an_unknown_user(save: Save, user: str, mode: int, wanted: str) -> None:
    """A name that the image does not have: known only where every user has the same right."""
    report = inspect(save({"User": user, "Entrypoint": ["/run"]}, files={"run": program(mode)}))

    assert status(report, "IMG-ENTRY-001") == wanted


SCRIPT = b"#! /py -e\nexit\n", {"mode": 0o755}
FORMATS: list[tuple[Files, str]] = [
    ({"run": SCRIPT, "py": program()}, "pass"),
    ({"run": SCRIPT}, "fail"),
    ({"run": SCRIPT, "py": program(0o644)}, "fail"),
    ({"run": SCRIPT, "py": program(0o744)}, "fail"),
    ({"run": SCRIPT, "py": folder(0o755)}, "fail"),
    ({"run": SCRIPT, "py": (b"text", {"mode": 0o755})}, "fail"),
    ({"run": SCRIPT, "py": (b"#!/app\n", {"mode": 0o755})}, "pass"),
    (
        {"run": (b"#!/root/py\n", {"mode": 0o755}), "root": folder(0o700), "root/py": program()},
        "fail",
    ),
    (
        {
            "run": SCRIPT,
            "py": (b"", {"type": tarfile.SYMTYPE, "linkname": "/root/.local/py", "mode": 0o777}),
            "root": folder(0o700),
            "root/.local/py": program(),
        },
        "fail",
    ),
    ({"run": (b"#!\n", {"mode": 0o755})}, "fail"),
    ({"run": (b"echo\n", {"mode": 0o755})}, "fail"),
    ({"run": (b"", {"mode": 0o755})}, "fail"),
    ({"run": (b"#!/py\r\n", {"mode": 0o755}), "py": program()}, "fail"),
]


@pytest.mark.parametrize(("files", "wanted"), FORMATS)
def test_what_a_kernel_can_start(save: Save, files: Files, wanted: str) -> None:
    """An ELF file, or a script whose interpreter the same user may start; tried with Docker."""
    report = inspect(save({"User": "1000:1000", "Entrypoint": ["/run"]}, files=files))

    assert status(report, "IMG-ENTRY-001") == wanted


@pytest.mark.parametrize(
    ("command", "wanted"),
    [
        ("/./run", "pass"),
        ("//run", "pass"),
        ("/open/../run", "pass"),
        ("/link", "pass"),
        ("/run/", "fail"),
        ("/run/.", "fail"),
        ("/run/../run", "fail"),
        ("/none/../run", "fail"),
        ("/closed/../run", "fail"),
        ("/slash", "fail"),
        ("/through", "fail"),
        ("/dev/run", "fail"),
    ],
)
def test_paths_as_a_kernel_walks_them(save: Save, command: str, wanted: str) -> None:
    """``..`` and a slash at the end are looked up in a folder, not cut from the name."""

    def link(target: str) -> tuple[bytes, dict[str, Any]]:
        return b"", {"type": tarfile.SYMTYPE, "linkname": target}

    files: Files = {
        "run": program(),
        "dev/run": program(),
        "open": folder(0o755),
        "closed": folder(0o700),
        "link": link("open/../run"),
        "slash": link("run/"),
        "through": link("run/../run"),
    }
    report = inspect(save({"User": "1000:1000", "Entrypoint": [command]}, files=files))

    assert status(report, "IMG-ENTRY-001") == wanted


def test_groups_that_list_the_user(save: Save) -> None:
    """A user named without a group has those of /etc/group; else that group alone."""
    files: Files = {
        "etc/passwd": (b"app:x:1000:1000::/:/sbin/nologin\n", {}),
        "etc/group": (b"app:x:1000:\nextra:x:7:other,app\n", {}),
        "run": program(0o750, gid=7),
    }
    for user, wanted in (("app", "pass"), ("1000", "pass"), ("app:app", "fail")):
        report = inspect(save({"User": user, "Entrypoint": ["/run"]}, files=files))
        assert status(report, "IMG-ENTRY-001") == wanted


@pytest.mark.parametrize(
    ("line", "found"),
    [
        (b"a:x:1:2:c:/h:/bin/sh", ("a", "x", 1, 2, "/bin/sh")),
        (b"a:x:1:2:c:/h", ("a", "x", 1, 2, "")),
        (b"a:x:1:2", ("a", "x", 1, 2, "")),
        (b"  a::1:2:::/x:y", ("a", "", 1, 2, "/x:y")),
        (b"a:x:1", None),
        (b"a:x:one:2:::", None),
        (b"a:x:-1:2:::", None),
    ],
)
def test_lines_of_passwd(line: bytes, found: tuple[str, str, int, int, str] | None) -> None:
    """A line may end after its numbers (glibc, moby); one without numbers is none."""
    accounts, broken = users(line + b"\n")

    assert [(one.name, one.password, one.id, one.gid, one.shell) for one in accounts] == (
        [found] if found else []
    )
    assert len(broken) == (found is None)


def test_lines_of_group() -> None:
    """Members may be left out."""
    found, broken = groups(b"a:x:1:u,v\nb:x:2\nc:x\n# d:x:4:\n")

    assert [(one.name, one.id, one.members) for one in found] == [("a", 1, "u,v"), ("b", 2, "")]
    assert broken == ("c:x",)


def test_an_image_for_windows(save: Save) -> None:
    """Checks of paths and users of Unix are unknown, and state nothing false."""
    config = {"User": "ContainerUser", "Entrypoint": ["C:\\app.exe"], "WorkingDir": "C:\\app"}
    report = inspect(save(config, document={"os": "windows"}))

    assert status(report, "IMG-ENTRY-001") == "unknown"
    assert status(report, "IMG-WORK-001") == "unknown"
