/* Compare strchr and memchr of libc_strings.c with loops over bytes, up to the end of a page. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

char *__wrap_strchr(const char *text, int wanted);
void *__wrap_memchr(const void *data, int wanted, size_t size);

enum { LONGEST = 40 };

static const int WANTED[] = {0, 1, 'a', 'b', 0x7f, 0x80, 0x81, 0xff, -1, 'a' + 256};

static void
expect(const void *found, const char *wanted, const char *what)
{
    if (found != wanted) {
        printf("%s: %p, not %p\n", what, found, (const void *)wanted);
        exit(1);
    }
}

static void
compare(const char *data, size_t size)
{
    for (size_t n = 0; n < sizeof(WANTED) / sizeof(*WANTED); n++) {
        const char byte = (char)WANTED[n];
        const char *first = NULL, *in_text = NULL;
        for (size_t i = 0; i < size && first == NULL; i++) {
            first = data[i] == byte ? data + i : NULL;
        }
        expect(__wrap_memchr(data, WANTED[n], size), first, "memchr");
        if (memchr(data, 0, size) == NULL) {
            continue; /* no string */
        }
        for (size_t i = 0; in_text == NULL; i++) {
            in_text = data[i] == byte ? data + i : NULL;
            if (data[i] == 0) {
                break;
            }
        }
        expect(__wrap_strchr(data, WANTED[n]), in_text, "strchr");
    }
}

int
main(void)
{
    const size_t page = (size_t)sysconf(_SC_PAGESIZE);
    char *pages = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (pages == MAP_FAILED || mprotect(pages + page, page, PROT_NONE) != 0) {
        return 2;
    }
    static const char BYTES[] = {0, 'a', 'b', 1, (char)0x80, (char)0x81, (char)0xff, 0x7f};
    unsigned state = 1;
    long compared = 0;
    for (size_t size = 0; size <= LONGEST; size++) {
        for (size_t behind = 0; behind <= 2 * sizeof(size_t); behind++) {
            char *data = pages + page - behind - size;
            for (int round = 0; round < 200; round++) {
                for (size_t i = 0; i < size; i++) {
                    state = state * 1103515245 + 12345;
                    /* Long runs of one byte first, then any. */
                    data[i] = round < 16 ? BYTES[1 + round % 7] : BYTES[state >> 16 & 7];
                }
                memset(data + size, 'a', behind);
                if (size > 0 && round % 2 == 0) {
                    data[size - 1] = 0;
                }
                compare(data, size);
                compared++;
            }
        }
    }
    printf("%ld\n", compared);
    return 0;
}
