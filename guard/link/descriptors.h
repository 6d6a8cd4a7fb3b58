/*
 * descriptors - what the guard process finds behind its link
 *
 * The link has a number of its own (--link-fd); the others follow it. A guard that was started by hand
 * may lack them: each is looked at before it is used. They are the kernel process's to make.
 */
#pragma once

#include <signal.h>
#include <stdbool.h>

enum {
    DESCRIPTOR_LAST_LINE = 1, /* link + 1: a memory file; where the cell is when it has to be ended */
    DESCRIPTOR_COPIES = 2,    /* link + 2: a SOCK_SEQPACKET socket; the links of frozen copies */
    DESCRIPTOR_ASIDE = 3,     /* link + 3: a SOCK_SEQPACKET socket; guard/link/aside.h */
    DESCRIPTOR_TOOL_RECORDS = 4, /* link + 4: a SOCK_SEQPACKET socket; what tool processes do, a JSON object a record.
                                    The guard has it until the first cell at most (guard/tools/starter) */
    DESCRIPTOR_COUNT,         /* the link itself counts */
};

/* The name of the memory file, by which the guard knows it. */
#define LAST_LINE_NAME "safepyrun-last-line"

bool descriptor_is_last_line(int fd);
/* A SOCK_SEQPACKET socket, so one of ours: a guard that was started by hand has none there. */
bool descriptor_is_packets(int fd);

/* Which signal asks for it: a real-time one that neither Python nor libraries use. */
#define LAST_LINE_SIGNAL (SIGRTMAX - 1)
