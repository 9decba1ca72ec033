/* The time zones inside the executable for TZ: what localtime, mktime and tzset of libc read.
 *
 * musl maps a zone's file by system calls of its own (time/__map_file.c), so no replacement of
 * open sees them. It tries three folders of the machine, in this order, and then silently takes
 * UTC. The distribution tzdata, if it is inside, serves for the first: the machine goes first.
 */
#include "files.h"

#include <Python.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define TEXT_(value) #value
#define TEXT(value) TEXT_(value)
#define INSIDE                                                                            \
    "/" FILES_PREFIX "/lib/python" TEXT(PY_MAJOR_VERSION) "." TEXT(PY_MINOR_VERSION)      \
    "/site-packages/tzdata/zoneinfo/"

static const char first_folder[] = "/usr/share/zoneinfo/";
static const char last_folder[] = "/etc/zoneinfo/";

const unsigned char *__real___map_file(const char *path, size_t *size);

/* Return the contents of the zone *name*, mapped: libc unmaps them. NULL if it is not inside. */
static const unsigned char *
map_inside(const char *name, size_t *size)
{
    char path[PATH_MAX], outside[PATH_MAX];
    if (snprintf(path, sizeof path, INSIDE "%s", name) >= (int)sizeof path) {
        return NULL;
    }
    int node = files_find(AT_FDCWD, path, outside);
    if (node < 0 || file_nodes[node].kind == FILE_DIRECTORY || file_nodes[node].size == 0) {
        return NULL;
    }
    size_t length = file_nodes[node].size;
    unsigned char *out =
        mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (out == MAP_FAILED) {
        return NULL;
    }
    if (files_read(node, out) != 0) {
        munmap(out, length);
        return NULL;
    }
    mprotect(out, length, PROT_READ);
    *size = length;
    return out;
}

const unsigned char *
__wrap___map_file(const char *path, size_t *size)
{
    int before = errno;
    const unsigned char *map = __real___map_file(path, size);
    if (map == NULL && strncmp(path, first_folder, sizeof first_folder - 1) == 0) {
        map = map_inside(path + sizeof first_folder - 1, size);
    }
    else if (map == NULL && strncmp(path, last_folder, sizeof last_folder - 1) == 0) {
        static atomic_flag said = ATOMIC_FLAG_INIT;
        if (!atomic_flag_test_and_set(&said)) {
            dprintf(
                STDERR_FILENO,
                "onebin: TZ: %s: no such time zone, here or inside the executable; local time is "
                "UTC; add the distribution tzdata to the program, or set TZ to a rule (CET-1CEST)\n",
                path + sizeof last_folder - 1);
        }
    }
    errno = before;
    return map;
}

static int
is_zone(const char *name)
{
    char path[PATH_MAX], outside[PATH_MAX];
    snprintf(path, sizeof path, "%s%s", first_folder, name);
    if (access(path, R_OK) == 0) {
        return 1;
    }
    snprintf(path, sizeof path, INSIDE "%s", name);
    int node = files_find(AT_FDCWD, path, outside);
    return node >= 0 && file_nodes[node].kind != FILE_DIRECTORY;
}

/* Return the value of TZ as libc has to read it. EST5EDT, W-SU and their like have the form of a
 * rule, and are zones: glibc looks for a file first, musl does where a colon is before the name. */
const char *
zone_variable(const char *value)
{
    static _Thread_local char known[64]; /* a colon, and the last name that was looked for */
    static _Thread_local int was_zone;
    if (strpbrk(value, "0123456789+-") == NULL || strpbrk(value, ":/,") != NULL
        || strlen(value) > sizeof known - 2) {
        return value;
    }
    if (strcmp(known + 1, value) != 0) {
        int before = errno;
        known[0] = ':';
        strcpy(known + 1, value);
        was_zone = is_zone(value);
        errno = before;
    }
    return was_zone ? known : value;
}
