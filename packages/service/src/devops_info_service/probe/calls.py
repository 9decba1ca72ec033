"""The system calls that are tried: numbers, arguments, and the errors by which the kernel shows.

Each call has arguments that Linux rejects before it does or checks anything else, so that its own
error proves that no filter came first. Where a right is checked first, ``needs`` names it, and
``setting`` the sysctl that may refuse as well.

Sources: arch/x86/entry/syscalls/syscall_64.tbl, include/uapi/asm-generic/unistd.h (arm64), and the
first checks of each SYSCALL_DEFINE; what runtimes refuse: moby, profiles/seccomp/default.json.
"""

from errno import E2BIG, EAFNOSUPPORT, EBADF, EFAULT, EINVAL, EOPNOTSUPP, ESOCKTNOSUPPORT, ESRCH
from typing import Final

import msgspec

BAD: Final = 1
"""An address in the first page, which is never mapped."""
ALL: Final = 0xFFFFFFFF
"""Every flag, the undefined ones as well."""
NONE: Final = -1
"""No descriptor, no process; as a number of a call: the processor has no such call."""
_NEW_USER_AND_FS: Final = 0x10000200
_NO_RANDOMIZE: Final = 0x40000
_AF_VSOCK, _AF_ALG = 40, 38


class Call(msgspec.Struct, frozen=True):
    """One call."""

    name: str
    x86_64: int
    aarch64: int
    arguments: tuple[int, ...]
    reached: tuple[int, ...]
    """Errors of the kernel itself; 0: it succeeds, and that is harmless."""
    why: str
    """What a program could do with it, or lacks without it."""
    needs: str = ""
    """The capability that the kernel may want first."""
    setting: str = ""
    """The sysctl by which the kernel may refuse it first."""
    before: tuple[int, int] = (99, 0)
    """The release from which the kernel rejects these arguments before right and sysctl."""
    since: tuple[int, int] = (0, 0)
    """The release from which every kernel has it; an older one, or (0, 0), may lack it."""


_INVALID: Final = (EINVAL,)
_FAULT: Final = (EFAULT,)
_SOCKET: Final = (0, EAFNOSUPPORT, ESOCKTNOSUPPORT)

