/*
 * socket_fork - a child that stays connected
 *
 * fork() and a SOCK_SEQPACKET pair between the two: when one of them is gone, the other one reads its end.
 * Not for programs: both ends are closed on exec.
 */
#pragma once

#include <sys/types.h>

/* As fork(), but -errno on failure. ret_end: that of this process, in both of them; theirs to close. */
pid_t socket_fork(int *ret_end);
