"""Functions that musl and glibc have otherwise; Python programs expect glibc's.

In whole programs alone: a pruned one counts bytes.
"""

from typing import Final

SOURCES: Final = (
    "libc_dates.c",
    "libc_locale.c",
    "libc_math.c",
    "libc_scheduling.c",
    "libc_strings.c",
    "libc_texts.c",
)

WRAPPED: Final = (
    "strftime", "wcsftime", "setlocale", "sched_getscheduler", "sched_setscheduler",
    "sched_getparam", "sched_setparam", "strerror", "strerror_r", "strsignal", "gai_strerror",
    "sysconf", "log2", "fma", "strchr", "memchr",
)  # fmt: skip
"""Functions of libc that the sources replace."""
