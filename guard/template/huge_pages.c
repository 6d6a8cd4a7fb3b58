#include "guard/template/huge_pages.h"

#include "guard/link/cleanup.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE 25
#endif

enum { HUGE_BYTES = 2 * 1024 * 1024 };

/* Private, writable and of no file: the heap of the C library, the arenas of Python's. */
static bool read_region(const char *line, uintptr_t *ret_start, uintptr_t *ret_end)
{
    char access[5];
    char name[16] = "";
    unsigned long inode;

    return sscanf(line, "%lx-%lx %4s %*x %*s %lu %15s", ret_start, ret_end, access, &inode, name) >= 4 &&
           strcmp(access, "rw-p") == 0 && inode == 0 && (name[0] == '\0' || strcmp(name, "[heap]") == 0);
}

static void collapse(uintptr_t start, uintptr_t end)
{
    uintptr_t at = (start + HUGE_BYTES - 1) / HUGE_BYTES * HUGE_BYTES;

    for (; at + HUGE_BYTES <= end; at += HUGE_BYTES)
        madvise((void *)at, HUGE_BYTES, MADV_COLLAPSE); /* a wish: what cannot be had stays as it is */
}

void huge_pages_collapse(void)
{
    FILE *maps = fopen("/proc/self/maps", "re");
    cleanup_free char *line = NULL;
    size_t size = 0;
    uintptr_t start, end;

    while (maps != NULL && getline(&line, &size, maps) > 0)
        if (read_region(line, &start, &end))
            collapse(start, end);
    if (maps != NULL)
        fclose(maps);
}
