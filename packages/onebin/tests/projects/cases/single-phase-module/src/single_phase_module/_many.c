#include <Python.h>

static struct PyModuleDef definition = {PyModuleDef_HEAD_INIT, "_many", NULL, 0, NULL};

PyMODINIT_FUNC
PyInit__many(void)
{
    return PyModuleDef_Init(&definition);
}
