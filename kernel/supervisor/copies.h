/*
 * copies - frozen copies of the guard: asking for one, keeping them, letting one take over
 *
 * A copy is a process that waits (guard/frozen). Each has a link of its own, whose end here is what
 * holds it: closing it ends the copy. When they are taken and which one takes over is decided in
 * execution/restore; here is how. The kernel process is a child subreaper, so that copies of a dead
 * guard become its children. Owned by the kernel.
 */
#pragma once

#include "guard/policy/policy.h"
#include "kernel/loop.h"
#include "kernel/supervisor/guard_process.h"

enum {
    COPIES_MAX = 33, /* those of the policy, and that of the start */
    NEVER_MS = 0,
};

/* How far the session is in a copy, or in the guard. */
struct session_state {
    int execution_count; /* of the last cell that was stored */
    int depth;           /* how many stored cells have made it; a rewind goes back by these */
    uint32_t cell;       /* the last request that may have changed anything */
    bool is_start;       /* nothing has run yet */
};

struct copy {
    uint32_t number;
    pid_t pid;
    int link;
    struct session_state state;
};

/* A copy that was asked for is there, or there is none: see `hindrance`. Returns 0 or -errno. */
typedef int (*copies_settled)(void *context);

struct copies {
    struct loop *loop;
    struct guard_process *guard;
    size_t most;                   /* 0: none are kept */
    struct copy items[COPIES_MAX]; /* the oldest first */
    size_t count;
    pid_t broker;                  /* answers for the filter of all of them; 0: there is none */
    pid_t starter;                 /* of the tool processes, the same */
    pid_t pids[COPIES_MAX + 2]; /* of the items and these two, to be spared when the guard's processes are ended */
    struct copy pending;    /* asked for; its link is -1 when there is none */
    struct loop_source pending_source;
    copies_settled settled;
    void *context;
    uint32_t last_number;
    struct session_state state; /* of the guard; while a request runs, with what that changes */
    struct session_state before; /* of the guard before that request */
    bool is_current;            /* the newest copy is as the guard is */
    int64_t asked_ms;
    int64_t took_ms;   /* the last one, from asking to the word that it waits */
    int64_t settled_ms; /* when; NEVER_MS: there is to be one at once */
    char *hindrance; /* why there is none of this state; NULL: none was asked for, or there is one. Owned */
};

void copies_init(struct copies *copies, struct loop *loop, struct guard_process *guard,
                 copies_settled settled, void *context);
void copies_finish(struct copies *copies);

/* A fresh guard is ready: copies of another one are dropped. `most` as the policy says, the pids as READY. */
void copies_start(struct copies *copies, size_t most, pid_t broker, pid_t starter);

/* A request changes the guard; `execution_count` differs from that before when it is a stored cell. */
void copies_note_change(struct copies *copies, int execution_count, uint32_t cell);

/* Asks the guard for a copy, unless one is under way; `settled` follows. False when it cannot be asked. */
bool copies_take(struct copies *copies);
bool copies_is_pending(const struct copies *copies);

/* `lead` and why there is none of this state, for the end of a sentence; an empty text where there is no reason. New. */
char *copies_tell_hindrance(const struct copies *copies, const char *lead);

/* There is none, for this reason. */
void copies_refuse(struct copies *copies, struct bytes reason);
/* The same, when it is the guard that says so: a NOT_FROZEN frame. Returns what `settled` returns. */
int copies_take_refusal(struct copies *copies, struct bytes reason);

/* The newest copy of this depth, of all, and that of the start; NULL: there is none. Borrowed. */
const struct copy *copies_find(const struct copies *copies, int depth);
const struct copy *copies_newest(const struct copies *copies);
const struct copy *copies_find_start(const struct copies *copies);

/*
 * copies_ask() - a question to the newest copy, which is answered on the guard's aside_socket
 *
 * The copy stays what it is. Returns it, borrowed; NULL when there is none.
 */
const struct copy *copies_ask(struct copies *copies, const struct frame *question);

/*
 * copies_thaw() - let a copy be the guard
 *
 * The guard that there is, if any, is killed, and copies that are newer than this one are dropped.
 *
 * copy  of this list; invalid afterwards
 *
 * Returns false when the copy has died meanwhile; it is dropped then, and the guard is as before.
 */
bool copies_thaw(struct copies *copies, const struct copy *copy);
