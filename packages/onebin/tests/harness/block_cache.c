/* Use target/blocks.c as Python would, from several threads: 0 if every byte was kept.
 *
 *     blocks random SEED      threads take, grow, shrink and give back, and look at their bytes
 *     blocks again            what is given back is what is got next; prints page faults of that
 *     blocks bound            prints the KiB that stay after many blocks were given back
 *     blocks edges            sizes at every edge
 */
#include "block_cache.h"

#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

enum { THREADS = 4, HELD = 6, STEPS = 5000 };

#define CHECK(true_) \
    do { if (!(true_)) { fprintf(stderr, "line %d: %s\n", __LINE__, #true_); exit(1); } } while (0)

static uint32_t
next(uint32_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 17;
    return *state ^= *state << 5;
}

static size_t
any_size(uint32_t *state)
{
    static const size_t most[] = {64, 4096, BLOCK_CACHE_MIN * 2, BLOCK_CACHE_MAX + 4096};
    return next(state) % most[next(state) % 4];
}

static void
fill(unsigned char *block, size_t size, unsigned char mark)
{
    for (size_t at = 0; at < size; at += 97) {
        block[at] = mark;
    }
}

static void
look(const unsigned char *block, size_t size, unsigned char mark)
{
    for (size_t at = 0; at < size; at += 97) {
        CHECK(block[at] == mark);
    }
}

static void *
work(void *seed)
{
    uint32_t state = *(uint32_t *)seed;
    unsigned char *held[HELD] = {0};
    size_t sizes[HELD] = {0};
    unsigned char marks[HELD] = {0};
    for (int step = 0; step < STEPS; step++) {
        unsigned n = next(&state) % HELD;
        size_t size = any_size(&state);
        look(held[n], sizes[n], marks[n]);
        switch (next(&state) % 4) {
        case 0:
            blocks_free(NULL, held[n]);
            held[n] = blocks_malloc(NULL, size);
            break;
        case 1:
            blocks_free(NULL, held[n]);
            held[n] = blocks_calloc(NULL, 1, size);
            look(held[n], size, 0);
            break;
        case 2:
            held[n] = blocks_realloc(NULL, held[n], size);
            look(held[n], size < sizes[n] ? size : sizes[n], marks[n]);
            break;
        default:
            blocks_free(NULL, held[n]);
            held[n] = NULL;
            size = 0;
        }
        CHECK(held[n] != NULL || size == 0);
        CHECK((uintptr_t)held[n] % 16 == 0);
        sizes[n] = size;
        marks[n] = (unsigned char)next(&state);
        fill(held[n], size, marks[n]);
    }
    for (int n = 0; n < HELD; n++) {
        blocks_free(NULL, held[n]);
    }
    return NULL;
}

static void
random_work(uint32_t seed)
{
    pthread_t threads[THREADS];
    uint32_t seeds[THREADS];
    for (uint32_t n = 0; n < THREADS; n++) {
        seeds[n] = seed * 7919 + n + 1;
        CHECK(pthread_create(&threads[n], NULL, work, &seeds[n]) == 0);
    }
    for (int n = 0; n < THREADS; n++) {
        pthread_join(threads[n], NULL);
    }
}

static long
faults(void)
{
    struct rusage used;
    getrusage(RUSAGE_SELF, &used);
    return used.ru_minflt;
}

static void
again(void)
{
    long before = 0;
    for (int n = 0; n < 1001; n++) {
        size_t size = 40000 + (size_t)(n % 5) * 1000;
        unsigned char *block = blocks_malloc(NULL, size);
        fill(block, size, 1);
        blocks_free(NULL, block);
        before = n ? before : faults();
    }
    printf("%ld\n", faults() - before);
}

static long
resident(void)
{
    long pages = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    CHECK(file != NULL && fscanf(file, "%*d %ld", &pages) == 1);
    fclose(file);
    return pages * 4;
}

static void
bound(void)
{
    static unsigned char *held[200];
    long before = resident();
    for (int n = 0; n < 200; n++) {
        held[n] = blocks_malloc(NULL, BLOCK_CACHE_MAX - 4096);
        fill(held[n], BLOCK_CACHE_MAX - 4096, 1);
    }
    for (int n = 0; n < 200; n++) {
        blocks_free(NULL, held[n]);
    }
    printf("%ld\n", resident() - before);
}

static void
edges(void)
{
    size_t around[] = {0, 1, BLOCK_CACHE_MIN - 1, BLOCK_CACHE_MIN, BLOCK_CACHE_MIN + 1, BLOCK_CACHE_MAX - 1,
                       BLOCK_CACHE_MAX, BLOCK_CACHE_MAX + 1, BLOCK_CACHE_MAX * 3};
    int many = sizeof around / sizeof *around;
    for (int from = 0; from < many; from++) {
        for (int to = 0; to < many; to++) {
            unsigned char *block = blocks_malloc(NULL, around[from]);
            CHECK(block != NULL);
            memset(block, 5, around[from]);
            block = blocks_realloc(NULL, block, around[to]);
            CHECK(block != NULL);
            look(block, around[from] < around[to] ? around[from] : around[to], 5);
            memset(block, 6, around[to]);
            blocks_free(NULL, block);
        }
    }
    CHECK(blocks_malloc(NULL, PTRDIFF_MAX) == NULL);
    CHECK(blocks_calloc(NULL, SIZE_MAX / 2, 4) == NULL);
    void *kept = blocks_realloc(NULL, NULL, 50000);
    CHECK(kept != NULL && blocks_realloc(NULL, kept, PTRDIFF_MAX) == NULL);
    blocks_free(NULL, kept); /* a failed realloc leaves the block as it was */
    blocks_free(NULL, NULL);
    void *none = blocks_malloc(NULL, 0), *other = blocks_malloc(NULL, 0);
    CHECK(none != NULL && none != other);
    blocks_free(NULL, none);
    blocks_free(NULL, other);
}

int
main(int argc, char **argv)
{
    CHECK(argc > 1);
    switch (argv[1][0]) {
    case 'r': random_work((uint32_t)atoi(argv[2])); break;
    case 'a': again(); break;
    case 'b': bound(); break;
    default: edges();
    }
    return 0;
}
