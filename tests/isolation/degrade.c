/*
 * A Linux that gives less, for tests: preloaded into the guard process, it answers a few system calls itself.
 *
 * DEGRADE is a list of words: "namespaces" (no mount or user namespace, as in a container), "chroot" and
 * "pivot_root" (refused, as profiles of containers do), "landlock" (an old Linux, or one that has it switched
 * off), "abi=N" (a Landlock of that version), "seccomp".
 */
#include <dlfcn.h>
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>

static int lacks(const char *word)
{
    const char *list = getenv("DEGRADE");

    return list != NULL && strstr(list, word) != NULL;
}

static long refuse(int error)
{
    errno = error;
    return -1;
}

int unshare(int flags)
{
    int (*real)(int) = (int (*)(int))dlsym(RTLD_NEXT, "unshare");

    return lacks("namespaces") ? (int)refuse(EPERM) : real(flags);
}

int chroot(const char *path)
{
    int (*real)(const char *) = (int (*)(const char *))dlsym(RTLD_NEXT, "chroot");

    return lacks("chroot") ? (int)refuse(EPERM) : real(path);
}

long syscall(long number, ...)
{
    long (*real)(long, ...) = (long (*)(long, ...))dlsym(RTLD_NEXT, "syscall");
    long arguments[6];
    va_list list;

    va_start(list, number);
    for (int i = 0; i < 6; i++)
        arguments[i] = va_arg(list, long);
    va_end(list);
    if (number == SYS_landlock_create_ruleset && lacks("landlock"))
        return refuse(ENOSYS);
    if (number == SYS_landlock_create_ruleset && arguments[2] == 1 && lacks("abi="))
        return atol(strstr(getenv("DEGRADE"), "abi=") + 4);
    if (number == SYS_pivot_root && lacks("pivot_root"))
        return refuse(EPERM);
    if (number == SYS_seccomp && lacks("seccomp"))
        return refuse(EINVAL);
    return real(number, arguments[0], arguments[1], arguments[2], arguments[3], arguments[4], arguments[5]);
}
