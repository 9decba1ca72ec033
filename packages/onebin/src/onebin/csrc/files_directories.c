/* Directory streams inside the executable, and starting it as an interpreter (ld --wrap).
 *
 * A stream of ours is a pointer with its lowest bit set, which no allocation has.
 */
#define _GNU_SOURCE
#include "files.h"
#include "trace.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct stream {
    int node;
    int file; /* -1 until it is asked for */
    long at;  /* 0 and 1 are "." and ".." */
    struct dirent entry;
};

DIR *__real_opendir(const char *path);
DIR *__real_fdopendir(int file);
struct dirent *__real_readdir(DIR *stream);
int __real_closedir(DIR *stream);
void __real_rewinddir(DIR *stream);
long __real_telldir(DIR *stream);
void __real_seekdir(DIR *stream, long at);
int __real_dirfd(DIR *stream);

static struct stream *
ours(DIR *stream)
{
    return (uintptr_t)stream & 1 ? (struct stream *)((uintptr_t)stream - 1) : NULL;
}

static DIR *
stream_of(int node, int file)
{
    if (file_nodes[node].kind != FILE_DIRECTORY) {
        errno = ENOTDIR;
        return NULL;
    }
    TRACE(node, 'l');
    struct stream *made = calloc(1, sizeof *made);
    if (made == NULL) {
        return NULL;
    }
    made->node = node;
    made->file = file;
    return (DIR *)((uintptr_t)made + 1);
}

DIR *
__wrap_opendir(const char *path)
{
    char outside[PATH_MAX];
    int node = files_find(AT_FDCWD, path, outside);
    if (node == NOT_INSIDE) {
        return __real_opendir(outside[0] ? outside : path);
    }
    return node == MISSING ? NULL : stream_of(node, -1);
}

DIR *
__wrap_fdopendir(int file)
{
    int node = files_node_of(file);
    return node == NOT_INSIDE ? __real_fdopendir(file) : stream_of(node, file);
}

struct dirent *
__wrap_readdir(DIR *stream)
{
    struct stream *mine = ours(stream);
    if (mine == NULL) {
        return __real_readdir(stream);
    }
    const struct file_node *directory = &file_nodes[mine->node];
    if (mine->at >= (long)directory->size + 2) {
        return NULL;
    }
    int node = mine->node;
    const char *name = mine->at == 0 ? "." : "..";
    if (mine->at == 1) {
        node = (int)directory->parent;
    }
    if (mine->at >= 2) {
        node = (int)directory->first + (int)mine->at - 2;
        name = file_names + file_nodes[node].name;
    }
    mine->at++;
    mine->entry.d_ino = (ino_t)node + 1;
    mine->entry.d_off = mine->at;
    mine->entry.d_reclen = sizeof mine->entry;
    mine->entry.d_type = file_nodes[node].kind == FILE_DIRECTORY ? DT_DIR : DT_REG;
    strncpy(mine->entry.d_name, name, sizeof mine->entry.d_name - 1);
    return &mine->entry;
}

int
__wrap_closedir(DIR *stream)
{
    struct stream *mine = ours(stream);
    if (mine == NULL) {
        return __real_closedir(stream);
    }
    if (mine->file >= 0) {
        close(mine->file);
    }
    free(mine);
    return 0;
}

void
__wrap_rewinddir(DIR *stream)
{
    struct stream *mine = ours(stream);
    if (mine == NULL) {
        __real_rewinddir(stream);
    }
    else {
        mine->at = 0;
    }
}

long
__wrap_telldir(DIR *stream)
{
    struct stream *mine = ours(stream);
    return mine == NULL ? __real_telldir(stream) : mine->at;
}

void
__wrap_seekdir(DIR *stream, long at)
{
    struct stream *mine = ours(stream);
    if (mine == NULL) {
        __real_seekdir(stream, at);
    }
    else {
        mine->at = at;
    }
}

int
__wrap_dirfd(DIR *stream)
{
    struct stream *mine = ours(stream);
    if (mine == NULL) {
        return __real_dirfd(stream);
    }
    if (mine->file < 0) {
        mine->file = files_open(mine->node, O_CLOEXEC);
    }
    return mine->file;
}

