/*
 * report - what the OS ring holds in this process, part by part
 *
 * Filled while the ring closes, never changed afterwards. It is the one place from which
 * kernel_info, %guard status, the log and the audit log take what they say, so that none of them
 * claims more than another. Words are plain ASCII sentences without names of files. Owns nothing.
 */
#pragma once

#include "guard/link/buffer.h"

#include <stdbool.h>

enum ring_state {
    RING_OFF,     /* the policy does not want it */
    RING_ACTIVE,  /* holds all that SECURITY.md says of it */
    RING_PARTIAL, /* holds, but not all: the words say what is missing */
    RING_MISSING, /* this system does not give it */
};

enum ring_part {
#define RING_PART(id, name, meaning) RING_##id,
#include "guard/ring/parts.def"
#undef RING_PART
    RING_PART_COUNT
};

struct ring_part_report {
    enum ring_state state;
    char words[240]; /* why, or how; "" when there is nothing to add */
};

struct ring_report {
    bool wanted; /* os_ring is not "off" */
    int landlock_abi; /* 0: none */
    bool proxied; /* sockets lead to the proxy: the interpreter ring may let libraries use them */
    struct ring_part_report parts[RING_PART_COUNT];
};

const char *ring_part_name(enum ring_part part);
const char *ring_state_name(enum ring_state state);

void ring_report_set(struct ring_report *report, enum ring_part part, enum ring_state state,
                     const char *format, ...) __attribute__((format(printf, 4, 5)));

/* The weakest of all parts. Parts that the policy switched off do not count, unless all are. */
enum ring_state ring_report_state(const struct ring_report *report);

/* A JSON object: {"state", "landlock_abi", "parts": {name: {"state", "why"}}}; appended. */
void ring_report_encode(const struct ring_report *report, struct buffer *json);

/* What is missing, one sentence for each part: "" when nothing is. A new string. */
char *ring_report_gaps(const struct ring_report *report);
