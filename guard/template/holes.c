#include "guard/template/holes.h"

#include <Python.h>

#include <malloc.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

enum {
    BLOCKS_MAX = 200000, /* of one size; reached by nothing that we have seen */
    PAGE = 4096,
    POOL = 4 * PAGE, /* of Python's allocator: one size of objects each */
    OBJECT_STEP = 16,
    OBJECT_MAX = 512,
    CHUNK_STEP = 16,
    CHUNK_FINE = 1024, /* up to here the C library keeps a list for each size */
    CHUNK_MAX = 64 * 1024, /* what is larger may get a mapping of its own */
};

/* The block's pool has a page that nothing was ever written to: it was never in use. */
static bool is_in_new_pool(const void *block)
{
    uintptr_t page = ((uintptr_t)block & ~(uintptr_t)(POOL - 1)) + POOL - PAGE;
    unsigned char is_resident = 1;

    return mincore((void *)page, PAGE, &is_resident) == 0 && (is_resident & 1) == 0;
}

/* Asked at each new pool only: blocks of one follow each other. */
static void fill_objects(size_t size)
{
    uintptr_t pool = 0;

    for (int i = 0; i < BLOCKS_MAX; i++) {
        void *block = PyObject_Malloc(size);

        if (block == NULL)
            return;
        if (((uintptr_t)block & ~(uintptr_t)(POOL - 1)) == pool)
            continue;
        pool = (uintptr_t)block & ~(uintptr_t)(POOL - 1);
        if (is_in_new_pool(block))
            return;
    }
}

/* Below the end of what is in use; what comes from behind it goes back there. */
static void fill_chunks(size_t size, const char *end)
{
    for (int i = 0; i < BLOCKS_MAX; i++) {
        char *block = malloc(size);

        if (block != NULL && block < end)
            continue;
        free(block);
        return;
    }
}

void holes_fill(void)
{
    const char *end;

    for (size_t size = OBJECT_MAX; size >= OBJECT_STEP; size -= OBJECT_STEP)
        fill_objects(size);
    end = (const char *)sbrk(0) - mallinfo2().keepcost;
    for (size_t size = CHUNK_MAX; size > CHUNK_FINE; size -= size / 16)
        fill_chunks(size, end);
    for (size_t size = CHUNK_FINE; size >= CHUNK_STEP; size -= CHUNK_STEP)
        fill_chunks(size - sizeof(size_t), end);
}
