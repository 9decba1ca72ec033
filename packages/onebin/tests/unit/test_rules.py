"""The rules: each fault of an image fails its own rule and no other."""

import marshal
import re
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from onebin.inspection import Report, inspect
from onebin.inspection.rules import IMAGE_RULES, PROGRAM_RULES

Files = dict[str, tuple[bytes, dict[str, Any]]]
Save = Callable[..., Path]

SCRIPT = b"#!/bin/sh\n"


def link(target: str) -> tuple[bytes, dict[str, Any]]:
    return b"", {"type": tarfile.SYMTYPE, "linkname": target}


def failed(report: Report) -> set[str]:
    return {finding.id for finding in report.findings if finding.status == "fail"}


@pytest.mark.parametrize(
    ("config", "fails"),
    [
        ({"User": ""}, {"IMG-USER-001", "IMG-USER-002", "IMG-USER-003"}),
        ({"User": "0:0"}, {"IMG-USER-001", "IMG-USER-002", "IMG-USER-003"}),
        ({"User": "root"}, {"IMG-USER-001", "IMG-USER-002", "IMG-USER-003"}),
        ({"User": "app"}, {"IMG-USER-002"}),
        ({"User": "1000"}, {"IMG-USER-003"}),
        ({"User": "65534:1"}, {"IMG-USER-002"}),
        ({"User": "33:33"}, {"IMG-USER-002"}),
        ({"User": "1000:0"}, {"IMG-USER-003"}),
        ({"User": "1000:"}, {"IMG-USER-003"}),
        ({"User": ":1000"}, {"IMG-USER-001", "IMG-USER-002"}),
        ({"User": "9" * 30}, {"IMG-USER-002"}),
        ({"User": "3000000000:1000"}, {"IMG-USER-002"}),
        ({"Entrypoint": None}, {"IMG-ENTRY-001", "IMG-ELF-003"}),
        ({"Entrypoint": None, "Cmd": ["/app"]}, set()),
        ({"Entrypoint": ["app"]}, {"IMG-ENTRY-001", "IMG-ELF-003"}),
        ({"Entrypoint": ["/gone"]}, {"IMG-ENTRY-001", "IMG-ELF-003"}),
        ({"Entrypoint": ["/bin/sh", "-c", "/app"]}, {"IMG-ENTRY-001", "IMG-ELF-003"}),
        ({"Entrypoint": ["/bin/sh", "-ec", "/app"]}, {"IMG-ENTRY-001", "IMG-ELF-003"}),
        ({"Healthcheck": {"Test": ["CMD-SHELL", "true"]}}, {"IMG-ENTRY-002"}),
        ({"Healthcheck": {"Test": ["CMD", "/gone"]}}, {"IMG-ENTRY-002"}),
        ({"Healthcheck": {"Test": ["CMD"]}}, {"IMG-ENTRY-002"}),
        ({"Healthcheck": {"Test": ["ODD"]}}, {"IMG-ENTRY-002"}),
        ({"Healthcheck": {"Test": ["NONE"]}}, set()),
        ({"Healthcheck": {"Test": ["CMD", "/app", "check"]}}, set()),
        ({"Env": ["API_TOKEN=abc"]}, {"IMG-ENV-001"}),
        ({"Env": ["dbPassword=abc"]}, {"IMG-ENV-001"}),
        ({"Env": ["AWS_SECRET_ACCESS_KEY=abc"]}, {"IMG-ENV-001"}),
        ({"Env": ["apiToken=abc"]}, {"IMG-ENV-001"}),
        ({"Env": ["DB_PASSWORD_FILE=/run/secrets/db"]}, set()),
        ({"Env": ["ALLOW_EMPTY_PASSWORD=no", "RANDOM_ROOT_PASSWORD=Yes"]}, set()),
        ({"Env": ["API_TOKEN=", "GPG_KEY=A", "PATH=/bin", "KEYS", "COMPASS=n"]}, set()),
        ({"ExposedPorts": {"80/tcp": {}}}, {"IMG-PORT-001"}),
        ({"ExposedPorts": {"odd": {}}}, {"IMG-PORT-001"}),
        ({"ExposedPorts": {"65536/tcp": {}}}, {"IMG-PORT-001"}),
        ({"ExposedPorts": {"79-81/tcp": {}}}, {"IMG-PORT-001"}),
        ({"ExposedPorts": {"8000-8010/tcp": {}}}, set()),
        ({"ExposedPorts": {"8443/tcp": {}, "9000/udp": {}}}, set()),
        ({"Volumes": {"/proc/x": {}}}, {"IMG-VOL-001"}),
        ({"Volumes": {"/x/../proc/": {}}}, {"IMG-VOL-001"}),
        ({"Volumes": {"/data": {}}}, set()),
        ({"WorkingDir": "work"}, {"IMG-WORK-001"}),
        ({"WorkingDir": "/etc"}, {"IMG-WORK-001"}),
        ({"WorkingDir": "/app"}, {"IMG-WORK-001"}),
        ({"WorkingDir": "/etcetera"}, set()),
        ({"StopSignal": "SIGKILL"}, {"IMG-SIG-001"}),
        ({"StopSignal": "15"}, set()),
        ({"StopSignal": "sigterm"}, set()),
        ({"Labels": None}, {"IMG-LABEL-001"}),
    ],
)
def test_faults_of_the_config(save: Save, config: dict[str, Any], fails: set[str]) -> None:
    """Each fault of the config fails its own rule and no other."""
    assert failed(inspect(save(config))) == fails


