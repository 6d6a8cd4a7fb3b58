#include "guard/template/arenas.h"

#include "guard/python/compat.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/mman.h>

#define RANGE_BYTES ((size_t)1 << 30)

static struct {
    char *start;
    size_t used; /* never given out again: a gigabyte is a thousand arenas */
} range;

static bool is_in_range(const void *arena)
{
    return (const char *)arena >= range.start && (const char *)arena < range.start + RANGE_BYTES;
}

static void *map(size_t size)
{
    void *arena = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    return arena != MAP_FAILED ? arena : NULL;
}

/* Only what is used is writable, so that a limit on data counts that alone. */
static void *take(void *context, size_t size)
{
    char *arena = range.start + range.used;

    (void)context;
    if (size > RANGE_BYTES - range.used)
        return map(size);
    if (mprotect(arena, size, PROT_READ | PROT_WRITE) < 0)
        return NULL;
    range.used += size;
    return arena;
}

static void give_back(void *context, void *arena, size_t size)
{
    (void)context;
    if (!is_in_range(arena))
        munmap(arena, size);
    else /* cannot fail: it takes the place of what is there */
        (void)mmap(arena, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0);
}

void arenas_gather(void)
{
    struct compat_arenas arenas = {NULL, take, give_back};
    void *start = mmap(NULL, RANGE_BYTES, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    if (start == MAP_FAILED)
        return;
    range.start = start;
    compat.set_arenas(&arenas);
}