GROUPS: Final[tuple[tuple[str, tuple[Call, ...]], ...]] = (
    (
        "Namespaces and mounts",
        (
            Call("unshare", 272, 97, (1,), _INVALID, "new namespaces, as sandboxes make"),
            Call("clone", 56, 220, (_NEW_USER_AND_FS,), _INVALID, "a child in a user namespace"),
            Call("setns", 308, 268, (NONE, 0), (EBADF,), "enter other namespaces"),
            Call("mount", 165, 40, (0, 0, BAD, 0, 0), _FAULT, "mount file systems"),
            Call("umount2", 166, 39, (0, ALL), _INVALID, "remove mounts, masks among them"),
            Call("pivot_root", 155, 41, (BAD, BAD), _FAULT, "replace the root", "SYS_ADMIN"),
            Call("chroot", 161, 51, (BAD,), _FAULT, "change the root directory"),
            Call("open_tree", 428, 428, (NONE, 0, ALL), _INVALID, "copy mounts", since=(5, 2)),
            Call(
                "mount_setattr", 442, 442, (NONE, 0, ALL), _INVALID, "unlock mounts", since=(5, 12)
            ),
            Call("swapon", 167, 224, (BAD, ALL), _INVALID, "use a file as swap"),
        ),
    ),
    (
        "The kernel's inside",
        (
            Call(
                "bpf",
                321,
                280,
                (9999, 0, 0),
                (EINVAL, E2BIG),
                "programs in the kernel",
                "BPF",
                "kernel.unprivileged_bpf_disabled",
                before=(5, 19),
            ),
            Call(
                "perf_event_open", 298, 241, (0, 0, NONE, NONE, ALL), _INVALID, "measure the kernel"
            ),
            Call(
                "userfaultfd",
                323,
                282,
                (0x11,),
                _INVALID,
                "page faults handled in user space, which exploits slow the kernel with",
                setting="vm.unprivileged_userfaultfd",
                before=(5, 11),
            ),
            Call(
                "io_uring_setup",
                425,
                425,
                (0, BAD),
                (EFAULT, EINVAL),
                "I/O by shared rings, past filters of single calls",
                setting="kernel.io_uring_disabled",
            ),
            Call("keyctl", 250, 219, (9999,), (EOPNOTSUPP,), "the kernel's keys, not namespaced"),
            Call("add_key", 248, 217, (BAD, BAD, BAD, 1 << 30), _INVALID, "add such a key"),
            Call("request_key", 249, 218, (BAD, BAD, BAD), _FAULT, "find such a key"),
            Call(
                "finit_module",
                313,
                273,
                (NONE, BAD, ALL),
                (EINVAL, EBADF),
                "load modules",
                "SYS_MODULE",
            ),
            Call(
                "syslog",
                103,
                116,
                (99, 0, 0),
                _INVALID,
                "read the kernel's log",
                "SYSLOG",
                "kernel.dmesg_restrict",
            ),
            Call("personality", 135, 92, (_NO_RANDOMIZE,), (0,), "turn off address randomization"),
            Call("iopl", 172, NONE, (4,), _INVALID, "reach the machine's I/O ports"),
            Call("ioperm", 173, NONE, (ALL, ALL, 1), _INVALID, "the same, port by port"),
            Call("socket AF_ALG", 41, 198, (_AF_ALG, 5, 0), _SOCKET, "ciphers of the kernel"),
            Call("socket AF_VSOCK", 41, 198, (_AF_VSOCK, 1, 0), _SOCKET, "talk to the hypervisor"),
        ),
    ),
    (
        "Other processes and files",
        (
            Call("ptrace", 101, 117, (99999, NONE), (ESRCH,), "debug, and take over, a process"),
            Call("process_vm_readv", 310, 270, (1, 1, 1, 1, 1, 1), _INVALID, "read others' memory"),
            Call(
                "process_vm_writev", 311, 271, (1, 1, 1, 1, 1, 1), _INVALID, "write others' memory"
            ),
            Call("kcmp", 312, 272, (NONE, NONE, 99), (ESRCH,), "compare kernel addresses"),
            Call(
                "pidfd_getfd",
                438,
                438,
                (NONE, NONE, 1),
                _INVALID,
                "take others' open files",
                since=(5, 6),
            ),
            Call(
                "open_by_handle_at",
                304,
                265,
                (NONE, BAD, 0),
                (EFAULT, EBADF),
                "open any file of a disk: an escape that was used",
                "DAC_READ_SEARCH",
            ),
            Call(
                "name_to_handle_at", 303, 264, (NONE, BAD, 0, 0, ALL), _INVALID, "handles for that"
            ),
        ),
    ),
    (
        "Clock and memory policy",
        (
            Call("clock_settime", 227, 112, (0, BAD), _FAULT, "set the machine's clock"),
            Call("clock_adjtime", 305, 266, (0, BAD), _FAULT, "tune the machine's clock"),
            Call("settimeofday", 164, 170, (BAD, 0), _FAULT, "set the machine's clock"),
            Call("set_mempolicy", 238, 237, (0x7FFF, 0, 0), _INVALID, "NUMA: databases use it"),
            Call("mbind", 237, 235, (0, 0, 0x7FFF, 0, 0, ALL), _INVALID, "NUMA: JVMs use it"),
            Call("move_pages", 279, 239, (0, 0, 0, 0, 0, ALL), _INVALID, "move pages, NUMA"),
        ),
    ),
    (
        "Calls that programs expect",
        (
            Call("seccomp", 317, 277, (99, 0, 0), _INVALID, "narrower filters: browsers, sshd"),
            Call(
                "landlock_create_ruleset",
                444,
                444,
                (0, 0, 0x80),
                (EINVAL, EOPNOTSUPP),
                "a sandbox without privileges",
            ),
            Call(
                "clone3",
                435,
                435,
                (0, 0),
                _INVALID,
                "threads of glibc from 2.34 on; EPERM in place of ENOSYS breaks them",
                since=(5, 5),
            ),
            Call(
                "statx",
                332,
                291,
                (NONE, BAD, ALL, 1 << 31),
                (EINVAL, EFAULT),
                "stat of musl and Rust",
                since=(4, 11),
            ),
            Call("openat2", 437, 437, (NONE, BAD), _INVALID, "runc's safe paths", since=(5, 6)),
            Call(
                "faccessat2",
                439,
                439,
                (NONE, BAD, ALL, ALL),
                _INVALID,
                "access of glibc from 2.33 on",
                since=(5, 8),
            ),
            Call("close_range", 436, 436, (2, 1, 0), _INVALID, "quick spawns", since=(5, 9)),
            Call("pidfd_open", 434, 434, (NONE, ALL), _INVALID, "wait for a child", since=(5, 3)),
            Call(
                "epoll_pwait2",
                441,
                441,
                (NONE, BAD, 0),
                (EINVAL, EBADF),
                "event loops",
                since=(5, 11),
            ),
            Call("futex_waitv", 449, 449, (BAD, 0, 1), _INVALID, "Wine", since=(5, 16)),
            Call("rseq", 334, 293, (BAD, 0, 2), _INVALID, "glibc's and tcmalloc's CPU caches"),
            Call("membarrier", 324, 283, (9999, ALL), _INVALID, ".NET and liburcu"),
            Call(
                "copy_file_range",
                326,
                285,
                (NONE, 0, NONE, 0, 0, 1),
                (EINVAL, EBADF),
                "copies within a disk",
                since=(4, 5),
            ),
            Call("memfd_create", 319, 279, (BAD, ALL), _INVALID, "files in memory", since=(3, 17)),
        ),
    ),
)
"""By subject, in the order of the report."""
