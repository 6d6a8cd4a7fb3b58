#include "guard/ring/resources.h"

#include <stddef.h>
#include <sys/resource.h>

void resources_limit(void)
{
    static const int none[] = {RLIMIT_CORE, RLIMIT_MSGQUEUE, RLIMIT_RTPRIO, RLIMIT_NICE};
    static const struct rlimit nothing = {0, 0};

    for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++)
        setrlimit((__rlimit_resource_t)none[i], &nothing);
}
