#include "guard/ring/capabilities.h"

#include <errno.h>
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

int capabilities_last(void)
{
    int last = 0;

    while (prctl(PR_CAPBSET_READ, last + 1, 0, 0, 0) >= 0)
        last++;
    return last;
}

int capabilities_drop(int last)
{
    struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = {{0, 0, 0}, {0, 0, 0}};

    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
    /* Fails for who has no right to: the set then gives nothing either, as nothing is executed and
       no new privileges come by it. */
    for (int i = 0; i <= last; i++)
        if (prctl(PR_CAPBSET_READ, i, 0, 0, 0) == 1 && prctl(PR_CAPBSET_DROP, i, 0, 0, 0) < 0)
            break;
    return syscall(SYS_capset, &header, none) < 0 ? -errno : 0;
}

bool capabilities_are_gone(void)
{
    struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct have[_LINUX_CAPABILITY_U32S_3];

    if (syscall(SYS_capget, &header, have) < 0)
        return false;
    for (int i = 0; i < _LINUX_CAPABILITY_U32S_3; i++)
        if ((have[i].effective | have[i].permitted | have[i].inheritable) != 0)
            return false;
    return true;
}
