"""Record real platforms and hold each report against the request: ``make platforms``.

Everything in ``table.py`` is started in a Debian machine in QEMU (``vm``), and some with Docker
on this one (``here-...``). Prints a line for each value that is wrong or unknown, and the
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
from typing import Final

from devops_info_service.errors import ConfigError

from .comparison import Compared, compare_report, report_of
from .recordings import keep
from .table import HERE, PLATFORMS, Platform

FOLDER: Final = Path(__file__).parent
ROOT: Final = FOLDER.parents[1]
PACKAGES: Final = (
    "docker.io,docker-cli,podman,crun,runc,runsc,passt,slirp4netns,fuse-overlayfs,netavark"
    ",aardvark-dns,systemd-container,rootlesskit,lxc,lxcfs,bubblewrap"
)


def main(*argv: str) -> int:
    """Record, compare, print; return 1 if anything is wrong or did not start."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, help="keep the recordings there")
    parser.add_argument("--from", dest="given", type=Path, help="compare those there")
    parser.add_argument("--keep", action="store_true", help="write them as the data of the tests")
    parser.add_argument("--suite", default="trixie", help="release of Debian (default: trixie)")
    parser.add_argument("--all", action="store_true", help="print the right ones as well")
    parser.add_argument("names", nargs="*", metavar="NAME", help="or the start of one")
    options = parser.parse_args(argv)
    wanted = tuple(options.names)
    chosen = [each for each in (*HERE, *PLATFORMS) if not wanted or each.name.startswith(wanted)]
    out = options.given or options.out or Path(tempfile.mkdtemp(prefix="platforms-"))
    if options.given is None:
        record(chosen, out, options.suite)
    found = [value for each in chosen for value in compare(each, out / each.name)]
    if options.given is None:
        found += [value for each in chosen for value in live(each.name, out / each.name)]
    for each in chosen if options.keep else ():
        of_it = [value for value in found if value.platform == each.name]
        if {value.verdict for value in of_it} <= {"right", "unknown"}:
            keep(each, out / each.name / "recording", of_it)
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
        machines = dict.fromkeys((each.suite or suite, each.arguments) for each in there)
        for release, arguments in machines:
            chosen = [
                each
                for each in there
                if (each.suite or suite, each.arguments) == (release, arguments)
            ]
            script.write_text(script_of(chosen))
            packages = PACKAGES if release != "bookworm" else PACKAGES.replace("docker-cli,", "")
            options = ["--suite", release, "--packages", packages, "--out", str(out)]
            options += ["--append", arguments] if arguments else []
            command = [str(FOLDER / "vm"), *options, "--seconds", "2400", str(script)]
            subprocess.run([*command, str(folder / "app"), str(folder / "guest.sh")], check=True)


def script_of(platforms: Iterable[Platform]) -> str:
    """Return the script that starts *platforms*, each in another shell."""
    lines = ["#!/bin/bash", "OUT=${OUT:-/out}", ". ${IN:-/in}/guest.sh"]
    done = set()
    for each in platforms:
        if each.needs and each.needs not in done:
            done.add(each.needs)
            lines.append(f"( {each.needs} ) 2>&1 | tail -n 5")
        command = re.sub(r"\bNAME\b", each.name, each.command)
        lines += [
            f"echo {each.name}; mkdir -p $OUT/{each.name}",
            f"( {command} ) 2>$OUT/{each.name}/log || tail -n 2 $OUT/{each.name}/log",
            f"[ -f $OUT/{each.name}/recording/machine.json ] || echo {each.name}: none",
        ]
    lines.append("chmod -R a+rX $OUT; exit 0")
    return "\n".join(lines) + "\n"


def compare(platform: Platform, folder: Path) -> Iterator[Compared]:
    """Hold the report of a recording against the truth."""
    if not (folder / "recording" / "machine.json").exists():
        yield Compared(platform.name, "", "", "", "none")
        return
    number = folder / "id"
    truths = {
        what: number.read_text().strip() if truth == "ID" else truth
        for what, truth in platform.truths.items()
        if truth is not ... and (truth != "ID" or number.exists())
    }
    yield from compare_report(platform.name, truths, report_of(folder / "recording"))


def live(platform: str, folder: Path) -> Iterator[Compared]:
    """Compare the report that the program printed there with that of its recording."""
    try:
        printed = json.loads((folder / "report.json").read_text())
        replayed = report_of(folder / "recording")
    except (OSError, ValueError, ConfigError):
        return
    for part in ("identity", "resources", "security"):
        there, here = printed[part], replayed[part]
        if part == "security":
            there, here = there["checks"], here["checks"]
        same = there == here
        yield Compared(platform, f"replay of {part}", "", "", "right" if same else "WRONG")


def print_table(found: Iterable[Compared]) -> None:
    """Print a line for each value."""
    for each in found:
        line = f"{each.platform:24} {each.what:24} {each.verdict:8}"
        print(f"{line} expected {each.truth!r}: {str(each.seen)[:150]}")


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
