/* strchr and memchr that read a word at a time, and no further than they have to (ld --wrap).
 *
 * The compiler's own ones take the place of musl's. Its strchr measures the whole string first:
 * CPython's tokenizer, which asks for the next end of a line, reads the rest of a source for each
 * line. Its memchr reads a byte at a time.
 *
 * A word is read where it is aligned: it is in one page with the byte that was asked for.
 */
#include <limits.h>
#include <stddef.h>
#include <stdint.h>

typedef size_t __attribute__((may_alias)) word;

#define ONES ((size_t)-1 / UCHAR_MAX)
#define HIGHS (ONES * (UCHAR_MAX / 2 + 1))
#define HAS_ZERO(x) (((x) - ONES) & ~(x) & HIGHS)
#define IS_ALIGNED(p) ((uintptr_t)(p) % sizeof(size_t) == 0)

/* Without builtins: the compiler would see strlen in these loops. */
__attribute__((no_builtin)) char *
__wrap_strchr(const char *text, int wanted)
{
    const unsigned char byte = (unsigned char)wanted, *at = (const unsigned char *)text;
    const size_t pattern = ONES * byte;

    for (; !IS_ALIGNED(at); at++) {
        if (*at == byte) {
            return (char *)at;
        }
        if (*at == 0) {
            return NULL;
        }
    }
    const word *words = (const word *)at;
    while (!HAS_ZERO(*words) && !HAS_ZERO(*words ^ pattern)) {
        words++;
    }
    for (at = (const unsigned char *)words; *at != byte; at++) {
        if (*at == 0) {
            return NULL;
        }
    }
    return (char *)at;
}

__attribute__((no_builtin)) void *
__wrap_memchr(const void *data, int wanted, size_t size)
{
    const unsigned char byte = (unsigned char)wanted, *at = data;
    const size_t pattern = ONES * byte;

    for (; size > 0 && !IS_ALIGNED(at); at++, size--) {
        if (*at == byte) {
            return (void *)at;
        }
    }
    const word *words = (const word *)at;
    for (; size >= sizeof(word) && !HAS_ZERO(*words ^ pattern); words++, size -= sizeof(word)) {
    }
    for (at = (const unsigned char *)words; size > 0; at++, size--) {
        if (*at == byte) {
            return (void *)at;
        }
    }
    return NULL;
}
