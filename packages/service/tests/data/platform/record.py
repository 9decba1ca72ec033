"""Record what a container sees of its platform: one saved tree for each way of starting it.

Needs a Docker engine and an image with a Python in it:

    python record.py [--image python:3.13-slim] [NAME ...]

Nothing is mounted into the container for this: the program goes in through standard input
and the files come out through standard output, so the tree is what a workload would see.
"""

import argparse
import json
import shutil
import subprocess
from pathlib import Path

HERE = Path(__file__).parent

WAYS = {
    "docker-default": "",
    "docker-limited": (
        "--cpus 0.5 --memory 64m --pids-limit 50 --read-only --cap-drop ALL"
        " --security-opt no-new-privileges --user 65532:65532 --network none"
    ),
    "docker-privileged": (
        "--cap-add ALL --cap-drop SYS_RESOURCE --security-opt seccomp=unconfined"
        " --security-opt systempaths=unconfined -v /dev:/dev -v /sys:/sys"
    ),
    "docker-host": (
        "--pid host --network host --ipc host --uts host"
        " -v /var/run/docker.sock:/var/run/docker.sock"
    ),
}
"""Name of the tree -> options of ``docker run``."""

NOTES = {
    "docker-privileged": (
        "What `--privileged` gives, asked for piece by piece: the machine this was recorded on\n"
        "has no CAP_SYS_RESOURCE itself, so an engine on it refuses the option.\n"
    ),
}

PROBE = r"""
import errno, json, os, stat, sys

FILES = '''
/proc/self/status /proc/self/cgroup /proc/self/mountinfo /proc/self/limits
/proc/self/oom_score_adj /proc/self/schedstat /proc/self/uid_map /proc/self/gid_map
/proc/self/attr/current /proc/self/attr/apparmor/current
/proc/meminfo /proc/version /proc/pressure/cpu /proc/pressure/memory /proc/pressure/io
/proc/net/route /proc/net/ipv6_route /proc/net/fib_trie /proc/net/if_inet6
/proc/sys/kernel/ostype /proc/sys/kernel/osrelease /proc/sys/kernel/hostname
/proc/sys/kernel/shm_rmid_forced /proc/sys/net/core/somaxconn
/proc/sys/net/ipv4/ip_local_port_range /proc/sys/net/ipv4/ip_unprivileged_port_start
/proc/sys/net/ipv4/tcp_syncookies
/sys/devices/system/cpu/online /sys/kernel/security/lsm
/sys/module/apparmor/parameters/enabled /etc/resolv.conf
'''.split()
LINKS = ["/proc/self/ns/" + kind for kind in "cgroup ipc mnt net pid user uts".split()]
GROUP = '''
cgroup.controllers cgroup.procs cgroup.type release_agent
cpu.max cpu.max.burst cpu.weight cpu.stat cpu.pressure cpu.cfs_quota_us cpu.cfs_period_us
cpu.cfs_burst_us cpu.shares cpuacct.usage cpuset.cpus.effective cpuset.effective_cpus
memory.max memory.high memory.low memory.current memory.peak memory.swap.max
memory.swap.current memory.events memory.stat memory.oom.group memory.pressure
memory.limit_in_bytes memory.usage_in_bytes memory.max_usage_in_bytes memory.failcnt
memory.memsw.limit_in_bytes memory.oom_control
pids.max pids.current pids.peak pids.events io.max io.stat io.pressure
blkio.throttle.read_bps_device blkio.throttle.write_bps_device
blkio.throttle.read_iops_device blkio.throttle.write_iops_device
blkio.throttle.io_service_bytes blkio.throttle.io_serviced
'''.split()
PLACES = "/ /bin /etc /home /opt /root /tmp /usr /usr/bin /var".split()
SET_ID = "/usr/bin /usr/sbin /usr/local/bin /usr/libexec /usr/lib".split()

out = {"files": {}, "links": {}, "refused": {}, "nodes": {}, "spaces": {}, "writable": []}

def read(path):
    try:
        with open(path, errors="backslashreplace") as file:
            out["files"][path] = file.read()
    except OSError as exc:
        if exc.errno not in (errno.ENOENT, errno.ENOTDIR):
            out["refused"][path] = errno.errorcode[exc.errno]

def node(path):
    try:
        found = os.lstat(path)
    except OSError:
        return
    kind = {
        stat.S_IFREG: "file", stat.S_IFDIR: "directory", stat.S_IFLNK: "link",
        stat.S_IFSOCK: "socket", stat.S_IFIFO: "pipe", stat.S_IFCHR: "character",
        stat.S_IFBLK: "block",
    }[stat.S_IFMT(found.st_mode)]
    out["nodes"][path] = [kind, stat.S_IMODE(found.st_mode)]

for path in FILES:
    read(path)
for path in LINKS:
    out["links"][path] = os.readlink(path)

points = []
groups = []
for line in out["files"]["/proc/self/mountinfo"].splitlines():
    before, after = line.split(" - ")
    point = before.split()[4]
    points.append(point)
    if after.split()[0] in ("cgroup", "cgroup2"):
        groups.append((before.split()[3], point, after.split()[2]))
paths = {}
for line in out["files"]["/proc/self/cgroup"].splitlines():
    _, names, path = line.split(":", 2)
    for name in names.split(","):
        paths[name] = path
for root, point, options in groups:
    inside = next((paths[name] for name in options.split(",") if name in paths), root)
    directory = point
    for step in ["", *inside.removeprefix(root.rstrip("/")).split("/")[1:]]:
        directory = directory + "/" + step if step else directory
        for name in GROUP:
            read(directory + "/" + name)

try:
    for name in sorted(os.listdir("/sys/class/net")):
        for field in ("mtu", "operstate", "address", "ifindex", "iflink"):
            read("/sys/class/net/" + name + "/" + field)
except OSError:
    pass
for name in os.listdir("/dev"):
    node("/dev/" + name)
for path in ("/.dockerenv", "/run/.containerenv", "/var/run/docker.sock", "/run/docker.sock"):
    node(path)
for directory in SET_ID:
    node(directory)
    for name in os.listdir(directory) if os.path.isdir(directory) else ():
        mode = os.lstat(directory + "/" + name).st_mode
        if stat.S_ISREG(mode) and mode & 0o6000:
            node(directory + "/" + name)
for point in sorted({*points, *PLACES}):
    if os.access(point, os.W_OK):
        out["writable"].append(point)
for point in sorted(set(points)):
    try:
        room = os.statvfs(point)
    except OSError as exc:
        out["refused"]["statvfs:" + point] = errno.errorcode[exc.errno]
        continue
    size, free = room.f_blocks * room.f_frsize, room.f_bavail * room.f_frsize
    out["spaces"][point] = [size, free, room.f_files, room.f_favail]
out["environ"] = {name: value for name, value in os.environ.items() if name != "GPG_KEY"}
json.dump(out, sys.stdout)
"""


