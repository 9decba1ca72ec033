/* Scheduling as glibc has it (ld --wrap).
 *
 * musl refuses the policy of a process with ENOSYS, as its threads have none in common: Python's os
 * module means the thread, as the kernel does. And it counts only the processors of this process,
 * which is os.process_cpu_count(); os.cpu_count() is all that are online.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

int
__wrap_sched_getscheduler(pid_t process)
{
    return (int)syscall(SYS_sched_getscheduler, process);
}

int
__wrap_sched_setscheduler(pid_t process, int policy, const struct sched_param *parameters)
{
    return (int)syscall(SYS_sched_setscheduler, process, policy, &parameters->sched_priority);
}

int
__wrap_sched_getparam(pid_t process, struct sched_param *parameters)
{
    return (int)syscall(SYS_sched_getparam, process, &parameters->sched_priority);
}

int
__wrap_sched_setparam(pid_t process, const struct sched_param *parameters)
{
    return (int)syscall(SYS_sched_setparam, process, &parameters->sched_priority);
}

/* Count a list such as "0-3,8" (cpuset(7)); 0 if there is none. */
static long
processors_in(const char *file)
{
    char text[4096];
    int opened = open(file, O_RDONLY | O_CLOEXEC);
    ssize_t length = opened < 0 ? -1 : read(opened, text, sizeof text - 1);
    if (opened >= 0) {
        close(opened);
    }
    text[length > 0 ? length : 0] = 0;
    long count = 0;
    for (char *at = text; *at >= '0' && *at <= '9'; at += *at == ',') {
        long first = strtol(at, &at, 10);
        long last = *at == '-' ? strtol(at + 1, &at, 10) : first;
        count += last - first + 1;
    }
    return count;
}

long __real_sysconf(int name);

long
__wrap_sysconf(int name)
{
    long count = 0;
    if (name == _SC_NPROCESSORS_ONLN) {
        count = processors_in("/sys/devices/system/cpu/online");
    }
    else if (name == _SC_NPROCESSORS_CONF) {
        count = processors_in("/sys/devices/system/cpu/possible");
    }
    return count > 0 ? count : __real_sysconf(name);
}