ELF = b"\x7fELF"


@pytest.mark.parametrize(
    ("files", "fails"),
    [
        ({"app": (SCRIPT, {"mode": 0o755})}, {"IMG-ELF-001", "IMG-ENTRY-001"}),
        ({"app": (ELF + b"cut", {"mode": 0o755})}, {"IMG-ELF-001"}),
        ({"bin/sh": (ELF, {"mode": 0o755})}, {"IMG-FS-001", "IMG-ELF-003"}),
        ({"bin/sh": (ELF, {"mode": 0o644})}, {"IMG-ELF-003"}),
        ({"bin/python3.13": (SCRIPT, {"mode": 0o755})}, {"IMG-FS-001"}),
        ({"bin/apt-get": (SCRIPT, {"mode": 0o755})}, {"IMG-FS-001"}),
        ({"bin/curl": link("/app")}, {"IMG-FS-001", "IMG-FS-004"}),
        ({"bin/curl": link("../app")}, {"IMG-FS-001"}),
        ({"bin/curl": link("nowhere")}, set()),
        ({"etc/apt": (b"", {"type": tarfile.DIRTYPE, "mode": 0o755})}, set()),
        ({"doc/bash": (b"text", {"mode": 0o755})}, set()),
        ({"var/lib/dpkg/status": (b"x", {})}, {"IMG-FS-001"}),
        ({"su": (b"x", {"mode": 0o4755})}, {"IMG-FS-002"}),
        ({"su": (b"x", {"mode": 0o2755})}, {"IMG-FS-002"}),
        (
            {"p": (b"", {"pax_headers": {"SCHILY.xattr.security.capability": "x"}})},
            {"IMG-FS-002"},
        ),
        ({"d": (b"", {"type": tarfile.DIRTYPE, "mode": 0o2755})}, set()),
        ({"x": (b"x", {"mode": 0o666})}, {"IMG-FS-003"}),
        ({"tmp": (b"", {"type": tarfile.DIRTYPE, "mode": 0o777})}, {"IMG-FS-003"}),
        ({"run": (b"", {"type": tarfile.DIRTYPE, "mode": 0o1777})}, {"IMG-FS-003"}),
        ({"l": (b"", {"type": tarfile.SYMTYPE, "linkname": "app", "mode": 0o777})}, set()),
        ({"dev/null": (b"", {"type": tarfile.CHRTYPE, "mode": 0o666})}, {"IMG-FS-004"}),
        ({"l": link("../../etc")}, {"IMG-FS-004"}),
        ({"l": link("/app")}, {"IMG-FS-004"}),
        ({".wh.x": (b"", {})}, {"IMG-FS-004"}),
        ({"../../x": (b"", {})}, {"IMG-FS-004"}),
        ({"src/.git": (b"", {"type": tarfile.DIRTYPE})}, {"IMG-FS-005"}),
        ({"home/.ssh/id_rsa": (b"", {})}, {"IMG-FS-005"}),
        ({"tls/server.key": (b"", {})}, {"IMG-FS-005"}),
        ({"etc/ssh/ssh_host_ed25519_key": (b"", {})}, {"IMG-FS-005"}),
        ({"etc/ssh/ssh_host_rsa_key.pub": (b"", {})}, set()),
        ({"tls/server-key.pem": (b"", {})}, {"IMG-FS-005"}),
        ({"root/.ssh/config": (b"", {})}, {"IMG-FS-005"}),
        ({"srv/.env.production": (b"", {})}, {"IMG-FS-005"}),
        ({"srv/.env.example": (b"", {})}, set()),
        ({"etc/ssl/cert.pem": (b"", {})}, set()),
        ({"etc/passwd": (b"a:x:1:1::/:/bin/sh\n", {})}, {"IMG-FS-006"}),
        ({"etc/passwd": (b"a::1:1::/:/sbin/nologin\n", {})}, {"IMG-FS-006"}),
        ({"etc/passwd": (b"a:$6$x:1:1::/:/sbin/nologin\n", {})}, {"IMG-FS-006"}),
        ({"etc/passwd": (b"a:x:1:1::/:/x/nologin\nb:x:1:1::/:/x/false\n", {})}, {"IMG-FS-006"}),
        ({"etc/passwd": (b"no account\n", {})}, {"IMG-FS-006"}),
        ({"etc/passwd": (b"a:x:one:1::/:/x/false\n", {})}, {"IMG-FS-006"}),
        ({"etc/passwd": (b"\xff\x00:x:1:1::/:/x/false\n# note\n\n", {})}, set()),
        ({"etc/group": (b"a:x:1:\nb:*:1:\n", {})}, {"IMG-FS-006"}),
        ({"etc/group": (b"a::1:\n", {})}, set()),
        ({"x": (b"", {"mtime": 5})}, {"IMG-REPRO-001"}),
        ({"x": (b"", {"uname": "me"})}, {"IMG-REPRO-001"}),
    ],
)
def test_faults_of_the_files(save: Save, files: Files, fails: set[str]) -> None:
    """Each fault of the files fails its own rule and no other."""
    assert failed(inspect(save(files=files))) == fails


