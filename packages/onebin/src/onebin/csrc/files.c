/* Find, describe and hand out the files inside the executable; files_paths.c has libc's names.
 *
 * A regular file is handed out as a memfd with its contents, so read, seek, mmap, sendfile, dup,
 * fork and passing it to a child are the kernel's. Which node a descriptor is stands in the
 * descriptor itself: no links, a mode that no program gives, and the node's number in the
 * nanoseconds of its time. That needs no table, no lock, and survives dup and fork.
 */
#define _GNU_SOURCE
#include "files.h"
#include "lz4_block.h"
#include "trace.h"

#include <Python.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

enum {
    MARK_MODE = 01444,
    MARK_SECONDS = 0x6f6e6562, /* "oneb": the time of every descriptor of ours */
    DEVICE = 0x6f62,           /* of every file inside, as stat(2) reports it */
    PYC_HEAD = 16,             /* bytes before the code in a .pyc (PEP 552) */
    PACKED_MARK = 1,           /* code_packing.py */
    PACKED_HEAD = 8,
};

int __real_open(const char *path, int flags, ...);
int __real_fstat(int file, struct stat *out);
int __real_fchmod(int file, mode_t mode);
int __real_futimens(int file, const struct timespec times[2]);
char *__real_getcwd(char *out, size_t size);

static const struct file_node *
node_at(int node)
{
    return &file_nodes[node];
}

static int
missing(int number)
{
    errno = number;
    return MISSING;
}

/* Return what follows the prefix in *path*, which begins with a slash; NULL if it is not ours. */
static const char *
after_prefix(const char *path)
{
    while (*path == '/' || (path[0] == '.' && path[1] == '/')) {
        path++;
    }
    size_t length = sizeof FILES_PREFIX - 1;
    if (*path != FILES_PREFIX[0] || strncmp(path, FILES_PREFIX, length) != 0) {
        return NULL;
    }
    return path[length] == '/' || path[length] == 0 ? path + length : NULL;
}

/* Return where the absolute path that *path* means from the kernel's current directory goes on
 * inside; NULL if it stays outside. Only names that could lead there get this far. */
static const char *
from_real_directory(const char *path)
{
    char here[PATH_MAX];
    if (__real_getcwd(here, sizeof here) == NULL) {
        return NULL;
    }
    while (path[0] == '.' && path[1] == '.' && (path[2] == '/' || path[2] == 0)) {
        char *last = strrchr(here, '/');
        if (last != NULL) {
            *last = 0;
        }
        path += path[2] == 0 ? 2 : 3;
        while (*path == '/') {
            path++;
        }
    }
    if (here[0] != 0 && strcmp(here, "/") != 0) {
        return NULL;
    }
    size_t length = sizeof FILES_PREFIX - 1;
    if (strncmp(path, FILES_PREFIX, length) != 0 || (path[length] != '/' && path[length] != 0)) {
        return NULL;
    }
    return path + length;
}

int
files_find(int at, const char *path, char *outside)
{
    outside[0] = 0;
    if (path == NULL || path[0] == 0) {
        return NOT_INSIDE;
    }
    int node = 0;
    int current = path[0] != '/' && at == AT_FDCWD ? files_current() : NOT_INSIDE;
    if (path[0] == '/') {
        path = after_prefix(path);
    }
    else if (at != AT_FDCWD) {
        node = files_node_of(at);
    }
    else if (current != NOT_INSIDE) {
        node = current;
    }
    else if ((path[0] == '.' && path[1] == '.') || path[0] == FILES_PREFIX[0]) {
        path = from_real_directory(path);
    }
    else {
        return NOT_INSIDE;
    }
    if (path == NULL || node == NOT_INSIDE) {
        return NOT_INSIDE;
    }
    if (strnlen(path, PATH_MAX) == PATH_MAX) {
        return missing(ENAMETOOLONG);
    }
    while (*path != 0) {
        size_t length = strcspn(path, "/");
        if ((length != 0 || path[length] == '/') && node_at(node)->kind != FILE_DIRECTORY) {
            return missing(ENOTDIR);
        }
        if (length == 2 && path[0] == '.' && path[1] == '.') {
            if (node == 0) {
                const char *rest = path + length;
                const char *back = after_prefix(*rest ? rest : "/");
                if (back == NULL) {
                    outside[0] = '/';
                    strcpy(outside + 1, rest + strspn(rest, "/"));
                    return NOT_INSIDE;
                }
                path = back;
                continue;
            }
            node = (int)node_at(node)->parent;
        }
        else if (length != 0 && !(length == 1 && path[0] == '.')) {
            if (length > NAME_MAX) {
                return missing(ENAMETOOLONG);
            }
            node = files_child(node, path, length);
            if (node == NOT_INSIDE) {
                return missing(ENOENT);
            }
        }
        path += length;
        if (*path == '/') {
            if (node_at(node)->kind != FILE_DIRECTORY) {
                return missing(ENOTDIR);
            }
            path += strspn(path, "/");
        }
    }
    return node;
}

