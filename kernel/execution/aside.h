/*
 * aside - questions that are answered while a cell runs
 *
 * Completion, inspection, the list of variables and is_complete wait in the execution queue as everything
 * does, but not for long: when a cell is still running then, they leave it and are asked aside
 * (guard/link/aside.h). They are answered in time whatever the cell does: where the interpreter cannot, by a
 * frozen copy, else with nothing, and the reply's metadata say which and why. Owns the requests that it has asked.
 */
#pragma once

#include "guard/link/frame.h"
#include "kernel/execution/request.h"
#include "kernel/loop.h"

struct aside {
    struct request *first; /* asked and not answered, the oldest first */
    struct loop_timer timer;
    struct loop_source source; /* answers of copies; only while one is awaited */
    bool is_listening;
};

void aside_init(struct kernel *kernel);

/* A request has joined the queue: it may be one that need not wait. */
void aside_note(struct kernel *kernel, struct request *request);

/* Takes FRAME_ASIDE. Returns 0 or -errno. */
int aside_take(struct kernel *kernel, const struct frame *frame);

/* Answers what is open: nobody else will. Returns 0 or -errno. */
int aside_give_up(struct kernel *kernel, const char *why);
