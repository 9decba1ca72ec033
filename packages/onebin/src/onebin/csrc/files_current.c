/* The current directory where it is inside: the kernel has none such, so each process keeps its own.
 *
 * A child of vfork(2) shares the memory of its parent until it runs another program, and
 * subprocess lets it change its directory: that must not be the parent's. Its value is kept by its
 * number, in the thread that waits for it. A child of fork(2) has its own memory, and goes on where
 * its parent was.
 */
#include "files.h"

#include <pthread.h>
#include <unistd.h>

static int current = NOT_INSIDE;
static pid_t owner; /* the process whose memory this is */
static _Thread_local struct {
    pid_t process;
    int node;
} borrower; /* a child that shares it */

static void
note_owner(void)
{
    owner = getpid();
}

__attribute__((constructor)) static void
start(void)
{
    note_owner();
    pthread_atfork(NULL, NULL, note_owner);
}

int
files_current(void)
{
    if (borrower.process != 0) {
        if (borrower.process == getpid()) {
            return borrower.node;
        }
        borrower.process = 0; /* the parent again */
    }
    return current;
}

void
files_enter(int node)
{
    pid_t process = getpid();
    if (process == owner) {
        current = node;
    }
    else {
        borrower.process = process;
        borrower.node = node;
    }
}
