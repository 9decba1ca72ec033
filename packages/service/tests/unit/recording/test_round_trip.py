"""A recording has all that a report is made of, and nothing else."""

from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from devops_info_service.errors import ConfigError, ServiceError
from devops_info_service.facts.fact import Known
from devops_info_service.recording.recorder import Folder, RecordingFiles, record_platform, save
from devops_info_service.recording.replay import RecordedFiles, replay_platform
from devops_info_service.snapshot import PlatformSnapshot, read_platform

from ..clusters import NAMES, load
from ..recorded import DATA, NOW, TREES, FrozenClock, write_tree

TOKEN = "/var/run/secrets/kubernetes.io/serviceaccount/token"
SECRET = "s3cr3t-Sentinel"
HOME = "/etc/podinfo"


class Again(RecordingFiles, RecordedFiles):
    """Records a recording, as if it were the machine."""


def again(folder: Path, to: Path, shown: frozenset[str] = frozenset()) -> PlatformSnapshot:
    files = Again(str(folder))
    snapshot = read_platform(files, FrozenClock(), shown)
    target = Folder(str(to))
    save(files, target, NOW, shown)
    target.close()
    return snapshot


def without_now(snapshot: PlatformSnapshot) -> Any:
    """Return the report as JSON has it, but for what a recording cannot keep."""
    text = msgspec.json.encode(snapshot).decode()
    token = snapshot.security.service_account.token
    if isinstance(token, Known):  # Of the whole token, signature and all.
        text = text.replace(token.value.fingerprint, "fingerprint")
    report = msgspec.json.decode(text)
    del report["seconds"]
    report["network"]["environment"].sort(key=str)
    return report


@pytest.mark.parametrize("name", TREES)
def test_tree(tmp_path: Path, name: str) -> None:
    """The report of a recording is that of the machine."""
    live = again(DATA / name, tmp_path / "copy")

    assert without_now(replay_platform(str(tmp_path / "copy"))) == without_now(live)


@pytest.mark.parametrize("name", NAMES)
def test_pod(tmp_path: Path, name: str) -> None:
    """So is that of a pod."""
    load(name).unpack(tmp_path / "pod")
    live = again(tmp_path / "pod", tmp_path / "copy")

    assert without_now(replay_platform(str(tmp_path / "copy"))) == without_now(live)


def test_this_machine(tmp_path: Path) -> None:
    """The live machine's verdicts and identity, too."""
    live, summary = record_platform(
        str(tmp_path / "here"), {"HOME": "/", "KEY": SECRET}, frozenset()
    )
    found = replay_platform(str(tmp_path / "here"))

    assert "$KEY" in summary
    assert found.security.checks == live.security.checks
    assert found.identity == live.identity
    assert found.resources == live.resources


USERS = st.dictionaries(
    st.sampled_from([
        *("/etc/hosts", "/etc/resolv.conf", "/run/systemd/container", "/proc/cmdline", TOKEN),
        *(f"{HOME}/{name}" for name in ("labels", "annotations", "name", "uid", "password")),
        *(f"{TOKEN.rpartition('/')[0]}/{name}" for name in ("ca.crt", "namespace")),
    ]),
    st.lists(
        st.sampled_from([
            *(SECRET, f"a.{SECRET}.b", f"http://{SECRET}@host", "nameserver ", "search ", "\n"),
            *("options ", "ndots:", "5", "-", "\v", "\r", "=", '"', " ", "\t"),
            "# Kubernetes-managed hosts file.\n",
            *("key", "kubernetes.io/config.source", "agent.log=", "e30", "%", "\0", "\x85"),
            "-----BEGIN CERTIFICATE-----",
        ]),
        max_size=12,
    ).map("".join),
)  # fmt: skip
VARIABLES = st.dictionaries(
    st.sampled_from(["LOCALDOMAIN", "RES_OPTIONS", "HOME", "POD_NAME", "A_SERVICE_HOST", "KEY"]),
    st.sampled_from(
        [
            *(SECRET, f"/{SECRET}=", f"ndots:{SECRET}", f"ndots: 3{SECRET}", f"tcp://{SECRET}:1"),
            *("", "web-1"),
        ]
    ),
)
MOUNTS = (
    "1 0 0:1 / / rw - overlay overlay rw\n"
    f"2 1 0:2 / {HOME} rw - tmpfs tmpfs rw,size=64k\n"
    f"3 1 0:3 / /data rw - cifs //user:{SECRET}@server/share rw,user={SECRET}@x\n"
)