/* Starting a program: sys.executable is a name inside, and means this very program. The child
 * sees by its argv[0] that it is to be an interpreter (interpreter.c). */

int __real_execve(const char *path, char *const arguments[], char *const environment[]);
int __real_execv(const char *path, char *const arguments[]);
int __real_posix_spawn(pid_t *child, const char *path, const posix_spawn_file_actions_t *actions,
                       const posix_spawnattr_t *attributes, char *const arguments[],
                       char *const environment[]);

extern char own_path[PATH_MAX]; /* main: where this program was started from */

extern char **environ;


static char *const interpreter_name = "/" FILES_PREFIX "/bin/python3";

static size_t
count_of(char *const arguments[])
{
    size_t count = 0;
    while (arguments != NULL && arguments[count] != NULL) {
        count++;
    }
    return count;
}

/* Returns 1 if *path* is the interpreter, 0 if it is the kernel's business, -1 on failure. */
static int
is_interpreter(const char **path, char *outside)
{
    int node = files_find(AT_FDCWD, *path, outside);
    if (outside[0] != 0) {
        *path = outside;
    }
    if (node == NOT_INSIDE) {
        return 0;
    }
    if (node != MISSING && file_nodes[node].kind == FILE_INTERPRETER) {
        return 1;
    }
    if (node != MISSING) {
        errno = EACCES;
    }
    return -1;
}

/* Fills *out*, which has room for one more than *arguments*, and returns it. */
static char **
as_interpreter(char *const arguments[], size_t count, char **out)
{
    memcpy(out, arguments, count * sizeof *out);
    out[0] = interpreter_name;
    out[count ? count : 1] = NULL;
    return out;
}

/* Fills *out*, which has room for two more than *environment*, with where a child begins, if that
 * is inside: the kernel has no such directory. *place* has room for the variable.
 *
 * Returns the environment of the child. */
static char *const *
with_current(char *const environment[], size_t count, char **out, char *place)
{
    int node = files_current();
    size_t name = sizeof FILES_CURRENT; /* with the sign */
    memcpy(place, FILES_CURRENT "=", name);
    if (node == NOT_INSIDE || files_path(node, place + name) != 0) {
        return environment;
    }
    if (count != 0) {
        memcpy(out, environment, count * sizeof *out);
    }
    out[count] = place;
    out[count + 1] = NULL;
    return out;
}

int
__wrap_execve(const char *path, char *const arguments[], char *const environment[])
{
    char outside[PATH_MAX];
    int is = is_interpreter(&path, outside);
    if (is <= 0) {
        return is < 0 ? -1 : __real_execve(path, arguments, environment);
    }
    size_t count = count_of(arguments);
    char *started[count + 2]; /* after vfork nothing may be allocated */
    as_interpreter(arguments, count, started);
    char place[sizeof FILES_CURRENT + PATH_MAX];
    size_t variables = count_of(environment);
    char *told[variables + 2];
    environment = (char **)with_current(environment, variables, told, place);
    __real_execve("/proc/self/exe", started, environment);
    return __real_execve(own_path, started, environment);
}

int
__wrap_execv(const char *path, char *const arguments[])
{
    return __wrap_execve(path, arguments, environ);
}

int
__wrap_posix_spawn(pid_t *child, const char *path, const posix_spawn_file_actions_t *actions,
                   const posix_spawnattr_t *attributes, char *const arguments[],
                   char *const environment[])
{
    char outside[PATH_MAX];
    int is = is_interpreter(&path, outside);
    if (is < 0) {
        return errno;
    }
    if (is == 0) {
        return __real_posix_spawn(child, path, actions, attributes, arguments, environment);
    }
    size_t count = count_of(arguments);
    char *started[count + 2];
    as_interpreter(arguments, count, started);
    char place[sizeof FILES_CURRENT + PATH_MAX];
    size_t variables = count_of(environment);
    char *told[variables + 2];
    environment = (char **)with_current(environment, variables, told, place);
    int status =
        __real_posix_spawn(child, "/proc/self/exe", actions, attributes, started, environment);
    if (status != 0) {
        status = __real_posix_spawn(child, own_path, actions, attributes, started, environment);
    }
    return status;
}
