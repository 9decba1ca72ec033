/* What each main does before the interpreter starts. */
#ifndef ONEBIN_START_H
#define ONEBIN_START_H

#include <Python.h>

#include "block_cache.h"
#include "environment.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

/* The path of no file, in a folder that only root could make: CPython reads pyvenv.cfg beside it. */
#define NO_INTERPRETER L"/nonexistent/python"

/* Let sys.executable be empty: this program is no interpreter, and a library that takes it for one
 * would run the program again. */
static inline void
set_no_interpreter(void)
{
    PyObject *path = PyUnicode_FromString("");
    if (path == NULL || PySys_SetObject("executable", path) != 0) {
        PyErr_Clear();
    }
    Py_XDECREF(path);
}

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

/* Begin *config* as isolated, but for the variables that [tool.onebin] environment names: others
 * are not seen by getenv (environment.c). */
static void
init_config(PyConfig *config)
{
    PyConfig_InitIsolatedConfig(config);
#if USES_ENVIRONMENT
    PyConfig_InitPythonConfig(config);
    config->user_site_directory = 0;
    config->safe_path = 1;
#endif
}

/* Put the folders of PYTHONPATH first, if the project allows it. */
static PyStatus
insert_environment_path(PyConfig *config)
{
    PyStatus status = PyStatus_Ok();
#if USES_ENVIRONMENT
    const char *path = config->use_environment ? getenv("PYTHONPATH") : NULL;
    Py_ssize_t place = 0;
    while (path != NULL && *path != '\0' && !PyStatus_Exception(status)) {
        size_t length = strcspn(path, ":");
        char *folder = strndup(path, length);
        wchar_t *decoded = folder && length ? Py_DecodeLocale(folder, NULL) : NULL;
        if (decoded != NULL) {
            status = PyWideStringList_Insert(&config->module_search_paths, place++, decoded);
            PyMem_RawFree(decoded);
        }
        free(folder);
        path += length + (path[length] == ':');
    }
#else
    (void)config;
#endif
    return status;
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
