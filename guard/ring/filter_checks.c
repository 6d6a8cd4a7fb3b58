#include "guard/ring/filter_checks.h"

#include <fcntl.h>
#include <linux/fiemap.h>
#include <linux/fs.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <termios.h>

#define COUNT(values) (sizeof(values) / sizeof((values)[0]))
#define ALL_BITS 0xffffffffU
#define ONE_OF(number, bits, list) {CHECK_ONE_OF, number, bits, list, COUNT(list)}
#define END {CHECK_END, 0, 0, NULL, 0}

/* Only asking for sizes and modes, and what changes a descriptor of one's own: others reach devices,
   terminals (TIOCSTI types into them) and flags of files that are open for reading only. */
static const uint32_t ioctls[] = {TCGETS,  TIOCGWINSZ, TIOCGPGRP,       TIOCGSID,
                                  FIONREAD, TIOCOUTQ,  FIONBIO,         FIOCLEX,
                                  FIONCLEX, FICLONE,   FICLONERANGE,    FIDEDUPERANGE,
                                  FIGETBSZ, FS_IOC_GETFLAGS, FS_IOC_FIEMAP};

#ifndef F_GET_RW_HINT
#define F_GET_RW_HINT 1035
#endif
/* No F_SETOWN, F_SETSIG: signals to others. No F_SETLEASE: others would wait. */
static const uint32_t fcntls[] = {F_DUPFD,      F_DUPFD_CLOEXEC, F_GETFD,      F_SETFD,
                                  F_GETFL,      F_SETFL,         F_GETLK,      F_SETLK,
                                  F_SETLKW,     F_OFD_GETLK,     F_OFD_SETLK,  F_OFD_SETLKW,
                                  F_GETOWN,     F_GETSIG,        F_GETPIPE_SZ, F_SETPIPE_SZ,
                                  F_ADD_SEALS,  F_GET_SEALS,     F_GET_RW_HINT};

#ifndef PR_SET_VMA
#define PR_SET_VMA 0x53564d41
#endif
/* No PR_SET_DUMPABLE, PR_SET_PTRACER. */
static const uint32_t prctls[] = {PR_SET_PDEATHSIG,   PR_GET_PDEATHSIG,   PR_GET_DUMPABLE,      PR_SET_NAME,
                                  PR_GET_NAME,        PR_GET_SECCOMP,       PR_CAPBSET_READ,
                                  PR_SET_TIMERSLACK,  PR_GET_TIMERSLACK,    PR_GET_NO_NEW_PRIVS,
                                  PR_SET_NO_NEW_PRIVS, PR_GET_TID_ADDRESS,  PR_SET_THP_DISABLE,
                                  PR_GET_THP_DISABLE, PR_GET_SPECULATION_CTRL, PR_SET_VMA,
                                  PR_SET_TAGGED_ADDR_CTRL, PR_GET_TAGGED_ADDR_CTRL,
                                  PR_GET_CHILD_SUBREAPER, PR_GET_KEEPCAPS};

static const uint32_t personalities[] = {0, ALL_BITS};
static const uint32_t unix_family[] = {AF_UNIX};
static const uint32_t connected_types[] = {SOCK_STREAM, SOCK_SEQPACKET};
static const uint32_t nothing[] = {0};
static const uint32_t cutting[] = {O_RDONLY | O_TRUNC};

#define NAMESPACES                                                                                 \
    (CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID |  \
     CLONE_NEWNET)

#define OPEN_BITS (O_ACCMODE | O_TRUNC)

/* O_TRUNC cuts a file that is opened for reading only, which Landlock before ABI 3 does not see. */
static const struct filter_check open_checks[] = {{CHECK_NOT, 1, OPEN_BITS, cutting, 1}, END};
static const struct filter_check openat_checks[] = {{CHECK_NOT, 2, OPEN_BITS, cutting, 1}, END};
static const struct filter_check ioctl_checks[] = {ONE_OF(1, ALL_BITS, ioctls), END};
static const struct filter_check fcntl_checks[] = {ONE_OF(1, ALL_BITS, fcntls), END};
/* Its own limits, and asking only: the kernel process sets them for each cell. */
static const struct filter_check prlimit_checks[] = {ONE_OF(0, ALL_BITS, nothing),
                                                     {CHECK_ZERO, 2, 0, NULL, 0}, END};
