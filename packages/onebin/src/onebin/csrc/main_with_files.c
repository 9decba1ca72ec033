/* The main of an executable with files inside: a program, and an interpreter for its children.
 *
 * Started as /onebin/bin/python3, which is sys.executable and no path of the machine, it reads
 * its command line as python(1) does: -c, -m, a script. Started by any other name it runs the
 * program, whatever its arguments are. The name is argv[0], which a caller chooses: a caller that
 * gives it has an interpreter (SECURITY.md). So a child that multiprocessing or a library
 * starts never runs the program a second time, unless it is given the program as its script.
 *
 * A pruned program whose trace has no interpreter (INTERPRETS) runs itself under every name.
 *
 * Isolated (PEP 587) in both: no PYTHON* variable but those that [tool.onebin] environment names,
 * no site, no search path outside.
 */
#define _GNU_SOURCE
#include "start.h"
#include "files.h"
#include "program.h"
#include "trace.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/prctl.h>
#include <unistd.h>
#include <wchar.h>

#define TEXT_(value) #value
#define TEXT(value) TEXT_(value)
#define PREFIX "/" FILES_PREFIX
#define INTERPRETER PREFIX "/bin/python3"
#define EXECUTABLE (INTERPRETS ? L"" INTERPRETER : NO_INTERPRETER)
#define STDLIB PREFIX "/lib/python" TEXT(PY_MAJOR_VERSION) "." TEXT(PY_MINOR_VERSION)

int __real_access(const char *path, int mode);

/* The console script, "/onebin/bin/<name>"; embed/files.py. */
extern const char program_script[];

char own_path[PATH_MAX];

/* Note where this program is, for the case that there is no /proc. */
static void
note_own_path(void)
{
    const char *given = (const char *)getauxval(AT_EXECFN);
    if (given == NULL) {
        return;
    }
    char here[PATH_MAX];
    if (given[0] == '/' || getcwd(here, sizeof here) == NULL) {
        snprintf(own_path, sizeof own_path, "%s", given);
    }
    else if (snprintf(own_path, sizeof own_path, "%s/%s", here, given) >= PATH_MAX) {
        own_path[0] = 0;
    }
}

/* Begin in the directory inside that the parent was in: files_directories.c. */
static void
enter_current(void)
{
    const char *path = getenv(FILES_CURRENT);
    if (path != NULL) {
        (void)!chdir(path);
        unsetenv(FILES_CURRENT);
    }
}

static int
is_this_program(const char *path)
{
    struct stat seen, own;
    return stat(path, &seen) == 0
        && (stat("/proc/self/exe", &own) == 0 || stat(own_path, &own) == 0)
        && seen.st_dev == own.st_dev && seen.st_ino == own.st_ino;
}

static PyStatus
set_paths(PyConfig *config)
{
    static const wchar_t *const places[] = {L"" STDLIB, L"" STDLIB "/site-packages"};
    config->module_search_paths_set = 1;
    for (size_t n = 0; n < sizeof places / sizeof *places; n++) {
        PyStatus status = PyWideStringList_Append(&config->module_search_paths, places[n]);
        if (PyStatus_Exception(status)) {
            return status;
        }
    }
    struct {
        wchar_t **field;
        const wchar_t *value;
    } fields[] = {
        {&config->executable, EXECUTABLE},       {&config->base_executable, EXECUTABLE},
        {&config->prefix, L"" PREFIX},            {&config->exec_prefix, L"" PREFIX},
        {&config->base_prefix, L"" PREFIX},       {&config->base_exec_prefix, L"" PREFIX},
        {&config->stdlib_dir, L"" STDLIB},
    };
    for (size_t n = 0; n < sizeof fields / sizeof *fields; n++) {
        PyStatus status = PyConfig_SetString(config, fields[n].field, fields[n].value);
        if (PyStatus_Exception(status)) {
            return status;
        }
    }
    return PyStatus_Ok();
}

/* Begin sys.orig_argv of a program as python(1) does, with the interpreter: what starts a program
 * anew gives the rest of it to sys.executable (Werkzeug's reloader, CherryPy's restart). */
static PyStatus
set_command_line(PyConfig *config)
{
    PyStatus status = PyWideStringList_Append(&config->orig_argv, L"" INTERPRETER);
    for (Py_ssize_t n = 0; n < config->argv.length && !PyStatus_Exception(status); n++) {
        status = PyWideStringList_Append(&config->orig_argv, config->argv.items[n]);
    }
    return status;
}

static struct {
    int count;
    wchar_t **items;
} given;

/* Keep the command line as the kernel gave it, with *name* as its first. */
static void
keep_given(int argc, char **argv, const char *name)
{
    given.items = PyMem_RawCalloc((size_t)argc + 1, sizeof *given.items);
    while (given.items != NULL && given.count < argc) {
        wchar_t *item = Py_DecodeLocale(given.count == 0 ? name : argv[given.count], NULL);
        if (item == NULL) {
            break;
        }
        given.items[given.count++] = item;
    }
}

/* That command line, and not sys.orig_argv: setproctitle finds by it the memory it writes to. */
void
__wrap_Py_GetArgcArgv(int *count, wchar_t ***items)
{
    *count = given.count;
    *items = given.items;
}

