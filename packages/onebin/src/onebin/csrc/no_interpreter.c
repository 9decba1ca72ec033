/* The module _posixsubprocess of a program that is no interpreter for its children.
 *
 * sys.executable is empty there, and multiprocessing starts what it names without looking at the
 * result: its child could start nothing, and the parent would fail later, in a write to a pipe
 * that nothing reads. Here the call itself says what is missing.
 */
#include <Python.h>

#include <errno.h>
#include <string.h>

#define FAULT \
    "sys.executable is empty: this program is pruned, and no interpreter; expected " \
    "multiprocessing.get_context(\"fork\"), or a build without prune or with --trace 'COMMAND' " \
    "of a run that starts one"

PyObject *PyInit__posixsubprocess(void);

static PyCFunctionFast fork_exec;

/* Return whether the first item of *list* is empty, or with *or_folder* the path of a folder. */
static int
begins_with_nothing(PyObject *list, int or_folder)
{
    PyObject *first = PySequence_Check(list) ? PySequence_GetItem(list, 0) : NULL;
    PyObject *bytes = NULL;
    int is_nothing = 0;
    if (first != NULL && PyUnicode_FSConverter(first, &bytes)) {
        Py_ssize_t size = PyBytes_GET_SIZE(bytes);
        is_nothing = size == 0 || (or_folder && PyBytes_AS_STRING(bytes)[size - 1] == '/');
        Py_DECREF(bytes);
    }
    Py_XDECREF(first);
    PyErr_Clear(); /* a wrong argument is CPython's to reject */
    return is_nothing;
}

static PyObject *
checked_fork_exec(PyObject *module, PyObject *const *arguments, Py_ssize_t count)
{
    /* The second argument is what to start: subprocess has put each folder of the PATH before it. */
    if (count > 1 && begins_with_nothing(arguments[0], 0) && begins_with_nothing(arguments[1], 1)) {
        PyObject *reason = Py_BuildValue("(is)", ENOENT, FAULT);
        if (reason != NULL) {
            PyErr_SetObject(PyExc_OSError, reason); /* as FileNotFoundError, by its number */
            Py_DECREF(reason);
        }
        return NULL;
    }
    return fork_exec(module, arguments, count);
}

PyMODINIT_FUNC
PyInit__posixsubprocess_checked(void)
{
    PyObject *made = PyInit__posixsubprocess();
    if (made == NULL || fork_exec != NULL) {
        return made; /* another interpreter of this process has the same definition */
    }
    for (PyMethodDef *method = ((PyModuleDef *)made)->m_methods; method->ml_name; method++) {
        if (strcmp(method->ml_name, "fork_exec") == 0 && method->ml_flags == METH_FASTCALL) {
            fork_exec = (PyCFunctionFast)(void (*)(void))method->ml_meth;
            method->ml_meth = (PyCFunction)(void (*)(void))checked_fork_exec;
        }
    }
    return made;
}
