/* What the replacements of libc's functions share. */
#ifndef ONEBIN_FILES_WRAP_H
#define ONEBIN_FILES_WRAP_H

#include "files.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>

/* Declares *node*, what *path* is; and lets *path* be what is left of it, if it leaves. */
#define LOCATE(at, path)                                \
    char outside[PATH_MAX];                             \
    int node = files_find(at, path, outside);           \
    if (outside[0] != 0) {                              \
        path = outside;                                 \
    }

static inline int
fails(int number)
{
    errno = number;
    return -1;
}

#endif
