"""``audit`` as a program: exit statuses, input and output."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from devops_info_service.commands.audit import AuditError, run

Run = Callable[..., subprocess.CompletedProcess[str]]
PROGRAM = [sys.executable, "-m", "devops_info_service", "audit"]
ALLOWED = """\
kind: Pod
metadata: {name: a}
spec:
  securityContext: {runAsNonRoot: true, seccompProfile: {type: RuntimeDefault}}
  containers:
    - name: app
      securityContext: {allowPrivilegeEscalation: false, capabilities: {drop: [ALL]}}
"""
BASELINE = "kind: Pod\nmetadata: {name: b}\nspec: {containers: [{name: app}]}\n"
REFUSED = "kind: Pod\nmetadata: {name: c}\nspec: {hostPID: on, containers: [{name: app}]}\n"
SERVICE = "kind: Service\nmetadata: {name: s}\n"


@pytest.fixture
def audit(tmp_path: Path) -> Run:
    """Run it in an empty directory to its end."""

    def process(*words: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*PROGRAM, *words],
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
            cwd=tmp_path,
        )

    return process


@pytest.mark.parametrize(
    ("manifest", "baseline", "restricted"),
    [
        (ALLOWED, 0, 0),
        (BASELINE, 0, 1),
        (REFUSED, 1, 1),
        (f"{SERVICE}---\n{ALLOWED}", 0, 0),
        (f"{ALLOWED}---\n{BASELINE}", 0, 1),
        (SERVICE, 0, 0),
        ("---\n---\n", 2, 2),
        ("", 2, 2),
        ("a: *b", 2, 2),
        (f"{ALLOWED}---\nkind: Pod\n", 2, 2),
        (f"{REFUSED}---\na: [", 2, 2),
    ],
)
def test_status(
    manifest: str,
    baseline: int,
    restricted: int,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """Text and JSON end alike, and JSON has the same verdict."""
    file = tmp_path / "manifest.yaml"
    file.write_text(manifest)
    for level, status in (("baseline", baseline), ("restricted", restricted)):
        for form in ((), ("--json",)):
            words = ["--level", level, *form, str(file)]
            if status < 2:
                assert run(words, {}) == status
            else:
                with pytest.raises(AuditError):
                    run(words, {})
            text, errors = capfd.readouterr()
            assert errors == ""
            if text and form:
                assert json.loads(text)["allowed"] == (status == 0)


@pytest.mark.parametrize(
    ("manifest", "status"), [(ALLOWED, 0), (REFUSED, 1), (f"{REFUSED}---\na: [", 2)]
)
def test_standard_input(audit: Run, manifest: str, status: int) -> None:
    process = audit("-", stdin=manifest)

    assert process.returncode == status
    assert (process.stderr == "") == (status < 2)


def test_json_and_yaml_read_alike(audit: Run) -> None:
    pod = {"kind": "Pod", "metadata": {"name": "c"}, "spec": {"hostPID": True,
           "containers": [{"name": "app"}]}}  # fmt: skip

    assert audit("-", stdin=json.dumps(pod)).stdout == audit("-", stdin=REFUSED).stdout


def test_files_are_named(audit: Run, tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(ALLOWED)
    (tmp_path / "b.yaml").write_text(f"{SERVICE}---\n{BASELINE}")

    process = audit("a.yaml", "b.yaml", "a.yaml")

    assert process.returncode == 1
    assert "Pod a (a.yaml, line 1): allowed by restricted" in process.stdout
    assert "Pod b (b.yaml, line 3): refused by restricted" in process.stdout
    assert process.stdout.count("Pod a") == 1
    assert "2 pods: 1 refused by restricted\n  not audited, without a pod  1 Service\n" in (
        process.stdout
    )


@pytest.mark.sample(every=3)
@pytest.mark.claim("manifests are bounded")
@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "the following arguments are required: FILE"),
        (["--level", "privileged", "-"], "argument --level: invalid choice"),
        (["--kubernetes", "latest", "-"], "--kubernetes: invalid value 'latest'; expected one"),
        (["--container", "a", "-"], "--container: no report is given; expected --against"),
        (["missing.yaml"], "missing.yaml: No such file or directory"),
        (["."], ".: Is a directory"),
        (["/dev/zero"], "/dev/zero: too large; expected 8 MiB at most"),
        (["--against", "missing", "-"], "missing: No such file or directory"),
        (["--against", "/dev/null", "-"], "expected the JSON of /platform or of report --json"),
        (["--against", "-", "-"], "--against: only one of manifest and report"),
    ],
)
def test_one_line_says_the_fault(audit: Run, words: list[str], message: str) -> None:
    process = audit(*words, stdin=ALLOWED)

    assert process.returncode == 2
    assert process.stderr.count("\n") == 1
    assert message in process.stderr


def test_names_do_not_reach_the_terminal_raw(audit: Run) -> None:
    hostile = '"\\e]0;x\\a\\u202e"'
    process = audit("-", stdin=f"kind: Pod\nmetadata: {{name: {hostile}}}\n" + BASELINE[30:])
    refused = audit("-", stdin=f"kind: {hostile}\nmetadata: []\n{hostile}: *{hostile}")

    assert (process.stdout + process.stderr + refused.stderr).replace("\n", "").isprintable()


def test_version_decides(audit: Run) -> None:
    pod = ALLOWED.replace("spec:\n", "spec:\n  hostUsers: false\n", 1)
    pod = pod.replace("runAsNonRoot: true", "runAsNonRoot: false")

    assert audit("-", stdin=pod).returncode == 0
    assert audit("--kubernetes", "v1.34", "-", stdin=pod).returncode == 1


def test_against_the_report_of_this_process(audit: Run, tmp_path: Path) -> None:
    """A manifest beside the report of a process elsewhere: they differ, and the status shows it."""
    report = subprocess.run(
        [*PROGRAM[:-1], "report", "--json"], capture_output=True, check=True, timeout=60
    )
    (tmp_path / "report.json").write_bytes(report.stdout)
    checks = json.loads(report.stdout)["security"]["checks"]
    failed = {each["id"] for each in checks if each["verdict"] == "fail"}

    process = audit("--json", "--against", "report.json", "-", stdin=ALLOWED)
    found = json.loads(process.stdout)["pods"][0]["differences"]

    different = {each["name"] for each in found if each["state"] == "different"}
    assert different >= failed & {each["name"] for each in found}
    assert process.returncode == (1 if different else 0)
    two = audit("--against", "report.json", "-", stdin=f"{ALLOWED}---\n{BASELINE}")
    assert (two.returncode, "expected one, that of the report" in two.stderr) == (2, True)
