/* Counters of an instrumented executable, written to a file when it ends.
 *
 * clang's instrumented code counts in memory, in sections the linker joins; clang's own run-time
 * library would write them, and is not part of the compiler's package. The folder is named by
 * ONEBIN_COUNTERS; a process that forked has a file of its own. One that ends by a signal or
 * _exit leaves none.
 *
 * Read by pgo/profile.py: names, a record for each function, counters; before each its size
 * and its address, 8 bytes each.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define SECTION(name) extern const char __start___llvm_prf_##name[], __stop___llvm_prf_##name[]
SECTION(names);
SECTION(data);
SECTION(cnts);

#define NOT_COUNTED __attribute__((no_profile_instrument_function))

NOT_COUNTED static int
put(int file, const void *bytes, size_t size)
{
    for (const char *from = bytes; size > 0;) {
        ssize_t written = write(file, from, size);
        if (written <= 0) {
            return -1;
        }
        from += written;
        size -= (size_t)written;
    }
    return 0;
}

NOT_COUNTED static int
put_section(int file, const char *start, const char *stop)
{
    unsigned long long head[2] = {(unsigned long long)(stop - start), (unsigned long long)start};
    return put(file, head, sizeof head) || put(file, start, (size_t)(stop - start));
}

NOT_COUNTED static void
leave(void)
{
    const char *folder = getenv("ONEBIN_COUNTERS");
    char path[4096];
    if (folder == NULL || snprintf(path, sizeof path, "%s/%d", folder, (int)getpid()) >= (int)sizeof path) {
        return;
    }
    int file = open(path, O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0600);
    if (file < 0) {
        return;
    }
    if (put_section(file, __start___llvm_prf_names, __stop___llvm_prf_names)
        || put_section(file, __start___llvm_prf_data, __stop___llvm_prf_data)
        || put_section(file, __start___llvm_prf_cnts, __stop___llvm_prf_cnts)) {
        unlink(path); /* half of it would be read as damage */
    }
    close(file);
}

NOT_COUNTED __attribute__((constructor)) static void
begin(void)
{
    atexit(leave);
}
