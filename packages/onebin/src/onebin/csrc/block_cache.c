/* Keep a few large blocks that were freed, for the next allocation.
 *
 * The C library maps each block above 32 KiB and unmaps it again. With the pages the kernel has
 * to make that is 20 us for 33 kB, where a kept one takes 20 ns: programs that build
 * responses or read files by the 64 KiB spent most of their time so. Smaller blocks it keeps by itself.
 *
 * Behind CPython's raw allocator (Doc/c-api/memory.rst), so all of Python's objects have it, and
 * any thread may call: a block is in a slot or in use, and moves by one atomic exchange.
 */
#include "block_cache.h"

#include <malloc.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* Rounded up in steps of a quarter, so that blocks of about the same size can replace each
 * other: the library knows only the requested size of a block. */
static size_t
rounded(size_t size)
{
    size_t step = BLOCK_CACHE_MIN / 4;
    while (step * 8 < size) {
        step *= 2;
    }
    return (size + step - 1) / step * step;
}

static _Atomic(void *) slots[BLOCK_CACHE_KEPT];
static atomic_uint turn;

static int
is_kept(size_t size)
{
    return size >= BLOCK_CACHE_MIN && size <= BLOCK_CACHE_MAX;
}

static void
keep(void *block)
{
    for (int n = 0; n < BLOCK_CACHE_KEPT; n++) {
        void *none = NULL;
        if (atomic_compare_exchange_strong(&slots[n], &none, block)) {
            return;
        }
    }
    /* All are taken, perhaps by sizes no longer in use: the next in turn is freed. */
    free(atomic_exchange(&slots[atomic_fetch_add(&turn, 1) % BLOCK_CACHE_KEPT], block));
}

void *
blocks_malloc(void *context, size_t size)
{
    (void)context;
    if (!is_kept(size)) {
        return malloc(size ? size : 1);
    }
    for (int n = 0; n < BLOCK_CACHE_KEPT; n++) {
        void *block = atomic_exchange(&slots[n], NULL);
        if (block == NULL) {
            continue;
        }
        size_t room = malloc_usable_size(block);
        if (room >= size && room / 2 <= size) {
            return block;
        }
        keep(block);
    }
    return malloc(rounded(size));
}

void *
blocks_calloc(void *context, size_t count, size_t size)
{
    (void)context;
    /* Fresh pages are zero already: clearing a kept block would cost more. */
    return calloc(count && size ? count : 1, count && size ? size : 1);
}

void
blocks_free(void *context, void *block)
{
    (void)context;
    if (block != NULL && is_kept(malloc_usable_size(block))) {
        keep(block);
    }
    else {
        free(block);
    }
}

void *
blocks_realloc(void *context, void *block, size_t size)
{
    if (block == NULL) {
        return blocks_malloc(context, size);
    }
    size_t room = malloc_usable_size(block);
    if (!is_kept(size) && !is_kept(room)) {
        return realloc(block, size ? size : 1);
    }
    if (size <= room && room / 2 <= size) {
        return block;
    }
    void *moved = blocks_malloc(context, size);
    if (moved != NULL) {
        memcpy(moved, block, room < size ? room : size);
        blocks_free(context, block);
    }
    return moved;
}
