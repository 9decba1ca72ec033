/* libc's functions that open or describe a path, for paths inside the executable (ld --wrap).
 *
 * Each passes every other path on.
 */
#define _GNU_SOURCE
#include "files_wrap.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <sys/types.h>
#include <unistd.h>

/* Opening. */

int __real_open(const char *path, int flags, ...);
int __real_openat(int at, const char *path, int flags, ...);
FILE *__real_fopen(const char *path, const char *mode);
FILE *__real_freopen(const char *path, const char *mode, FILE *stream);

static int
open_inside(int node, int flags)
{
    if (node == MISSING) {
        return errno == ENOENT && flags & O_CREAT ? fails(EROFS) : -1;
    }
    if (flags & O_CREAT && flags & O_EXCL) {
        return fails(EEXIST);
    }
    int is_directory = file_nodes[node].kind == FILE_DIRECTORY;
    if (flags & (O_WRONLY | O_RDWR | O_TRUNC)) { /* musl counts O_PATH as a mode of access */
        return fails(is_directory ? EISDIR : EROFS);
    }
    if ((flags & O_TMPFILE) == O_TMPFILE) {
        return fails(EROFS);
    }
    if (flags & O_DIRECTORY && !is_directory) {
        return fails(ENOTDIR);
    }
    return files_open(node, flags);
}

#define MODE_OF(mode, flags)                                          \
    mode_t mode = 0;                                                  \
    if ((flags) & O_CREAT || ((flags) & O_TMPFILE) == O_TMPFILE) {    \
        va_list more;                                                 \
        va_start(more, flags);                                        \
        mode = va_arg(more, mode_t);                                  \
        va_end(more);                                                 \
    }

int
__wrap_open(const char *path, int flags, ...)
{
    MODE_OF(mode, flags)
    LOCATE(AT_FDCWD, path)
    return node == NOT_INSIDE ? __real_open(path, flags, mode) : open_inside(node, flags);
}

int
__wrap_openat(int at, const char *path, int flags, ...)
{
    MODE_OF(mode, flags)
    LOCATE(at, path)
    return node == NOT_INSIDE ? __real_openat(at, path, flags, mode) : open_inside(node, flags);
}

static int
flags_of(const char *mode)
{
    int flags = strchr(mode, '+') ? O_RDWR : *mode == 'r' ? O_RDONLY : O_WRONLY;
    flags |= *mode == 'r' ? 0 : O_CREAT | (*mode == 'w' ? O_TRUNC : 0);
    return flags | (strchr(mode, 'e') ? O_CLOEXEC : 0) | (strchr(mode, 'x') ? O_EXCL : 0);
}

FILE *
__wrap_fopen(const char *path, const char *mode)
{
    LOCATE(AT_FDCWD, path)
    if (node == NOT_INSIDE) {
        return __real_fopen(path, mode);
    }
    int file = open_inside(node, flags_of(mode));
    FILE *stream = file < 0 ? NULL : fdopen(file, mode);
    if (stream == NULL && file >= 0) {
        close(file);
    }
    return stream;
}

FILE *
__wrap_freopen(const char *path, const char *mode, FILE *stream)
{
    LOCATE(AT_FDCWD, path)
    if (node == NOT_INSIDE) {
        return __real_freopen(path, mode, stream);
    }
    int file = open_inside(node, flags_of(mode));
    /* Another name of the descriptor, which the C library opens by its number. */
    char name[32];
    snprintf(name, sizeof name, "/proc/self/fd/%d", file);
    FILE *opened = file < 0 ? NULL : __real_freopen(name, mode, stream);
    if (file >= 0) {
        close(file);
    }
    return opened;
}

/* Describing. */

int __real_stat(const char *path, struct stat *out);
int __real_lstat(const char *path, struct stat *out);
int __real_fstat(int file, struct stat *out);
int __real_fstatat(int at, const char *path, struct stat *out, int flags);
int __real_access(const char *path, int mode);
int __real_faccessat(int at, const char *path, int mode, int flags);
int __real_statvfs(const char *path, struct statvfs *out);
long __real_pathconf(const char *path, int name);

static int
stat_inside(int node, struct stat *out)
{
    if (node == MISSING) {
        return -1;
    }
    files_stat(node, out);
    return 0;
}

int
__wrap_stat(const char *path, struct stat *out)
{
    LOCATE(AT_FDCWD, path)
    return node == NOT_INSIDE ? __real_stat(path, out) : stat_inside(node, out);
}

int
__wrap_lstat(const char *path, struct stat *out)
{
    LOCATE(AT_FDCWD, path)
    return node == NOT_INSIDE ? __real_lstat(path, out) : stat_inside(node, out);
}

