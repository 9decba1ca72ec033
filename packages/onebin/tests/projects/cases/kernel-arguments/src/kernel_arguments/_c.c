#include <Python.h>

void Py_GetArgcArgv(int *, wchar_t ***);

static PyObject *
arguments(PyObject *self, PyObject *none)
{
    int count;
    wchar_t **items;
    Py_GetArgcArgv(&count, &items);
    PyObject *list = PyList_New(count);
    for (int n = 0; list && n < count; n++) {
        PyList_SET_ITEM(list, n, PyUnicode_FromWideChar(items[n], -1));
    }
    return list;
}

static PyMethodDef methods[] = {
    {"arguments", arguments, METH_NOARGS, NULL}, {NULL, NULL, 0, NULL}};

static struct PyModuleDef definition = {PyModuleDef_HEAD_INIT, "_c", NULL, -1, methods};

PyMODINIT_FUNC
PyInit__c(void)
{
    return PyModule_Create(&definition);
}
