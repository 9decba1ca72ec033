/* The read-only file system inside the executable: its table, and what its parts share.
 *
 * embed/files.py writes the table. Everything is found by 32-bit offsets: nothing is relocated
 * when the program starts, so all of it stays shared, clean pages of the executable.
 */
#ifndef ONEBIN_FILES_H
#define ONEBIN_FILES_H

#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#define FILES_PREFIX "onebin" /* the first part of every path inside: /onebin/... */

/* The variable by which an interpreter that begins inside is told where; gone before Python starts. */
#define FILES_CURRENT "ONEBIN_CURRENT"

enum file_kind {
    FILE_DIRECTORY = 0,
    FILE_PLAIN = 1,
    FILE_PACKED = 2,      /* one LZ4 block */
    FILE_CODE = 3,        /* a module's frozen code, shown as a .pyc */
    FILE_INTERPRETER = 4, /* sys.executable: this program, started as an interpreter */
};

struct file_node {
    uint32_t name;   /* offset in file_names, ends with 0 */
    uint32_t parent; /* a node; the root is its own */
    uint32_t kind;
    uint32_t first;  /* of a directory: its first child, the others follow, sorted by name */
    uint32_t size;   /* bytes as they are read; of a directory: its children */
    uint32_t data;   /* offset in file_data; of code: in frozen_code */
    uint32_t stored; /* bytes there */
    uint32_t mtime;  /* seconds since 1970 */
};

struct file_module {
    uint32_t name; /* dotted, offset in file_names; the table is sorted by it */
    uint32_t node; /* its source, or its code as a .pyc */
    uint32_t code; /* offset in frozen_code */
    uint32_t size; /* bytes there */
    uint32_t is_package;
};

extern const struct file_node file_nodes[];
extern const uint32_t file_node_count;
extern const struct file_module file_modules[];
extern const uint32_t file_module_count;
extern const char file_names[];
extern const unsigned char file_data[];
extern const unsigned char frozen_code[];

enum {
    NOT_INSIDE = -1, /* the kernel's business */
    MISSING = -2,    /* inside, and errno says why there is none */
};

/* Find *path*, relative to the directory *at* (AT_FDCWD, or a descriptor).
 *
 * Returns a node, NOT_INSIDE or MISSING. Of a path that leaves the prefix by "..", what is left
 * is put into *outside* (PATH_MAX bytes), else *outside* is empty.
 */
int files_find(int at, const char *path, char *outside);

/* Return the node whose contents the descriptor *file* holds, or NOT_INSIDE. */
int files_node_of(int file);

/* Return a new descriptor with the contents of *node*; -1 and errno if there can be none. */
int files_open(int node, int flags);

/* Fill in what stat(2) reports about *node*. */
void files_stat(int node, struct stat *out);

/* Return the child of *directory* with this name, by binary search; NOT_INSIDE if there is none. */
int files_child(int directory, const char *name, size_t length);

/* Write the absolute path of *node* to *out* (PATH_MAX bytes); 0, or -1 and ENAMETOOLONG. */
int files_path(int node, char *out);

/* Copy all of *node*, a file, to *out* (its size); 0, or -1 and EIO if it is damaged. */
int files_read(int node, unsigned char *out);

/* Return the current directory if it is inside, else NOT_INSIDE. The kernel has no such directory:
 * it is this process's own, and a program it starts is where the kernel says. */
int files_current(void);

/* Let *node*, or NOT_INSIDE, be it. */
void files_enter(int node);

#endif