/* Fill in *config*, without reading the command line. */
static PyStatus
begin(PyConfig *config, int argc, char **argv, int is_interpreter)
{
    if (is_interpreter) {
        /* The parts of "isolated" that matter: no environment, no user's folder, safe_path. What
         * the command line may ask for (-X dev, -X faulthandler, …) is left open. */
        PyConfig_InitPythonConfig(config);
        config->use_environment = USES_ENVIRONMENT;
        config->user_site_directory = 0;
        config->safe_path = 1;
    }
    else {
        init_config(config);
    }
    config->parse_argv = is_interpreter;
    config->site_import = 0;
    config->write_bytecode = 0;
    config->pathconfig_warnings = 0;
    config->install_signal_handlers = 1;
    PyStatus status = PyConfig_SetBytesArgv(config, argc, argv);
    if (!PyStatus_Exception(status)) {
        status = set_paths(config);
    }
    if (!PyStatus_Exception(status) && !is_interpreter && INTERPRETS) {
        status = set_command_line(config);
    }
    if (!PyStatus_Exception(status) && !is_interpreter) {
        status = PyConfig_SetBytesString(config, &config->run_filename, program_script);
    }
    return status;
}

/* What multiprocessing starts its children with: it needs nothing from outside. */
static int
is_own_child(const wchar_t *command)
{
    static const wchar_t begins[] = L"from multiprocessing.";
    return command != NULL && wcsncmp(command, begins, sizeof begins / sizeof *begins - 1) == 0;
}

/* Let a command line that names this very program as its script run the program. */
static PyStatus
choose_script(PyConfig *config, const PyConfig *seen, int argc, char **argv)
{
    if (seen->run_filename == NULL) {
        /* python(1) searches the current directory first: here the modules inside come first. */
        int is_safe = seen->safe_path || is_own_child(seen->run_command);
        return is_safe ? PyStatus_Ok() : PyWideStringList_Append(&config->module_search_paths, L"");
    }
    /* sys.argv is the script and what follows it: the end of the command line. */
    if (is_this_program(argv[argc - (int)seen->argv.length])) {
        return PyConfig_SetBytesString(config, &config->run_filename, program_script);
    }
    if (seen->safe_path == 0) { /* without -I and -P a script finds the modules beside it */
        config->safe_path = 0;
    }
    return PyStatus_Ok();
}

/* The command line is read twice: what it asks for decides what the second one begins with. Of one
 * that was read already, Py_InitializeFromConfig would drop -X warn_default_encoding. */
static PyStatus
configure(PyConfig *config, int argc, char **argv, int is_interpreter)
{
    PyConfig seen;
    PyStatus first = begin(&seen, argc, argv, is_interpreter);
    seen.safe_path = !is_interpreter; /* what it says later is the command line's wish */
    PyStatus status = begin(config, argc, argv, is_interpreter);
    if (!PyStatus_Exception(status)) {
        status = PyStatus_Exception(first) ? first : PyConfig_Read(&seen);
    }
    if (!PyStatus_Exception(status)) {
        config->use_environment = seen.use_environment; /* -E and -I */
        status = insert_environment_path(config);
    }
    if (!PyStatus_Exception(status) && is_interpreter) {
        status = choose_script(config, &seen, argc, argv);
    }
    PyConfig_Clear(&seen);
    return status;
}

int
main(int argc, char **argv)
{
    const char *name = argc > 0 ? argv[0] : NULL;
    note_own_path();
    int is_interpreter = INTERPRETS && argc > 0 && strcmp(argv[0], INTERPRETER) == 0;
    if (is_interpreter) {
#if TRACES
        char outside[PATH_MAX];
        /* A program that is pruned by this trace has an interpreter. */
        files_trace(files_find(AT_FDCWD, INTERPRETER, outside), 'f');
#endif
        enter_current();
        prctl(PR_SET_NAME, "python3"); /* the kernel has named it after /proc/self/exe */
    }
    else {
        hold_signals();
        /* A shell that found it on the PATH gives its bare name; a script has its path there. */
        if (argc > 0 && strchr(argv[0], '/') == NULL && own_path[0] != 0) {
            argv[0] = own_path;
        }

        if (__real_access(PREFIX, F_OK) == 0) {
            fputs("onebin: " PREFIX " of this machine is hidden by the files inside the program\n",
                  stderr);
        }
    }
    /* Before anything of Python's is allocated. */
    PyMem_SetAllocator(
        PYMEM_DOMAIN_RAW,
        &(PyMemAllocatorEx){NULL, blocks_malloc, blocks_calloc, blocks_realloc, blocks_free});

    PyPreConfig preconfig;
    PyPreConfig_InitIsolatedConfig(&preconfig);
    if (is_interpreter) {
        PyPreConfig_InitPythonConfig(&preconfig);
        preconfig.configure_locale = 0;
        preconfig.coerce_c_locale = 0;
    }
    /* There is no locale in an empty image: text is UTF-8 (PEP 540). */
    preconfig.utf8_mode = 1;
    if (is_interpreter || USES_ENVIRONMENT) {
        preconfig.isolated = 0;
        preconfig.use_environment = USES_ENVIRONMENT;
        preconfig.dev_mode = -1;
    }
    PyStatus status = Py_PreInitializeFromBytesArgs(&preconfig, argc, argv);
    if (PyStatus_Exception(status)) {
        return ends_with(status);
    }
    keep_given(argc, argv, name);
    PyConfig config;
    status = configure(&config, argc, argv, is_interpreter);
    if (!PyStatus_Exception(status)) {
        status = Py_InitializeFromConfig(&config);
    }
    PyConfig_Clear(&config);
    if (PyStatus_Exception(status)) {
        return ends_with(status);
    }
    if (PyImport_ImportFrozenModule("_onebin_importer") != 1) {
        PyErr_Print();
        return 1;
    }
#if !INTERPRETS
    set_no_interpreter();
#endif
#if TRACES
    if (PyImport_ImportFrozenModule("_onebin_trace") != 1) {
        PyErr_Print();
        return 1;
    }
#endif
    return Py_RunMain();
}
