"""Record real platforms and hold each report against what was asked for: ``make platforms``.

Everything in ``table.py`` is started in a Debian machine of its own (``vm``), and some of Docker's
ways on this one (``here-...``). Prints a line for each value that is wrong or unknown, and the
counts. ``--from DIR`` compares recordings made before.
"""

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

import msgspec

from devops_info_service.recording.replay import replay_platform

from .table import FACTS, HERE, PLATFORMS, Platform

FOLDER: Final = Path(__file__).parent
ROOT: Final = FOLDER.parents[1]
PACKAGES: Final = (
    "docker.io,docker-cli,podman,crun,runc,runsc,passt,slirp4netns,fuse-overlayfs,netavark"
    ",aardvark-dns,systemd-container,rootlesskit,lxc,lxcfs,bubblewrap"
)


class Compared(NamedTuple):
    """One value of one platform."""

    platform: str
    what: str
    asked: Any
    seen: Any
    verdict: str
    """``right``, ``unknown`` or ``WRONG``."""


def main(*argv: str) -> int:
    """Record, compare, print; return 1 if anything is wrong or did not start."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, help="keep the recordings there")
    parser.add_argument("--from", dest="given", type=Path, help="compare those there")
    parser.add_argument("--keep", type=Path, help="write them as data of tests into this folder")
    parser.add_argument("--suite", default="trixie", help="release of Debian (default: trixie)")
    parser.add_argument("--all", action="store_true", help="print what is right as well")
    parser.add_argument("names", nargs="*", metavar="NAME", help="or the start of one")
    options = parser.parse_args(argv)
    wanted = tuple(options.names)
    chosen = [each for each in (*HERE, *PLATFORMS) if not wanted or each.name.startswith(wanted)]
    out = options.given or options.out or Path(tempfile.mkdtemp(prefix="platforms-"))
    if options.given is None:
        record(chosen, out, options.suite)
    found = [value for each in chosen for value in compare(each, out / each.name)]
    for each in chosen if options.keep else ():
        keep(each, out / each.name, [value for value in found if value.platform == each.name], options.keep)
    print_table(found if options.all else [each for each in found if each.verdict != "right"])
    counts = Counter(each.verdict for each in found)
    print(
        f"{len(chosen)} platforms, {len(found)} values: {counts['right']} right,"
        f" {counts['unknown']} unknown, {counts['WRONG']} wrong, {counts['none']} not started"
    )
    return 1 if counts["WRONG"] or counts["none"] else 0


def record(platforms: Sequence[Platform], out: Path, suite: str) -> None:
    """Start each in the machine; leave its recording in a folder of *out*."""
    program = subprocess.run(
        [sys.executable, "-m", "onebin", "build", str(ROOT / "packages/service")],
        check=True,
        capture_output=True,
        text=True,
    ).stdout.strip()
    here = [each for each in platforms if each in HERE]
    there = [each for each in platforms if each not in HERE]
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        shutil.copy(program, folder / "app")
        (folder / "app").chmod(0o755)
        shutil.copy(FOLDER / "guest.sh", folder)
        script = folder / "script"
        if here:
            script.write_text(script_of(here))
            places = {"IN": folder, "OUT": out.resolve(), "PLACE": folder / "place"}
            environ = {**os.environ, **{name: str(place) for name, place in places.items()}}
            subprocess.run(["bash", str(script)], check=True, env=environ)
        if there:
            script.write_text(script_of(there))
            options = ["--suite", suite, "--packages", PACKAGES, "--out", str(out)]
            command = [str(FOLDER / "vm"), *options, "--seconds", "2400", str(script)]
            subprocess.run([*command, str(folder / "app"), str(folder / "guest.sh")], check=True)


def script_of(platforms: Iterable[Platform]) -> str:
    """Return the script that starts *platforms*, each in a shell of its own."""
    lines = ["#!/bin/bash", "OUT=${OUT:-/out}", ". ${IN:-/in}/guest.sh"]
    done = set()
    for each in platforms:
        if each.needs and each.needs not in done:
            done.add(each.needs)
            lines.append(f"( {each.needs} ) 2>&1 | tail -n 5")
        command = re.sub(r"\bNAME\b", each.name, each.command)
        lines += [
            f"mkdir -p $OUT/{each.name}",
            f"( {command} ) 2>$OUT/{each.name}/log || tail -n 2 $OUT/{each.name}/log",
            f"[ -f $OUT/{each.name}/recording/machine.json ] || echo {each.name}: none",
        ]
    lines.append("chmod -R a+rX $OUT; exit 0")
    return "\n".join(lines) + "\n"


def compare(platform: Platform, folder: Path) -> Iterator[Compared]:
    """Hold the report of a recording against what is true."""
    if not (folder / "recording" / "machine.json").exists():
        yield Compared(platform.name, "", "", "", "none")
        return
    snapshot = replay_platform(str(folder / "recording"))
    report = json.loads(msgspec.json.encode(snapshot))
    checks = {each["id"]: each for each in report["security"]["checks"]}
    number = folder / "id"
    for what, truth in platform.truths.items():
        asked = number.read_text().strip() if truth == "ID" and number.exists() else truth
        if asked is ...:
            continue
        if what in FACTS:
            yield fact(platform.name, what, asked, report)
            continue
        check = checks[what]
        right = check["verdict"] == asked
        verdict = "right" if right else "unknown" if check["verdict"] == "unknown" else "WRONG"
        yield Compared(platform.name, what, asked, check["message"], verdict)
    yield from live(platform.name, folder / "report.json", report)


def fact(platform: str, what: str, asked: Any, report: Any) -> Compared:
    """Compare one fact."""
    path, part = FACTS[what]
    found = report
    for step in path.split("."):
        found = found[step]
    if found["state"] == "unknown":
        return Compared(platform, what, asked, found["reason"], "unknown")
    seen = found["value"] if part == "" else found["value"][part]
    return Compared(platform, what, asked, seen, "right" if seen == asked else "WRONG")


def live(platform: str, file: Path, replayed: Any) -> Iterator[Compared]:
    """Compare the report that the program printed there with that of its recording."""
    try:
        printed = json.loads(file.read_text())
    except (OSError, ValueError):
        return
    for part in ("identity", "resources", "security"):
        there, here = printed[part], replayed[part]
        if part == "security":
            there, here = there["checks"], here["checks"]
        same = there == here
        yield Compared(platform, f"replay of {part}", "", "", "right" if same else "WRONG")


def keep(platform: Platform, folder: Path, found: Sequence[Compared], to: Path) -> None:
    """Write one file with the recording, stripped, and what is true; nothing if it is wrong."""
    if any(each.verdict not in {"right", "unknown"} for each in found):
        return
    recording = folder / "recording"
    machine = json.loads((recording / "machine.json").read_text())
    machine["entries"] = {"/dev": machine.get("entries", {}).get("/dev", 0)}
    machine["nodes"] = {
        path: node
        for path, node in machine["nodes"].items()
        if path.startswith("/dev/") or node[0] == "socket" or path in machine.get("writable", ())
        or not path.startswith(_PROGRAMS)
    }
    root = recording / "root"
    document = {
        "platform": platform.name,
        "command": platform.command,
        "true": {each.what: each.asked for each in found if not each.what.startswith("replay")},
        "unknown": sorted(each.what for each in found if each.verdict == "unknown"),
        "machine": machine,
        "files": {
            f"/{file.relative_to(root)}": file.read_text("utf-8", "backslashreplace")
            for file in sorted(root.rglob("*"))
            if file.is_file()
        },
    }
    to.mkdir(parents=True, exist_ok=True)
    text = json.dumps(document, indent=1, sort_keys=True)
    (to / f"{platform.name}.json").write_text(re.sub(r"\n\s+(?=[^\n\"{]*[\],])", " ", text) + "\n")


_PROGRAMS: Final = ("/usr", "/bin", "/sbin", "/lib", "/opt", "/app", "/var", "/home", "/root")
"""Where the search for set-id programs goes: left out, so that it is unknown."""


def print_table(found: Iterable[Compared]) -> None:
    """Print a line for each value."""
    for each in found:
        line = f"{each.platform:24} {each.what:24} {each.verdict:8}"
        print(f"{line} asked {each.asked!r}: {str(each.seen)[:150]}")


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
