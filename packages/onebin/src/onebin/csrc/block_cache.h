/* The raw allocator of the executable: see block_cache.c. */
#ifndef ONEBIN_BLOCK_CACHE_H
#define ONEBIN_BLOCK_CACHE_H

#include <stddef.h>

enum {
    BLOCK_CACHE_MIN = 32 * 1024 - 64, /* bytes; the C library keeps smaller blocks */
    BLOCK_CACHE_MAX = 1024 * 1024,    /* bytes; the arenas of Python's small objects are as large */
    BLOCK_CACHE_KEPT = 4              /* so 4 MiB at the very most, of a program that used them */
};

void *blocks_malloc(void *context, size_t size);
void *blocks_calloc(void *context, size_t count, size_t size);
void *blocks_realloc(void *context, void *block, size_t size);
void blocks_free(void *context, void *block);

#endif