void
files_stat(int node, struct stat *out)
{
    const struct file_node *found = node_at(node);
    if (found->kind != FILE_DIRECTORY) {
        TRACE(node, 'f');
    }
    memset(out, 0, sizeof *out);
    out->st_dev = DEVICE;
    out->st_ino = (ino_t)node + 1;
    out->st_blksize = 4096;
    out->st_mtim.tv_sec = found->mtime;
    out->st_ctim = out->st_atim = out->st_mtim;
    out->st_nlink = 1;
    if (found->kind == FILE_DIRECTORY) {
        /* As of an installed file: a copy has the mode, and its owner may change it. */
        out->st_mode = S_IFDIR | 0755;
        out->st_nlink = 2;
        return;
    }
    out->st_mode = S_IFREG | (found->kind == FILE_INTERPRETER ? 0755 : 0644);
    out->st_size = found->size;
    out->st_blocks = (found->size + 511) / 512;
}

static int
unpack_whole(const unsigned char *stored, uint32_t size, unsigned char *out, uint32_t unpacked)
{
    return unpack(stored, stored + size, out, unpacked);
}

int
files_read(int node, unsigned char *out)
{
    const struct file_node *found = node_at(node);
    int good = 1;
    if (found->kind == FILE_PLAIN) {
        memcpy(out, file_data + found->data, found->size);
    }
    else if (found->kind == FILE_PACKED) {
        good = unpack_whole(file_data + found->data, found->stored, out, found->size);
    }
    else if (found->kind == FILE_CODE) {
        const unsigned char *code = frozen_code + found->data;
        uint32_t magic = (uint32_t)PyImport_GetMagicNumber();
        memset(out, 0, PYC_HEAD);
        memcpy(out, &magic, sizeof magic);
        memcpy(out + 8, &found->mtime, sizeof found->mtime);
        if (code[0] == PACKED_MARK) {
            good = unpack_whole(
                code + PACKED_HEAD, found->stored - PACKED_HEAD, out + PYC_HEAD,
                found->size - PYC_HEAD);
        }
        else {
            memcpy(out + PYC_HEAD, code, found->stored);
        }
    }
    if (!good) {
        errno = EIO;
        return -1;
    }
    return 0;
}

int
files_node_of(int file)
{
    struct stat seen;
    int before = errno;
    if (__real_fstat(file, &seen) != 0) {
        errno = before;
        return NOT_INSIDE;
    }
    if ((seen.st_mode & 07777) != MARK_MODE || seen.st_nlink != 0
        || seen.st_mtim.tv_sec != MARK_SECONDS || seen.st_mtim.tv_nsec >= file_node_count) {
        return NOT_INSIDE;
    }
    return (int)seen.st_mtim.tv_nsec;
}

/* Return a nameless file in memory; on a kernel or under a filter without memfd_create, one of a
 * file system that is writable. */
static int
nameless(const char *name, int flags)
{
    int cloexec = flags & O_CLOEXEC;
    unsigned options = MFD_ALLOW_SEALING | (cloexec ? MFD_CLOEXEC : 0);
#ifdef MFD_NOEXEC_SEAL
    int file = memfd_create(name, options | MFD_NOEXEC_SEAL);
    if (file >= 0 || errno != EINVAL) {
        options = 0;
    }
    else {
        file = memfd_create(name, options);
    }
#else
    int file = memfd_create(name, options);
#endif
    if (file >= 0 || errno == EMFILE || errno == ENFILE) {
        return file;
    }
    int first = errno;
    static const char *const places[] = {"/dev/shm", "/tmp", "."};
    for (size_t n = 0; n < sizeof places / sizeof *places; n++) {
        file = __real_open(places[n], O_TMPFILE | O_RDWR | cloexec, 0600);
        if (file >= 0) {
            return file;
        }
    }
    static atomic_flag said = ATOMIC_FLAG_INIT;
    if (!atomic_flag_test_and_set(&said)) {
        dprintf(
            STDERR_FILENO,
            "onebin: memfd_create: %s; files inside the executable cannot be opened; allow it in "
            "the seccomp profile, or mount a tmpfs at /tmp\n",
            strerror(first));
    }
    errno = first;
    return -1;
}

int
files_open(int node, int flags)
{
    const struct file_node *found = node_at(node);
    if (found->kind != FILE_DIRECTORY) {
        TRACE(node, 'f');
    }
    if (found->kind == FILE_INTERPRETER) {
        return __real_open("/proc/self/exe", O_RDONLY | (flags & O_CLOEXEC));
    }
    int file = nameless(file_names + found->name, flags);
    if (file < 0) {
        return -1;
    }
    int good = 1;
    if (found->kind != FILE_DIRECTORY && found->size != 0) {
        good = ftruncate(file, found->size) == 0;
        unsigned char *out = good
            ? mmap(NULL, found->size, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0)
            : MAP_FAILED;
        good = out != MAP_FAILED && files_read(node, out) == 0;
        if (out != MAP_FAILED) {
            munmap(out, found->size);
        }
    }
    const struct timespec mark = {.tv_sec = MARK_SECONDS, .tv_nsec = node};
    good = good && __real_fchmod(file, MARK_MODE) == 0
        && __real_futimens(file, (struct timespec[]){mark, mark}) == 0;
    if (!good) {
        int number = errno;
        close(file);
        errno = number;
        return -1;
    }
    /* Not F_SEAL_WRITE: kernels before 6.7 refuse to map such a file even shared and read-only.
     * Where a seal is unknown the file stays a private copy, which is as good. */
    fcntl(file, F_ADD_SEALS, F_SEAL_FUTURE_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL);
    return file;
}
