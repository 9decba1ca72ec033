/* Hide the machine's headers and libraries from the interpreter that runs build back ends.
 *
 * Setup scripts look for them in the usual folders (os.path.isfile, os.listdir) and compile with
 * what they find; a static executable can use none of it. The linker gives these functions to
 * CPython in place of libc's (--wrap). Programs that a back end starts see the folders as they are.
 */
#include "sealed.h" /* onebin_hidden[]: folders, ended by NULL */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int
is_below(const char *path, const char *folder)
{
    size_t length = strlen(folder);
    return strncmp(path, folder, length) == 0 && (path[length] == '/' || path[length] == '\0');
}

/* Whether *path* is hidden; onebin's cache (ONEBIN_VISIBLE) never is, wherever it is. */
static int
hidden(const char *path)
{
    const char *visible = getenv("ONEBIN_VISIBLE");
    while (path[0] == '/' && path[1] == '/') {
        path++;
    }
    if (path[0] != '/' || (visible && *visible && is_below(path, visible))) {
        return 0;
    }
    for (const char *const *folder = onebin_hidden; *folder; folder++) {
        if (is_below(path, *folder)) {
            errno = ENOENT;
            return 1;
        }
    }
    return 0;
}

#define WRAP(type, name, failure, parameters, arguments)        \
    type __real_##name parameters;                              \
    type __wrap_##name parameters                               \
    {                                                           \
        return hidden(path) ? (failure) : __real_##name arguments; \
    }

WRAP(int, stat, -1, (const char *path, struct stat *found), (path, found))
WRAP(int, lstat, -1, (const char *path, struct stat *found), (path, found))
WRAP(int, fstatat, -1, (int at, const char *path, struct stat *found, int flags),
     (at, path, found, flags))
WRAP(int, access, -1, (const char *path, int mode), (path, mode))
WRAP(int, faccessat, -1, (int at, const char *path, int mode, int flags), (at, path, mode, flags))
WRAP(DIR *, opendir, NULL, (const char *path), (path))
WRAP(ssize_t, readlink, -1, (const char *path, char *text, size_t size), (path, text, size))
WRAP(ssize_t, readlinkat, -1, (int at, const char *path, char *text, size_t size),
     (at, path, text, size))

int __real_open(const char *path, int flags, ...);
int __real_openat(int at, const char *path, int flags, ...);

static mode_t
mode_of(int flags, va_list rest)
{
    return flags & (O_CREAT | O_TMPFILE) ? va_arg(rest, mode_t) : 0;
}

int
__wrap_open(const char *path, int flags, ...)
{
    va_list rest;
    va_start(rest, flags);
    mode_t mode = mode_of(flags, rest);
    va_end(rest);
    return hidden(path) ? -1 : __real_open(path, flags, mode);
}

int
__wrap_openat(int at, const char *path, int flags, ...)
{
    va_list rest;
    va_start(rest, flags);
    mode_t mode = mode_of(flags, rest);
    va_end(rest);
    return hidden(path) ? -1 : __real_openat(at, path, flags, mode);
}
