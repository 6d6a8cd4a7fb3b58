/*
 * tool_records - what a guard's tool processes put on record
 *
 * A SOCK_SEQPACKET socket, one record a packet; the tools of a guard and of its copies share it, so it stays
 * when a copy takes over. Whether a record is one is for the taker to see.
 */
#pragma once

#include "guard/link/bytes.h"
#include "kernel/loop.h"

/* record: any bytes. Returns 0 or -errno. */
typedef int tool_record(void *context, struct bytes record);

struct tool_records {
    struct loop *loop;
    tool_record *take; /* NULL: not wanted */
    void *context;
    int fd; /* -1: nobody is left who could write one */
    struct loop_source source;
};

void tool_records_init(struct tool_records *records, struct loop *loop, tool_record *take, void *context);

/* fd: TAKEN. */
void tool_records_open(struct tool_records *records, int fd);
void tool_records_close(struct tool_records *records);
