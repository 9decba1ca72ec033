"""Run a packed program where nothing else is: an empty root, an unprivileged user.

The root has what a container engine adds to an image FROM scratch: /proc, three devices, /dev/shm
and a /tmp. A packed program may start itself without end: its processes are in a PID namespace,
limited in number, and end with it.
"""

import os
import shutil
import subprocess
from pathlib import Path
from typing import Final

_USER: Final = "12345:12345"
_PROCESSES: Final = 200
_PROCESSES_UNPRIVILEGED: Final = 2000
"""Without root the limit counts all processes of the user, those outside as well."""

_INSIDE: Final = """\
root=$1; shift
for name in null zero urandom; do mount --bind "/dev/$name" "$root/dev/$name"; done
mount -t proc proc "$root/proc"
exec "$@"
"""


def run(program: Path, root: Path, *, timeout_seconds: int) -> subprocess.CompletedProcess[bytes]:
    """Run *program* as the only file of *root*, a folder to be made, with an empty environment.

    Without root the user inside is the caller, mapped to root of a user namespace: Linux maps
    no other one for an unprivileged caller.

    Raises:
        subprocess.TimeoutExpired: it ran for longer; nothing of it is left.
    """
    for folder in ("tmp", "proc", "dev/shm"):
        (root / folder).mkdir(parents=True)
    for folder in ("tmp", "dev/shm"):
        (root / folder).chmod(0o1777)
    for place in (root, root / "dev", root / "proc"):
        place.chmod(0o755)
    for name in ("null", "zero", "urandom"):
        (root / "dev" / name).touch()
    shutil.copyfile(program, root / "app")
    (root / "app").chmod(0o755)
    is_root = os.geteuid() == 0
    limit = _PROCESSES if is_root else _PROCESSES_UNPRIVILEGED
    user = [f"--userspec={_USER}"] if is_root else []
    chroot = shutil.which("chroot", path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
    unshare = ["unshare", *([] if is_root else ["-Ur"]), "-m", "-p", "-f", "--kill-child"]
    inside = ["prlimit", f"--nproc={limit}", "env", "-i", str(chroot), *user, str(root), "/app"]
    return subprocess.run(
        [*unshare, "sh", "-ec", _INSIDE, "sh", str(root), *inside],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
        timeout=timeout_seconds,
    )
