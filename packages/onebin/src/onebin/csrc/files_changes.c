/* libc's functions that change a file, for paths inside the executable (ld --wrap).
 *
 * Inside all is read-only: each fails with EROFS, as on a file system that is mounted so.
 */
#define _GNU_SOURCE
#include "files_wrap.h"

#include <stdio.h>
#include <sys/types.h>
#include <unistd.h>

/* What creating a *path* inside gives: it is there, or can never be. */
static int
cannot_create(int node)
{
    if (node != MISSING) {
        return fails(EEXIST);
    }
    return errno == ENOENT ? fails(EROFS) : -1;
}

static int
cannot_change(int node)
{
    return node == MISSING ? -1 : fails(EROFS);
}

/* Changing. Each is: the arguments, how the real one is called, what is refused inside. */

#define CREATES(name, parameters, at, path, ...)                                    \
    int __real_##name parameters;                                                   \
    int __wrap_##name parameters                                                    \
    {                                                                               \
        LOCATE(at, path)                                                            \
        return node == NOT_INSIDE ? __real_##name(__VA_ARGS__) : cannot_create(node); \
    }

#define CHANGES(name, parameters, at, path, ...)                                    \
    int __real_##name parameters;                                                   \
    int __wrap_##name parameters                                                    \
    {                                                                               \
        LOCATE(at, path)                                                            \
        return node == NOT_INSIDE ? __real_##name(__VA_ARGS__) : cannot_change(node); \
    }

#define CHANGES_OPEN(name, parameters, file, ...)                                   \
    int __real_##name parameters;                                                   \
    int __wrap_##name parameters                                                    \
    {                                                                               \
        return files_node_of(file) == NOT_INSIDE ? __real_##name(__VA_ARGS__) : fails(EROFS); \
    }

CREATES(mkdir, (const char *path, mode_t mode), AT_FDCWD, path, path, mode)
CREATES(mkdirat, (int at, const char *path, mode_t mode), at, path, at, path, mode)
CREATES(mkfifo, (const char *path, mode_t mode), AT_FDCWD, path, path, mode)
CREATES(mkfifoat, (int at, const char *path, mode_t mode), at, path, at, path, mode)
CREATES(mknod, (const char *path, mode_t mode, dev_t kind), AT_FDCWD, path, path, mode, kind)
CREATES(mknodat, (int at, const char *path, mode_t mode, dev_t kind), at, path,
        at, path, mode, kind)
CREATES(symlink, (const char *target, const char *path), AT_FDCWD, path, target, path)
CREATES(symlinkat, (const char *target, int at, const char *path), at, path, target, at, path)

CHANGES(unlink, (const char *path), AT_FDCWD, path, path)
CHANGES(unlinkat, (int at, const char *path, int flags), at, path, at, path, flags)
CHANGES(rmdir, (const char *path), AT_FDCWD, path, path)
CHANGES(chmod, (const char *path, mode_t mode), AT_FDCWD, path, path, mode)
CHANGES(fchmodat, (int at, const char *path, mode_t mode, int flags), at, path,
        at, path, mode, flags)
CHANGES(chown, (const char *path, uid_t user, gid_t group), AT_FDCWD, path, path, user, group)
CHANGES(lchown, (const char *path, uid_t user, gid_t group), AT_FDCWD, path, path, user, group)
CHANGES(fchownat, (int at, const char *path, uid_t user, gid_t group, int flags), at, path,
        at, path, user, group, flags)
CHANGES(truncate, (const char *path, off_t size), AT_FDCWD, path, path, size)
CHANGES(utimensat, (int at, const char *path, const struct timespec times[2], int flags), at, path,
        at, path, times, flags)
CHANGES(chroot, (const char *path), AT_FDCWD, path, path)
CHANGES(setxattr, (const char *path, const char *name, const void *data, size_t size, int flags),
        AT_FDCWD, path, path, name, data, size, flags)
CHANGES(lsetxattr, (const char *path, const char *name, const void *data, size_t size, int flags),
        AT_FDCWD, path, path, name, data, size, flags)
CHANGES(removexattr, (const char *path, const char *name), AT_FDCWD, path, path, name)
CHANGES(lremovexattr, (const char *path, const char *name), AT_FDCWD, path, path, name)

/* A descriptor's mark is its mode and time. */
CHANGES_OPEN(fchmod, (int file, mode_t mode), file, file, mode)
CHANGES_OPEN(fchown, (int file, uid_t user, gid_t group), file, file, user, group)
CHANGES_OPEN(futimens, (int file, const struct timespec times[2]), file, file, times)

#define TWO_PATHS(name, parameters, at, from, other, to, ...)                       \
    int __real_##name parameters;                                                   \
    int __wrap_##name parameters                                                    \
    {                                                                               \
        char left_from[PATH_MAX], left_to[PATH_MAX];                                \
        int source = files_find(at, from, left_from);                               \
        if (source == MISSING) {                                                    \
            return -1;                                                              \
        }                                                                           \
        int target = files_find(other, to, left_to);                                \
        if (source != NOT_INSIDE || target != NOT_INSIDE) {                         \
            return target == MISSING && errno != ENOENT ? -1 : fails(EROFS);        \
        }                                                                           \
        from = left_from[0] ? left_from : from;                                     \
        to = left_to[0] ? left_to : to;                                             \
        return __real_##name(__VA_ARGS__);                                          \
    }

TWO_PATHS(rename, (const char *from, const char *to), AT_FDCWD, from, AT_FDCWD, to, from, to)
TWO_PATHS(renameat, (int at, const char *from, int other, const char *to), at, from, other, to,
          at, from, other, to)
TWO_PATHS(link, (const char *from, const char *to), AT_FDCWD, from, AT_FDCWD, to, from, to)
TWO_PATHS(linkat, (int at, const char *from, int other, const char *to, int flags),
          at, from, other, to, at, from, other, to, flags)

#define LISTS_ATTRIBUTES(name)                                                      \
    ssize_t __real_##name(const char *path, char *out, size_t size);                \
    ssize_t __wrap_##name(const char *path, char *out, size_t size)                 \
    {                                                                               \
        LOCATE(AT_FDCWD, path)                                                      \
        return node == NOT_INSIDE ? __real_##name(path, out, size) : node == MISSING ? -1 : 0; \
    }

#define READS_ATTRIBUTE(name)                                                       \
    ssize_t __real_##name(const char *path, const char *key, void *out, size_t size); \
    ssize_t __wrap_##name(const char *path, const char *key, void *out, size_t size)  \
    {                                                                               \
        LOCATE(AT_FDCWD, path)                                                      \
        return node == NOT_INSIDE ? __real_##name(path, key, out, size)             \
                                  : node == MISSING ? -1 : fails(ENODATA);          \
    }

LISTS_ATTRIBUTES(listxattr)
LISTS_ATTRIBUTES(llistxattr)
READS_ATTRIBUTE(getxattr)
READS_ATTRIBUTE(lgetxattr)
