/* The scheduling policy of a process, which musl refuses with ENOSYS: it has none of its threads
 * in common (sched_setscheduler(2)). Python's os module means the thread, as the kernel does.
 */
#define _GNU_SOURCE
#include <sched.h>
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
