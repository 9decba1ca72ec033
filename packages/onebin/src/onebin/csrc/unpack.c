/* The other half of code_packing.py: unpack a frozen module's code when it is imported.
 *
 * The linker sends CPython's calls of PyMarshal_ReadObjectFromString here (--wrap). Code that
 * is not packed goes through untouched.
 */
#include <Python.h>

#include "lz4_block.h"

enum { MARK = 1, HEAD_BYTES = 8 };

PyObject *__real_PyMarshal_ReadObjectFromString(const char *data, Py_ssize_t size);

PyObject *
__wrap_PyMarshal_ReadObjectFromString(const char *data, Py_ssize_t size)
{
    if (size < HEAD_BYTES || data[0] != MARK) {
        return __real_PyMarshal_ReadObjectFromString(data, size);
    }
    const uint8_t *in = (const uint8_t *)data;
    int64_t code_size = in[4] | in[5] << 8 | in[6] << 16 | (int64_t)in[7] << 24;
    uint8_t *code = PyMem_RawMalloc((size_t)code_size);
    if (code == NULL) {
        return PyErr_NoMemory();
    }
    PyObject *object = NULL;
    if (unpack(in + HEAD_BYTES, in + size, code, code_size)) {
        object = __real_PyMarshal_ReadObjectFromString((const char *)code, code_size);
    } else {
        PyErr_SetString(PyExc_ImportError, "a frozen module is damaged");
    }
    PyMem_RawFree(code);
    return object;
}
