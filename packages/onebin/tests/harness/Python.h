/* As much of CPython's header as target/unpack.c uses, for a harness without CPython. */
#ifndef HARNESS_PYTHON_H
#define HARNESS_PYTHON_H

#include <stddef.h>

typedef struct object PyObject;
typedef ptrdiff_t Py_ssize_t;

extern PyObject *PyExc_ImportError;
void *PyMem_RawMalloc(size_t size);
void PyMem_RawFree(void *memory);
PyObject *PyErr_NoMemory(void);
void PyErr_SetString(PyObject *type, const char *message);

#endif
