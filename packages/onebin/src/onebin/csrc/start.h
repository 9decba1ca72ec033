/* What each main does before the interpreter starts. */
#ifndef ONEBIN_START_H
#define ONEBIN_START_H

#include <Python.h>

#include "block_cache.h"

#include <signal.h>

/* Ends with 0; from [tool.onebin] hold-signals. */
extern const int held_signals[];

/* PID 1 is spared every signal that it does not handle (pid_namespaces(7)): one that comes while
 * the interpreter starts would be lost. A blocked one stays pending until the program takes it. */
static void
hold_signals(void)
{
    sigset_t held;
    sigemptyset(&held);
    for (const int *number = held_signals; *number != 0; number++) {
        sigaddset(&held, *number);
    }
    sigprocmask(SIG_BLOCK, &held, NULL);
}

static int
ends_with(PyStatus status)
{
    if (PyStatus_IsExit(status)) {
        return status.exitcode;
    }
    Py_ExitStatusException(status);
}

#endif
