#include "guard/ring/resources.h"

#include "guard/link/cleanup.h"

#include <fcntl.h>
#include <stddef.h>
#include <sys/resource.h>
#include <unistd.h>

void resources_limit(void)
{
    static const int none[] = {RLIMIT_MSGQUEUE, RLIMIT_RTPRIO, RLIMIT_NICE};
    static const struct rlimit nothing = {0, 0};
    static const struct rlimit no_core = {1, 1}; /* 0 would not stop one that goes to a program: core(5) */
    cleanup_close int filter = open("/proc/self/coredump_filter", O_WRONLY | O_CLOEXEC);

    for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++)
        setrlimit((__rlimit_resource_t)none[i], &nothing);
    setrlimit(RLIMIT_CORE, &no_core);
    if (filter >= 0 && write(filter, "0", 1) < 0)
        return; /* a Linux without core files */
}
