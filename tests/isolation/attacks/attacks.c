#include "attacks.h"

#include <sys/wait.h>

const char *out(const struct target *t, const char *name)
{
    static char place[4096];

    snprintf(place, sizeof(place), "%s/%s", t->outside, name);
    return place;
}

const char *in(const struct target *t, const char *name)
{
    static char own[4096];

    snprintf(own, sizeof(own), "%s/%s", t->inside, name);
    return own;
}

int result(long value)
{
    return value < 0 ? errno : 0;
}

int write_fd(int fd)
{
    if (fd < 0)
        return errno;
    return result(pwrite(fd, "changed", 7, 0));
}

int in_child(int (*attack)(const struct target *), const struct target *t)
{
    pid_t child = fork();
    int status;

    if (child == 0)
        _exit(attack(t));
    if (child < 0 || waitpid(child, &status, 0) < 0)
        return errno;
    return WIFEXITED(status) ? WEXITSTATUS(status) : EINTR;
}
