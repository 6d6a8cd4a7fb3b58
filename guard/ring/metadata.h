/*
 * metadata - chmod() and kin, done for the guard below its write roots
 *
 * The broker's work where no mount view holds them. A path is copied out of the asker's memory once
 * and resolved anew; what is changed is an inode that was opened below a root without following any
 * link, so that nothing the guard does meanwhile leads elsewhere. Owns nothing.
 */
#pragma once

#include "guard/policy/policy.h"

#include <linux/seccomp.h>

struct metadata_rules {
    struct string_list roots;     /* absolute, resolved */
    struct string_list read_only; /* stays as it is */
    struct string_list names;     /* protected below a root */
};

/* Does what was asked. Returns 0 or -errno, for the asker. */
int metadata_answer(const struct metadata_rules *rules, int listener,
                    const struct seccomp_notif *asked);