int
__wrap_fstat(int file, struct stat *out)
{
    int status = __real_fstat(file, out);
    if (status == 0 && out->st_nlink == 0) {
        int node = files_node_of(file);
        if (node != NOT_INSIDE) {
            files_stat(node, out);
        }
    }
    return status;
}

int
__wrap_fstatat(int at, const char *path, struct stat *out, int flags)
{
    if (flags & AT_EMPTY_PATH && path != NULL && path[0] == 0 && at >= 0) {
        return __wrap_fstat(at, out);
    }
    LOCATE(at, path)
    return node == NOT_INSIDE ? __real_fstatat(at, path, out, flags) : stat_inside(node, out);
}

static int
access_inside(int node, int mode)
{
    if (node == MISSING) {
        return -1;
    }
    if (mode & W_OK) {
        return fails(EROFS);
    }
    uint32_t kind = file_nodes[node].kind;
    int runs = kind == FILE_DIRECTORY || kind == FILE_INTERPRETER;
    return mode & X_OK && !runs ? fails(EACCES) : 0;
}

int
__wrap_access(const char *path, int mode)
{
    LOCATE(AT_FDCWD, path)
    return node == NOT_INSIDE ? __real_access(path, mode) : access_inside(node, mode);
}

int
__wrap_faccessat(int at, const char *path, int mode, int flags)
{
    LOCATE(at, path)
    return node == NOT_INSIDE ? __real_faccessat(at, path, mode, flags)
                              : access_inside(node, mode);
}

int
__wrap_statvfs(const char *path, struct statvfs *out)
{
    LOCATE(AT_FDCWD, path)
    if (node == NOT_INSIDE) {
        return __real_statvfs(path, out);
    }
    if (node == MISSING) {
        return -1;
    }
    memset(out, 0, sizeof *out);
    out->f_bsize = out->f_frsize = 4096;
    out->f_files = file_node_count;
    out->f_namemax = NAME_MAX;
    out->f_flag = ST_RDONLY;
    return 0;
}

long
__wrap_pathconf(const char *path, int name)
{
    LOCATE(AT_FDCWD, path)
    if (node == NOT_INSIDE) {
        return __real_pathconf(path, name);
    }
    return node == MISSING ? -1 : __real_pathconf("/", name);
}

ssize_t __real_readlink(const char *path, char *out, size_t size);
ssize_t __real_readlinkat(int at, const char *path, char *out, size_t size);
char *__real_realpath(const char *path, char *out);

ssize_t
__wrap_readlink(const char *path, char *out, size_t size)
{
    LOCATE(AT_FDCWD, path)
    if (node == NOT_INSIDE) {
        return __real_readlink(path, out, size);
    }
    return node == MISSING ? -1 : fails(EINVAL); /* there are no links inside */
}

ssize_t
__wrap_readlinkat(int at, const char *path, char *out, size_t size)
{
    LOCATE(at, path)
    if (node == NOT_INSIDE) {
        return __real_readlinkat(at, path, out, size);
    }
    return node == MISSING ? -1 : fails(EINVAL);
}

char *
__wrap_realpath(const char *path, char *out)
{
    LOCATE(AT_FDCWD, path)
    if (node == NOT_INSIDE) {
        return __real_realpath(path, out);
    }
    char whole[PATH_MAX];
    if (node == MISSING || files_path(node, whole) != 0) {
        return NULL;
    }
    return out == NULL ? strdup(whole) : strcpy(out, whole);
}

/* The current directory. */

int __real_chdir(const char *path);
int __real_fchdir(int file);
char *__real_getcwd(char *out, size_t size);

static int
enter(int node)
{
    if (node == MISSING) {
        return -1;
    }
    if (file_nodes[node].kind != FILE_DIRECTORY) {
        return fails(ENOTDIR);
    }
    files_enter(node);
    return 0;
}

int
__wrap_chdir(const char *path)
{
    LOCATE(AT_FDCWD, path)
    if (node != NOT_INSIDE) {
        return enter(node);
    }
    int status = __real_chdir(path);
    if (status == 0) {
        files_enter(NOT_INSIDE);
    }
    return status;
}

int
__wrap_fchdir(int file)
{
    int node = files_node_of(file);
    if (node != NOT_INSIDE) {
        return enter(node);
    }
    int status = __real_fchdir(file);
    if (status == 0) {
        files_enter(NOT_INSIDE);
    }
    return status;
}

char *
__wrap_getcwd(char *out, size_t size)
{
    int node = files_current();
    if (node == NOT_INSIDE) {
        return __real_getcwd(out, size);
    }
    char whole[PATH_MAX];
    if (files_path(node, whole) != 0) {
        return NULL;
    }
    if (out == NULL) {
        return strdup(whole);
    }
    if (size <= strlen(whole)) {
        errno = size == 0 ? EINVAL : ERANGE;
        return NULL;
    }
    return strcpy(out, whole);
}