def main() -> None:
    """Record the trees asked for, else all."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--image", default="python:3.13-slim")
    parser.add_argument("names", nargs="*", metavar="NAME", choices=[[], *WAYS])
    arguments = parser.parse_args()
    for name in arguments.names or WAYS:
        store(name, probe(WAYS[name].split(), arguments.image))


def probe(options: list[str], image: str) -> dict[str, dict[str, str]]:
    """Run the probe in a container and take what it prints."""
    command = ["docker", "run", "--rm", "-i", *options, image, "python3", "-"]
    process = subprocess.run(command, input=PROBE, capture_output=True, text=True, check=True)
    return scrub(json.loads(process.stdout))


def scrub(found: dict[str, dict[str, str]]) -> dict[str, dict[str, str]]:
    """Take out what tells about the machine and not about the container."""
    files = found["files"]
    release = files["/proc/sys/kernel/osrelease"].strip()
    plain = release.partition("-")[0]
    files["/proc/sys/kernel/osrelease"] = f"{plain}\n"
    version = files["/proc/version"].replace(release, plain)
    before, _, after = version.partition(" (")
    files["/proc/version"] = f"{before} (builder@example) (gcc{after.partition('(gcc')[2]}"
    lines = files.get("/etc/resolv.conf", "").splitlines()
    files["/etc/resolv.conf"] = "".join(
        "nameserver 192.0.2.53\n" if line.startswith("nameserver") else f"{line}\n"
        for line in lines
    )
    return found


def store(name: str, found: dict[str, dict[str, str]]) -> None:
    """Write the tree: what a file system can hold as files, the rest beside them."""
    directory = HERE / name
    shutil.rmtree(directory, ignore_errors=True)
    root = directory / "root"
    for path, text in found.pop("files").items():
        file = root / path.lstrip("/")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    for path, target in found.pop("links").items():
        link = root / path.lstrip("/")
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(target)
    (directory / "machine.json").write_text(json.dumps(found, indent=1, sort_keys=True) + "\n")
    command = " ".join(f"docker run --rm -i {WAYS[name]} IMAGE python3 -".split())
    note = NOTES.get(name, "")
    (directory / "README.md").write_text(f"Recorded by `record.py`:\n\n    {command}\n\n{note}")


if __name__ == "__main__":
    main()
