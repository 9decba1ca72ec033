"""The system calls that are tried: numbers, arguments, and the errors by which the kernel shows.

Each call has arguments that Linux rejects before it does or checks anything else, so that its own
error proves that no filter came first.

Sources: arch/x86/entry/syscalls/syscall_64.tbl, include/uapi/asm-generic/unistd.h (arm64), and the
first checks of each SYSCALL_DEFINE; what runtimes refuse: moby, profiles/seccomp/default.json.
"""

import errno
from typing import Final

import msgspec

NONE: Final = -1
"""No descriptor, no process; as a number of a call: the processor has no such call."""
_ALL: Final = 0xFFFFFFFF
"""Every flag, the undefined ones as well."""
ALWAYS: Final = (99, 0)
"""Later than any release."""

# Name, number on x86-64 and on arm64, arguments, errors of the kernel itself, conditions; use.
# As an address 1 is in the first page, which is never mapped. 0 among the errors: the call
# succeeds, and that is harmless. Text and not values: in the executable it is half as large.
_TABLE: Final = """
= Namespaces and mounts
unshare 272 97 1 EINVAL : new namespaces, as sandboxes make
clone 56 220 0x10000200 EINVAL : a child in a user namespace
setns 308 268 -1,0 EBADF : enter other namespaces
mount 165 40 0,0,1,0,0 EFAULT : mount file systems
umount2 166 39 0,all EINVAL : remove mounts, masks among them
pivot_root 155 41 1,1 EFAULT needs=SYS_ADMIN : replace the root
chroot 161 51 1 EFAULT : change the root directory
open_tree 428 428 -1,0,all EINVAL since=5.2 : copy mounts
mount_setattr 442 442 -1,0,all EINVAL since=5.12 : unlock mounts
swapon 167 224 1,all EINVAL : use a file as swap
= The kernel's inside
bpf 321 280 9999,0,0 EINVAL,E2BIG needs=BPF setting=kernel.unprivileged_bpf_disabled before=5.19 : programs in the kernel
perf_event_open 298 241 0,0,-1,-1,all EINVAL : measure the kernel
userfaultfd 323 282 17 EINVAL setting=vm.unprivileged_userfaultfd before=5.11 : page faults in user space, to slow the kernel for exploits
io_uring_setup 425 425 0,1 EFAULT,EINVAL setting=kernel.io_uring_disabled : I/O by shared rings, past filters of single calls
keyctl 250 219 9999 EOPNOTSUPP : the kernel's keys, not namespaced
add_key 248 217 1,1,1,0x40000000 EINVAL : add such a key
request_key 249 218 1,1,1 EFAULT : find such a key
finit_module 313 273 -1,1,all EINVAL,EBADF needs=SYS_MODULE : load modules
syslog 103 116 99,0,0 EINVAL needs=SYSLOG setting=kernel.dmesg_restrict : read the kernel's log
personality 135 92 0x40000 0 : turn off address randomization
iopl 172 -1 4 EINVAL : reach the machine's I/O ports
ioperm 173 -1 all,all,1 EINVAL : the same, port by port
socket/AF_ALG 41 198 38,5,0 0,EAFNOSUPPORT,ESOCKTNOSUPPORT : ciphers of the kernel
socket/AF_VSOCK 41 198 40,1,0 0,EAFNOSUPPORT,ESOCKTNOSUPPORT : talk to the hypervisor
= Other processes and files
ptrace 101 117 99999,-1 ESRCH : debug, and take over, a process
process_vm_readv 310 270 1,1,1,1,1,1 EINVAL : read others' memory
process_vm_writev 311 271 1,1,1,1,1,1 EINVAL : write others' memory
kcmp 312 272 -1,-1,99 ESRCH : compare kernel addresses
pidfd_getfd 438 438 -1,-1,1 EINVAL since=5.6 : take others' open files
open_by_handle_at 304 265 -1,1,0 EFAULT,EBADF needs=DAC_READ_SEARCH : open any file of a disk: an escape that was used
name_to_handle_at 303 264 -1,1,0,0,all EINVAL : handles for that
= Clock and memory policy
clock_settime 227 112 0,1 EFAULT : set the machine's clock
clock_adjtime 305 266 0,1 EFAULT : tune the machine's clock
settimeofday 164 170 1,0 EFAULT : set the machine's clock
set_mempolicy 238 237 32767,0,0 EINVAL : NUMA: databases use it
mbind 237 235 0,0,32767,0,0,all EINVAL : NUMA: JVMs use it
move_pages 279 239 0,0,0,0,0,all EINVAL : move pages, NUMA
= Calls that programs expect
seccomp 317 277 99,0,0 EINVAL : narrower filters: browsers, sshd
landlock_create_ruleset 444 444 0,0,128 EINVAL,EOPNOTSUPP : a sandbox without privileges
clone3 435 435 0,0 EINVAL since=5.5 : threads of glibc from 2.34 on; EPERM in place of ENOSYS breaks them
statx 332 291 -1,1,all,0x80000000 EINVAL,EFAULT since=4.11 : stat of musl and Rust
openat2 437 437 -1,1 EINVAL since=5.6 : runc's safe paths
faccessat2 439 439 -1,1,all,all EINVAL since=5.8 : access of glibc from 2.33 on
close_range 436 436 2,1,0 EINVAL since=5.9 : quick spawns
pidfd_open 434 434 -1,all EINVAL since=5.3 : wait for a child
epoll_pwait2 441 441 -1,1,0 EINVAL,EBADF since=5.11 : event loops
futex_waitv 449 449 1,0,1 EINVAL since=5.16 : Wine
rseq 334 293 1,0,2 EINVAL : glibc's and tcmalloc's CPU caches
membarrier 324 283 9999,all EINVAL : .NET and liburcu
copy_file_range 326 285 -1,0,-1,0,0,1 EINVAL,EBADF since=4.5 : copies within a disk
memfd_create 319 279 1,all EINVAL since=3.17 : files in memory
"""  # noqa: E501  a line is a row


