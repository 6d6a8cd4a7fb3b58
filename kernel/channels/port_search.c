#include "kernel/channels/port_search.h"

#include "guard/link/buffer.h"

#include <sys/random.h>

int port_search(const struct port_range *range, port_attempt attempt, void *context)
{
    int count = range->last - range->first + 1;
    unsigned offset = 0;
    int result = -EADDRINUSE;

    if (range->last == 0)
        return attempt(context, 0);
    if (getrandom(&offset, sizeof(offset), 0) < 0)
        offset = (unsigned)getpid();
    for (int i = 0; result == -EADDRINUSE && i < count; i++)
        result = attempt(context, range->first + (int)((offset + (unsigned)i) % (unsigned)count));
    return result;
}
