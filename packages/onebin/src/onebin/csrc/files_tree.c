/* The tree of the files inside: from a directory and a name to a node, and back to a path.
 *
 * It reads the table alone; all other parts may use it.
 */
#include "files.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

int
files_child(int directory, const char *name, size_t length)
{
    uint32_t low = file_nodes[directory].first, high = low + file_nodes[directory].size;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        const char *other = file_names + file_nodes[middle].name;
        int order = strncmp(other, name, length);
        if (order == 0 && other[length] == 0) {
            return (int)middle;
        }
        if (order < 0) {
            low = middle + 1;
        }
        else {
            high = middle;
        }
    }
    return NOT_INSIDE;
}

int
files_path(int node, char *out)
{
    char *const end = out + PATH_MAX;
    char *at = end;
    *--at = 0;
    while (node != 0) {
        const char *name = file_names + file_nodes[node].name;
        size_t length = strlen(name);
        if ((size_t)(at - out) < length + sizeof FILES_PREFIX + 1) {
            errno = ENAMETOOLONG;
            return -1;
        }
        at -= length;
        memcpy(at, name, length);
        *--at = '/';
        node = (int)file_nodes[node].parent;
    }
    at -= sizeof FILES_PREFIX - 1;
    memcpy(at, FILES_PREFIX, sizeof FILES_PREFIX - 1);
    *--at = '/';
    memmove(out, at, (size_t)(end - at));
    return 0;
}