static const struct filter_check own_checks[] = {ONE_OF(0, ALL_BITS, nothing), END};
static const struct filter_check own_kind_checks[] = {ONE_OF(0, ALL_BITS, nothing),
                                                      ONE_OF(1, ALL_BITS, nothing), END};
/* The guard ends with the kernel process; a frozen copy that takes over has to say so again. */
static const uint32_t ends_with_parent[] = {PR_SET_PDEATHSIG, SIGKILL};
static const struct filter_check prctl_checks[] = {
    ONE_OF(0, ALL_BITS, prctls), {CHECK_IF, 0, ALL_BITS, ends_with_parent, 2}, END};
static const struct filter_check personality_checks[] = {ONE_OF(0, ALL_BITS, personalities), END};
static const struct filter_check clone_checks[] = {{CHECK_ONE_OF, 0, NAMESPACES, nothing, 1}, END};
/* Connected from the start: a pair of datagram sockets could send to any path. */
static const struct filter_check socketpair_checks[] = {
    ONE_OF(0, ALL_BITS, unix_family), {CHECK_ONE_OF, 1, 0xf, connected_types, 2}, END};
/* Membership of a multicast group is told to the network, and a connection can have it, too. */
static const uint32_t option_levels[] = {SOL_SOCKET, IPPROTO_TCP, IPPROTO_IP};
static const uint32_t service_of_ip[] = {IPPROTO_IP, IP_TOS};
static const struct filter_check setsockopt_checks[] = {
    ONE_OF(1, ALL_BITS, option_levels), {CHECK_IF, 1, ALL_BITS, service_of_ip, 2}, END};
static const struct filter_check sendto_checks[] = {{CHECK_ZERO, 4, 0, NULL, 0},
                                                    {CHECK_ONE_OF, 3, MSG_FASTOPEN, nothing, 1}, END};
static const struct filter_check sendmsg_checks[] = {{CHECK_ONE_OF, 2, MSG_FASTOPEN, nothing, 1},
                                                     END};
static const struct filter_check sendmmsg_checks[] = {{CHECK_ONE_OF, 3, MSG_FASTOPEN, nothing, 1},
                                                      END};

static const struct filter_check *const checks[FILTER_CLASS_COUNT] = {
    [FILTER_CLASS_CHECK_OPEN] = open_checks,
    [FILTER_CLASS_CHECK_OPENAT] = openat_checks,
    [FILTER_CLASS_CHECK_IOCTL] = ioctl_checks,
    [FILTER_CLASS_CHECK_FCNTL] = fcntl_checks,
    [FILTER_CLASS_CHECK_PRLIMIT] = prlimit_checks,
    [FILTER_CLASS_CHECK_OWN] = own_checks,
    [FILTER_CLASS_CHECK_OWN_KIND] = own_kind_checks,
    [FILTER_CLASS_CHECK_PRCTL] = prctl_checks,
    [FILTER_CLASS_CHECK_PERSONALITY] = personality_checks,
    [FILTER_CLASS_CHECK_CLONE] = clone_checks,
    [FILTER_CLASS_CHECK_SOCKETPAIR] = socketpair_checks,
    [FILTER_CLASS_CHECK_SETSOCKOPT] = setsockopt_checks,
    [FILTER_CLASS_CHECK_SENDTO] = sendto_checks,
    [FILTER_CLASS_CHECK_SENDMSG] = sendmsg_checks,
    [FILTER_CLASS_CHECK_SENDMMSG] = sendmmsg_checks,
};

const struct filter_check *filter_checks_of(enum filter_class class)
{
    return checks[class];
}
