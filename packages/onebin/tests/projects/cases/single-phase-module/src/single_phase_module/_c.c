#include <Python.h>

static PyObject *
value(PyObject *self, PyObject *none)
{
    return PyLong_FromLong(3);
}

static PyMethodDef methods[] = {{"value", value, METH_NOARGS, NULL}, {NULL, NULL, 0, NULL}};

static struct PyModuleDef definition = {PyModuleDef_HEAD_INIT, "_c", NULL, -1, methods};

PyMODINIT_FUNC
PyInit__c(void)
{
    return PyModule_Create(&definition);
}
