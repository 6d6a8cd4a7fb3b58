/*
 * broker - a small process outside of the ring that answers what the filter asks
 *
 * Needed only where the filter cannot decide by itself: where no mount view is to be had, for modes,
 * owners, times and attributes of files (metadata.h); and where [network] allow lists something
 * (proxy.h). It is forked from the guard while that is
 * still trusted and has one thread, runs nothing but C of this folder, holds no capabilities, and
 * ends when the last process under the filter is gone. It believes nothing that the guard says
 * later: it copies the arguments once, does the work itself on what it has opened, and never lets
 * the caller's own system call go on.
 * Source: seccomp_unotify(2).
 */
#pragma once

#include "guard/ring/paths.h"

#include <sys/types.h>

struct broker {
    pid_t pid;
    int socket; /* ours, until broker_hand_over() */
};

/* Forks it. Returns 0 or -errno. */
int broker_start(struct broker *ret_broker);

/*
 * broker_hand_over() - the listener and what may be changed; from then on it serves
 *
 * listener  TAKEN
 * names     protected inside of the roots
 * hosts     of [network] allow
 *
 * Returns 0 or -errno. Either way our end is closed.
 */
int broker_hand_over(struct broker *broker, int listener, const struct ring_paths *paths,
                     const struct string_list *names, const struct string_list *hosts);
