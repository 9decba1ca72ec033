/* The file of a C module of a distribution, from the moment it is made.
 *
 * CPython names the file of a module with single-phase initialization (PEP 489) when that has
 * ended. Compiled Python (mypyc) runs the module's own code in it, which reads __file__: newer
 * releases of mypyc set it before, older ones fail. The finder of the module knows the file. The
 * linker sends PyModule_Create2 here (--wrap).
 */
#include <Python.h>
#include <string.h>

extern const char *const extension_names[]; /* of modules of distributions; NULL at the end */

PyObject *__real_PyModule_Create2(PyModuleDef *definition, int version);

static int
is_extension(const char *name)
{
    for (const char *const *known = extension_names; *known != NULL; known++) {
        if (strcmp(*known, name) == 0) {
            return 1;
        }
    }
    return 0;
}

/* Return the search path of the package of the module NAME; None without one. */
static PyObject *
path_of_package(const char *name)
{
    const char *dot = strrchr(name, '.');
    if (dot == NULL) {
        return Py_NewRef(Py_None);
    }
    PyObject *package = PyUnicode_FromStringAndSize(name, dot - name);
    PyObject *module = package == NULL ? NULL : PyImport_GetModule(package);
    PyObject *path = module == NULL ? NULL : PyObject_GetAttrString(module, "__path__");
    Py_XDECREF(package);
    Py_XDECREF(module);
    return path;
}

/* Return the file that the finders have for the module NAME; NULL if it has none. */
static PyObject *
file_of(const char *name)
{
    PyObject *import = PyImport_ImportModule("_frozen_importlib");
    PyObject *path = path_of_package(name);
    PyObject *spec = NULL, *has_file = NULL, *file = NULL;
    if (import != NULL && path != NULL) {
        spec = PyObject_CallMethod(import, "_find_spec", "sO", name, path);
    }
    if (spec != NULL && spec != Py_None) {
        has_file = PyObject_GetAttrString(spec, "has_location");
    }
    if (has_file != NULL && PyObject_IsTrue(has_file) == 1) {
        file = PyObject_GetAttrString(spec, "origin");
    }
    Py_XDECREF(import);
    Py_XDECREF(path);
    Py_XDECREF(spec);
    Py_XDECREF(has_file);
    return file;
}

PyObject *
__wrap_PyModule_Create2(PyModuleDef *definition, int version)
{
    PyObject *module = __real_PyModule_Create2(definition, version);
    if (module == NULL) {
        return NULL;
    }
    const char *name = PyModule_GetName(module);
    PyObject *file = name != NULL && is_extension(name) ? file_of(name) : NULL;
    if (file == NULL || PyModule_AddObjectRef(module, "__file__", file) < 0) {
        PyErr_Clear(); /* without one it is as it was: its import goes on */
    }
    Py_XDECREF(file);
    return module;
}
