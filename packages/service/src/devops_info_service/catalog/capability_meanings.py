"""What each capability lets a process do, in a reader's words; the gravest first.

Source: capabilities(7).
"""

from collections.abc import Iterable
from typing import Final

MEANINGS: Final = {
    "SYS_ADMIN": "mount file systems, enter namespaces, load BPF: most of what root may do",
    "SYS_MODULE": "load modules into the kernel, as good as the machine itself",
    "SYS_RAWIO": "read and write the machine's memory and ports",
    "SYS_PTRACE": "read and change other processes that it sees",
    "DAC_READ_SEARCH": "read every file, and open files of the machine by their handle",
    "BPF": "load programs into the kernel",
    "PERFMON": "watch the whole kernel's performance events",
    "CHECKPOINT_RESTORE": "set the ids of processes and open their files",
    "SYS_BOOT": "reboot the machine or load another kernel",
    "SYS_TIME": "set the machine's clock",
    "NET_ADMIN": "change addresses, routes and firewall of its network",
    "NET_RAW": "forge packets on its network",
    "MKNOD": "make device nodes, which the device list of its group may still refuse",
    "DAC_OVERRIDE": "read and write every file whatever its permissions",
    "SETUID": "become any user of its user namespace",
    "SETGID": "become any group of its user namespace",
    "SETFCAP": "give capabilities to programs on disk",
    "SETPCAP": "hand its own capabilities on and drop them for good",
    "CHOWN": "give files to any user",
    "FOWNER": "change mode and times of every user's files",
    "FSETID": "keep set-uid bits of files it changes",
    "KILL": "signal processes of every user",
    "SYS_CHROOT": "change its root directory",
    "NET_BIND_SERVICE": "listen on ports below 1024",
    "NET_BROADCAST": "do nothing more: unused by the kernel",
    "AUDIT_WRITE": "write records into the kernel's audit log",
    "AUDIT_CONTROL": "turn the kernel's auditing off",
    "AUDIT_READ": "read the kernel's audit log",
    "MAC_ADMIN": "change the policy of the security module",
    "MAC_OVERRIDE": "pass over the policy of the security module",
    "SYSLOG": "read the kernel's log and addresses",
    "SYS_PACCT": "turn process accounting on and off",
    "SYS_NICE": "raise priorities and move other processes between CPUs",
    "SYS_RESOURCE": "pass over its own limits and disk quotas",
    "SYS_TTY_CONFIG": "hang up terminals",
    "IPC_LOCK": "lock any amount of memory",
    "IPC_OWNER": "use every user's shared memory and queues",
    "LINUX_IMMUTABLE": "change files marked immutable",
    "LEASE": "hold leases on every user's files",
    "WAKE_ALARM": "wake the machine up",
    "BLOCK_SUSPEND": "keep the machine awake",
}
"""By name, without ``CAP_``."""


def explained(names: Iterable[str]) -> tuple[str, ...]:
    """Return a line for each of *names*, the gravest first; one newer than the list is last."""
    held = frozenset(names)
    known = [f"{name}: may {meaning}" for name, meaning in MEANINGS.items() if name in held]
    newer = [f"{name}: newer than this program" for name in sorted(held - MEANINGS.keys())]
    return (*known, *newer)
