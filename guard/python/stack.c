#include "guard/python/stack.h"

#include <sys/mman.h>

enum { PROBE_BYTES = 1024 * 1024 }; /* more than a frame takes, and what Python's allocator asks for at once */

bool stack_end_is_certain(void)
{
    void *probe = mmap(NULL, PROBE_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (probe == MAP_FAILED)
        return false;
    munmap(probe, PROBE_BYTES);
    return true;
}
