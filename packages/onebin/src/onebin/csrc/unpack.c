/* The other half of code_packing.py: unpack a frozen module's code when it is imported.
 *
 * The linker sends CPython's calls of PyMarshal_ReadObjectFromString here (--wrap). Code that
 * is not packed goes through untouched.
 *
 * Source: LZ4 Block Format Description. Every read and write is checked against its buffer:
 * onebin wrote the data, but a disk may damage it.
 */
#include <Python.h>

#include <stdint.h>
#include <string.h>

enum { MARK = 1, HEAD_BYTES = 8, SHORTEST_MATCH = 4, NIBBLE_FULL = 15, BYTE_FULL = 255 };

PyObject *__real_PyMarshal_ReadObjectFromString(const char *data, Py_ssize_t size);

/* Read the rest of a length whose first four bits were all ones; -1 where the input ends. */
static int64_t
long_length(const uint8_t **in, const uint8_t *end)
{
    int64_t length = NIBBLE_FULL;
    uint8_t byte;
    do {
        if (*in == end) {
            return -1;
        }
        byte = *(*in)++;
        length += byte;
    } while (byte == BYTE_FULL);
    return length;
}

/* Unpack one block; true where exactly *size* bytes came out of it. */
static int
unpack(const uint8_t *in, const uint8_t *end, uint8_t *out, int64_t size)
{
    uint8_t *const start = out;
    uint8_t *const full = out + size;
    while (in < end) {
        uint8_t token = *in++;
        int64_t literals = token >> 4;
        if (literals == NIBBLE_FULL && (literals = long_length(&in, end)) < 0) {
            return 0;
        }
        if (literals > end - in || literals > full - out) {
            return 0;
        }
        memcpy(out, in, (size_t)literals);
        in += literals;
        out += literals;
        if (in == end) {
            break; /* the last sequence has no match */
        }
        if (end - in < 2) {
            return 0;
        }
        int64_t back = in[0] | in[1] << 8;
        in += 2;
        int64_t match = token & NIBBLE_FULL;
        if (match == NIBBLE_FULL && (match = long_length(&in, end)) < 0) {
            return 0;
        }
        match += SHORTEST_MATCH;
        if (back == 0 || back > out - start || match > full - out) {
            return 0;
        }
        /* Byte by byte where they overlap: a match may repeat what it has just written. */
        if (back >= match) {
            memcpy(out, out - back, (size_t)match);
            out += match;
        } else {
            for (const uint8_t *from = out - back; match > 0; match--) {
                *out++ = *from++;
            }
        }
    }
    return out == full;
}

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
