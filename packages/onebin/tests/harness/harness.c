/* Feed target/unpack.c from stdin, with a page that may not be touched around every buffer.
 *
 *     harness end|start
 *
 * A case is four bytes of length, little-endian, and the data; an answer is one letter, four
 * bytes of length and the data: o unpacked, r untouched (not packed), d damaged, m no memory.
 * The output buffer ends, or starts, at the guard page; the input always ends at one.
 */
#include "Python.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { LARGEST = 1 << 20 };

PyObject *__wrap_PyMarshal_ReadObjectFromString(const char *data, Py_ssize_t size);

PyObject *PyExc_ImportError;
static int at_start;
static size_t page;
static const char *given;
static char answer;

struct map {
    char *base;
    size_t size;
    char *data;
};
static struct map output;

static struct map
guarded(size_t size, int start)
{
    struct map map;
    size_t room = (size + page - 1) / page * page;
    map.size = room + 2 * page;
    map.base = mmap(NULL, map.size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (map.base == MAP_FAILED || (room && mprotect(map.base + page, room, PROT_READ | PROT_WRITE))) {
        exit(3);
    }
    map.data = map.base + page + (start ? 0 : room - size);
    return map;
}

void *
PyMem_RawMalloc(size_t size)
{
    if (size > LARGEST) {
        return NULL;
    }
    output = guarded(size, at_start);
    return output.data;
}

void
PyMem_RawFree(void *memory)
{
    if (memory != output.data || munmap(output.base, output.size)) {
        exit(4);
    }
}

PyObject *
PyErr_NoMemory(void)
{
    answer = 'm';
    return NULL;
}

void
PyErr_SetString(PyObject *type, const char *message)
{
    (void)type;
    (void)message;
    answer = 'd';
}

static void
say(char letter, const char *data, uint32_t size)
{
    uint8_t head[5] = {(uint8_t)letter, size & 255, size >> 8 & 255, size >> 16 & 255, size >> 24};
    fwrite(head, 1, sizeof head, stdout);
    fwrite(data, 1, size, stdout);
}

PyObject *
__real_PyMarshal_ReadObjectFromString(const char *data, Py_ssize_t size)
{
    answer = data == given ? 'r' : 'o';
    say(answer, data, (uint32_t)size);
    return NULL;
}

int
main(int argc, char **argv)
{
    uint8_t head[4];
    page = (size_t)sysconf(_SC_PAGESIZE);
    at_start = argc > 1 && strcmp(argv[1], "start") == 0;
    while (fread(head, 1, 4, stdin) == 4) {
        uint32_t size = head[0] | head[1] << 8 | head[2] << 16 | (uint32_t)head[3] << 24;
        struct map input = guarded(size, 0);
        if (fread(input.data, 1, size, stdin) != size) {
            return 2;
        }
        given = input.data;
        answer = 0;
        __wrap_PyMarshal_ReadObjectFromString(input.data, size);
        if (answer == 'd' || answer == 'm') {
            say(answer, "", 0);
        }
        munmap(input.base, input.size);
    }
    return 0;
}
