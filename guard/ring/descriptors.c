#include "guard/ring/descriptors.h"

#include "guard/link/cleanup.h"
#include "guard/link/descriptors.h"

#include <fcntl.h>
#include <limits.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

/* A Linux before 5.9 has no close_range(). */
static void close_range_slowly(unsigned first, unsigned last)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < last)
        last = (unsigned)limit.rlim_cur;
    for (unsigned fd = first; fd <= last; fd++)
        close((int)fd);
}

static void close_between(unsigned first, unsigned last)
{
    if (first <= last && syscall(SYS_close_range, first, last, 0) < 0)
        close_range_slowly(first, last);
}

void descriptors_close_inherited(int link_fd)
{
    int last = link_fd;

    if (link_fd > 3)
        close_between(3, (unsigned)link_fd - 1);
    if (descriptor_is_last_line(link_fd + DESCRIPTOR_LAST_LINE))
        last = link_fd + DESCRIPTOR_LAST_LINE;
    for (int next = DESCRIPTOR_COPIES; last != link_fd && next < DESCRIPTOR_COUNT; next++)
        if (last == link_fd + next - 1 && descriptor_is_packets(link_fd + next))
            last = link_fd + next;
    close_between((unsigned)last + 1, INT_MAX);
}

static bool is_null(int fd)
{
    struct stat about;

    return fstat(fd, &about) == 0 && S_ISCHR(about.st_mode) && about.st_rdev == makedev(1, 3);
}

void descriptors_renew_null(void)
{
    cleanup_close int null = open("/dev/null", O_RDWR | O_CLOEXEC);

    for (int fd = 0; null >= 0 && fd <= STDERR_FILENO; fd++)
        if (is_null(fd))
            dup2(null, fd);
}
