#include "guard/template/large_pages.h"

#include "guard/link/cleanup.h"

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE 25
#endif

/* A line of /proc/self/maps (proc_pid_maps(5)): private memory that can be written and belongs to no file. */
static int read_line(const char *line, unsigned long *ret_start, unsigned long *ret_end)
{
    char access[5];
    char name[8] = "";

    return sscanf(line, "%lx-%lx %4s %*s %*s %*s %7s", ret_start, ret_end, access, name) >= 3 &&
           strcmp(access, "rw-p") == 0 && (name[0] == '\0' || strcmp(name, "[heap]") == 0);
}

void large_pages_collect(void)
{
    cleanup_file FILE *maps = fopen("/proc/self/maps", "re");
    unsigned long start;
    unsigned long end;
    char line[512];

    while (maps != NULL && fgets(line, sizeof(line), maps) != NULL)
        if (read_line(line, &start, &end))
            madvise((void *)start, end - start, MADV_COLLAPSE); /* what cannot be had is as it was */
}