class Call(msgspec.Struct, frozen=True):
    """One call."""

    name: str
    group: str
    """Its subject."""
    x86_64: int
    aarch64: int
    arguments: tuple[int, ...]
    reached: tuple[int, ...]
    """Errors of the kernel itself, 0 among them for a harmless success."""
    why: str
    """What a program could do with it, or lacks without it."""
    needs: str
    """The capability that the kernel may want first; or empty."""
    setting: str
    """The sysctl by which the kernel may refuse it first; or empty."""
    before: tuple[int, int]
    """The release from which the kernel rejects the arguments before right and sysctl."""
    since: tuple[int, int]
    """The release from which every kernel has it; (0, 0): any may lack it."""


def calls() -> tuple[Call, ...]:
    """Return the calls of the table, in the order of the report."""
    group, found = "", []
    for line in _TABLE.strip("\n").split("\n"):
        if line.startswith("= "):
            group = line[2:]
            continue
        head, _, why = line.partition(" : ")
        name, x86_64, aarch64, arguments, errors, *rest = head.split(" ")
        conditions = dict([each.split("=", 1) for each in rest])
        found.append(
            Call(
                name,
                group,
                int(x86_64),
                int(aarch64),
                tuple([_ALL if each == "all" else int(each, 0) for each in arguments.split(",")]),
                tuple([getattr(errno, each, 0) for each in errors.split(",")]),
                why,
                conditions.get("needs", ""),
                conditions.get("setting", ""),
                release(conditions.get("before", "")) or ALWAYS,
                release(conditions.get("since", "")) or (0, 0),
            )
        )
    return tuple(found)


def release(text: str) -> tuple[int, int] | None:
    """Return the first two numbers of a kernel's release; ``None``: it has none."""
    major, _, rest = text.partition(".")
    minor = rest.partition(".")[0].partition("-")[0]
    return (int(major), int(minor)) if f"{major}{minor}".isdecimal() and minor else None
