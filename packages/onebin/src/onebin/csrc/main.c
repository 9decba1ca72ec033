/* The executable's main: an isolated CPython that imports only its frozen modules.
 *
 * Isolated (PEP 587): no PYTHON* variable but those that [tool.onebin] environment names, no site,
 * no search path. Only what was built runs, whatever the directory it is started in.
 */
#include "start.h"

int
main(int argc, char **argv)
{
    hold_signals();
    /* Before anything of Python's is allocated. */
    PyMem_SetAllocator(
        PYMEM_DOMAIN_RAW,
        &(PyMemAllocatorEx){NULL, blocks_malloc, blocks_calloc, blocks_realloc, blocks_free});

    PyPreConfig preconfig;
    PyPreConfig_InitIsolatedConfig(&preconfig);
    /* There is no locale in an empty image: text is UTF-8 (PEP 540). */
    preconfig.utf8_mode = 1;
#if USES_ENVIRONMENT
    preconfig.isolated = 0;
    preconfig.use_environment = 1;
    preconfig.dev_mode = -1;
#endif
    PyStatus status = Py_PreInitialize(&preconfig);
    if (PyStatus_Exception(status)) {
        return ends_with(status);
    }

    PyConfig config;
    init_config(&config);
    config.parse_argv = 0;
    config.site_import = 0;
    config.write_bytecode = 0;
    config.pathconfig_warnings = 0;
    config.module_search_paths_set = 1;
    config.install_signal_handlers = 1;
    status = PyConfig_SetBytesArgv(&config, argc, argv);
    if (!PyStatus_Exception(status)) {
        status = insert_environment_path(&config);
    }
    if (!PyStatus_Exception(status)) {
        /* Or CPython would take this program, or look for a Python on the PATH (getpath.py). */
        status = PyConfig_SetString(&config, &config.executable, NO_INTERPRETER);
    }
    if (!PyStatus_Exception(status)) {
        status = PyConfig_SetString(&config, &config.prefix, L"");
    }
    if (!PyStatus_Exception(status)) {
        status = PyConfig_SetString(&config, &config.exec_prefix, L"");
    }
    if (!PyStatus_Exception(status)) {
        status = Py_InitializeFromConfig(&config);
    }
    PyConfig_Clear(&config);
    if (PyStatus_Exception(status)) {
        return ends_with(status);
    }

    set_no_interpreter();
    int exit_status = 0;
    int interrupted = 0;
    if (PyImport_ImportFrozenModule("__main__") != 1) {
        if (PyErr_Occurred()) {
            interrupted = PyErr_ExceptionMatches(PyExc_KeyboardInterrupt);
            PyErr_Print(); /* ends the process itself on SystemExit */
        }
        exit_status = 1;
    }
    if (Py_FinalizeEx() < 0) {
        exit_status = 120; /* as python(1): buffered output could not be written */
    }
    if (interrupted) {
        /* The parent should see that a signal ended us, as it does with python(1). */
        signal(SIGINT, SIG_DFL);
        raise(SIGINT);
        return 128 + SIGINT; /* PID 1 outlives it */
    }
    return exit_status;
}