@pytest.mark.parametrize(
    ("changed", "fails"),
    [
        (
            {"needed": "libc.so.6", "interpreter": "/lib/ld.so"},
            {"IMG-ELF-001", "IMG-ENTRY-001"},
        ),
        ({"machine": 183}, {"IMG-ELF-001"}),
        ({"kind": 2}, {"IMG-ELF-002"}),
        ({"stack_flags": 7}, {"IMG-ELF-002"}),
        ({"load_flags": 7}, {"IMG-ELF-002"}),
        ({"payload": b"\0/home/me/app/x.py\0"}, {"IMG-ELF-004"}),
        ({"payload": b"cc -I/build/app/include"}, {"IMG-ELF-004"}),
        ({"payload": marshal.dumps("/home/me/" + "x" * 56)}, {"IMG-ELF-004"}),  # length 65: A
        ({"payload": b"\0/homestead\0 /root\0"}, set()),
        ({"payload": b"# by Tools/build/parse.py, see https://example.org/home/me"}, set()),
    ],
)
def test_faults_of_the_executable(
    save: Save, make_elf: Any, changed: dict[str, Any], fails: set[str]
) -> None:
    """Each fault of the executable fails its own rule, in an image as alone."""
    data = make_elf(**changed)

    report = inspect(save(files={"app": (data, {"mode": 0o755})}))

    assert failed(report) == fails


@pytest.mark.parametrize(
    ("document", "fails"),
    [
        ({"created": "2001-01-01T00:00:00Z"}, {"IMG-REPRO-001"}),
        ({"created": None}, set()),
        ({"history": [{"created_by": "ARG NPM_TOKEN=x"}]}, {"IMG-ENV-001"}),
        ({"history": [{}, {}]}, {"IMG-DIG-001"}),
        ({"rootfs": {"type": "layers", "diff_ids": ["sha256:" + "0" * 64]}}, {"IMG-DIG-001"}),
        ({"rootfs": {"type": "layers", "diff_ids": []}}, {"IMG-DIG-001"}),
        ({"architecture": "arm64"}, {"IMG-ELF-001"}),
    ],
)
def test_faults_of_the_document(save: Save, document: dict[str, Any], fails: set[str]) -> None:
    """Each fault of the rest of the config fails its own rule."""
    assert failed(inspect(save(document=document))) == fails


def test_the_reference_lists_every_rule() -> None:
    """docs/reference/inspect.md has each rule's id and sentence, in the order of the report."""
    page = Path(__file__).parents[4] / "docs/reference/inspect.md"
    rows = re.findall(r"^\| `(IMG-[A-Z0-9-]+)` \| (.*?) \|", page.read_text("utf-8"), re.MULTILINE)

    assert [(rule.id, rule.check) for rule in IMAGE_RULES] == rows


def test_a_bare_program_has_rules_of_the_same_ids() -> None:
    """A rule keeps its id, whether or not its program is in an image."""
    assert {rule.id for rule in PROGRAM_RULES} < {rule.id for rule in IMAGE_RULES}