@pytest.mark.claim("recordings")
@settings(max_examples=min(150, 4 * settings().max_examples), deadline=None)
@given(files=USERS, environ=VARIABLES)
@example(files={"/etc/resolv.conf": f"options ndots: 5{SECRET}"}, environ={})
@example(files={"/etc/resolv.conf": ""}, environ={"RES_OPTIONS": f"ndots: \n5{SECRET}"})
@example(files={"/etc/resolv.conf": f"options timeout:\t\v \r-5{SECRET}"}, environ={})
def test_no_secret(
    files: dict[str, str], environ: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> None:
    """What users wrote is kept if the report shows it, and no byte more; it is the same report."""
    folder = tmp_path_factory.mktemp("user")
    write_tree(folder / "root", {"/proc/self/mountinfo": MOUNTS, **files})
    if any(path.startswith(HOME) for path in files):
        (folder / f"root{HOME}/..data").symlink_to("..2026_01_02_03_04_05.123456789")
    (folder / "machine.json").write_bytes(msgspec.json.encode({"environ": environ}))
    live = again(folder, folder / "copy")
    replayed = replay_platform(str(folder / "copy"))
    shown = SECRET in msgspec.json.encode(live).decode()

    kept = [file for file in (folder / "copy").rglob("*") if file.is_file()]
    texts = [file.read_text("utf-8", "replace") for file in kept]
    assert without_now(replayed) == without_now(live)
    assert shown or not any(SECRET in text for text in texts)
    assert not any(file.is_symlink() for file in (folder / "copy").rglob("*"))


@pytest.mark.parametrize("kind", ["link", "full", "file", "no parent"])
def test_refused_folder(tmp_path: Path, kind: str) -> None:
    """Only a new or empty folder is written to."""
    target = tmp_path / "target"
    if kind == "link":
        (tmp_path / "other").mkdir()
        target.symlink_to(tmp_path / "other")
    elif kind == "full":
        target.mkdir()
        (target / "file").write_text("mine")
    elif kind == "file":
        target.write_text("mine")
    else:
        target = tmp_path / "none" / "target"

    with pytest.raises(ConfigError, match=r"--record: .*; expected a new folder"):
        Folder(str(target))


@pytest.mark.parametrize("path", ["/a/../../b", "..", "/root/x"])
def test_stays_inside(tmp_path: Path, path: str) -> None:
    """No path, link or second writer leads out of the folder or over a file."""
    folder = Folder(str(tmp_path / "new"))
    (tmp_path / "new" / "root").symlink_to(tmp_path)

    with pytest.raises(ServiceError, match="--record: "):
        folder.write(path, b"")

    assert sorted(each.name for each in tmp_path.iterdir()) == ["new"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "machine.json is not there"),
        ("{", "truncated"),
        ('{"nodes": {"/dev/x": ["pony", 1]}}', "Invalid enum value 'pony'"),
        ('{"more": 1}', "unknown field `more`"),
        ('{"entries": {"/dev": 1000000000000}}', "<= 4096 - at `.+entries"),
        ('{"entries": {"/dev": -1}}', ">= 0 - at `.+entries"),
        ('{"spaces": {"/": [1, -5, 1, 1]}}', ">= 0 - at `.+spaces"),
        ('{"nodes": {"/dev/sda": ["block", -1]}}', ">= 0 - at `.+nodes"),
        ('{"time": 1e300}', "< 253402300800"),
        ('{"time": -1}', ">= 0"),
        ("[" * 100_000, "got `array`"),
        ('{"environ": {"A": "\\ud800, no pair"}}', "surrogate"),
    ],
)
def test_no_recording(tmp_path: Path, content: str | None, message: str) -> None:
    """Another folder is refused with the reason."""
    if content is not None:
        (tmp_path / "machine.json").write_text(content)

    with pytest.raises(ConfigError, match=rf"--from: .*{message}.*expected a folder"):
        replay_platform(str(tmp_path))


def test_no_link_in_place_of_the_root(tmp_path: Path) -> None:
    """A report of this machine does not bear the name of a recording."""
    (tmp_path / "machine.json").write_text("{}")
    (tmp_path / "root").symlink_to("/")

    with pytest.raises(ConfigError, match=r"--from: .*root is a link, no directory; expected"):
        replay_platform(str(tmp_path))


def test_more_room_than_a_number_of_64_bits(tmp_path: Path) -> None:
    """A FUSE file system may have any size: a recording of it is read again."""
    write_tree(tmp_path / "root", {"/proc/self/mountinfo": "1 0 0:9 / / rw - fuseblk x rw\n"})
    (tmp_path / "machine.json").write_text(f'{{"spaces": {{"/": [{2**70}, 0, 0, 0]}}}}')

    mounts = replay_platform(str(tmp_path)).filesystem.mounts

    assert isinstance(mounts, Known)
    assert isinstance(mounts.value[0].space, Known)
    assert mounts.value[0].space.value.size == 2**70


def test_no_link_out(tmp_path: Path) -> None:
    """A link in a recording leads nowhere but into it."""
    write_tree(tmp_path / "outside", {"/secret": SECRET})
    (tmp_path / "copy" / "root" / "etc").mkdir(parents=True)
    (tmp_path / "copy" / "root" / "etc" / "hosts").symlink_to(tmp_path / "outside" / "secret")
    (tmp_path / "copy" / "machine.json").write_text("{}")

    assert "is not there" in str(RecordedFiles(str(tmp_path / "copy")).read("/etc/hosts").content)
