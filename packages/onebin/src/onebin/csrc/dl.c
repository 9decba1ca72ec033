/* dlopen and dlsym of a static executable: itself, by a table of names made when it is linked.
 *
 * musl has stubs that always fail. CPython's ctypes opens the executable when it is imported, and
 * programs ask it for functions of Python's API and of libc. A shared library cannot be loaded:
 * there is no loader.
 */
#include <dlfcn.h>
#include <stdint.h>
#include <string.h>

extern const char onebin_symbol_names[];           /* sorted, each ended by 0 */
extern const uint32_t onebin_symbol_offsets[];     /* of each name */
extern void *const onebin_symbol_addresses[];
extern const uint32_t onebin_symbol_count;

/* musl's own: what the next dlerror() of this thread returns. */
void __dl_seterr(const char *format, ...);

static const char self;

/* Names that stand for libc, which is part of the executable. */
static const char *const libc_names[] = {
    "libc.so.6", "libc.so", "libm.so.6", "libm.so", "libpthread.so.0", "libdl.so.2", "librt.so.1",
    "libc.musl-x86_64.so.1", "libc.musl-aarch64.so.1", "ld-musl-x86_64.so.1",
    "ld-musl-aarch64.so.1",
};

void *
dlopen(const char *file, int mode)
{
    (void)mode;
    if (file == NULL || *file == '\0') {
        return (void *)&self;
    }
    const char *slash = strrchr(file, '/');
    const char *name = slash ? slash + 1 : file;
    for (unsigned n = 0; n < sizeof libc_names / sizeof *libc_names; n++) {
        if (strcmp(name, libc_names[n]) == 0) {
            return (void *)&self;
        }
    }
    __dl_seterr("%s: cannot be loaded: this is a static executable, without a loader; "
                "its own functions and libc's are found by CDLL(None)", file);
    return NULL;
}

void *
dlsym(void *restrict handle, const char *restrict name)
{
    (void)handle;
    uint32_t low = 0, high = onebin_symbol_count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        int order = strcmp(name, onebin_symbol_names + onebin_symbol_offsets[middle]);
        if (order == 0) {
            return onebin_symbol_addresses[middle];
        }
        if (order < 0) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    __dl_seterr("%s: not a function of Python's API or of libc in this static executable", name);
    return NULL;
}

int
dlclose(void *handle)
{
    (void)handle;
    return 0;
}
