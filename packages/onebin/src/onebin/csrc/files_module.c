/* The module _onebin: where the modules inside the executable are, for target/importer.py. */
#include "files.h"

#include <Python.h>
#include <marshal.h>
#include <limits.h>
#include <string.h>

static const struct file_module *
module_named(const char *name)
{
    uint32_t low = 0, high = file_module_count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        int order = strcmp(file_names + file_modules[middle].name, name);
        if (order == 0) {
            return &file_modules[middle];
        }
        if (order < 0) {
            low = middle + 1;
        }
        else {
            high = middle;
        }
    }
    return NULL;
}

static PyObject *
find(PyObject *self, PyObject *name)
{
    (void)self;
    Py_ssize_t size;
    const char *text = PyUnicode_AsUTF8AndSize(name, &size);
    if (text == NULL || strlen(text) != (size_t)size) {
        PyErr_Clear(); /* not a name that a file can have */
        Py_RETURN_NONE;
    }
    const struct file_module *found = module_named(text);
    char path[PATH_MAX];
    if (found == NULL || files_path((int)found->node, path) != 0) {
        Py_RETURN_NONE;
    }
    return Py_BuildValue("(sN)", path, PyBool_FromLong(found->is_package));
}

static PyObject *
code(PyObject *self, PyObject *name)
{
    (void)self;
    const char *text = PyUnicode_AsUTF8(name);
    if (text == NULL) {
        return NULL;
    }
    const struct file_module *found = module_named(text);
    if (found == NULL) {
        return PyErr_Format(PyExc_ImportError, "%U: not in the executable", name);
    }
    return PyMarshal_ReadObjectFromString(
        (const char *)frozen_code + found->code, (Py_ssize_t)found->size);
}

static PyMethodDef methods[] = {
    {"find", find, METH_O, "find(name) -> (path, is_package), or None"},
    {"code", code, METH_O, "code(name) -> the code object"},
    {NULL, NULL, 0, NULL},
};

static PyModuleDef_Slot slots[] = {
    {Py_mod_multiple_interpreters, Py_MOD_PER_INTERPRETER_GIL_SUPPORTED},
    {0, NULL},
};

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT,
    .m_name = "_onebin",
    .m_methods = methods,
    .m_slots = slots,
};

PyMODINIT_FUNC
PyInit__onebin(void)
{
    return PyModuleDef_Init(&definition);
}
