/*
 * request - one request from its message to its reply
 *
 * A request is opened once (status busy) and closed exactly once, by request_reply(),
 * request_refuse() or request_close(), which send what is to be sent and then status idle.
 * In between it is with its handler, in the execution queue or with the guard. Its owner is
 * whoever closes it: closing frees it.
 */
#pragma once

#include "kernel/channels/channels.h"
#include "kernel/execution/denials.h"

#include <stdint.h>

struct kernel;
struct request;
struct subshell;

/* Which request types may arrive where. */
enum { ON_SHELL = 1 << CHANNEL_SHELL, ON_CONTROL = 1 << CHANNEL_CONTROL };

/* A row of the table in requests/requests.c: one per msg_type, each in a file of its own. */
struct request_type {
    const char *msg_type;
    const char *reply_type; /* NULL: comm messages are not answered */
    unsigned channels;      /* ON_* */
    /* When it arrives. Takes the request: closes it or queues it. Returns 0 or -errno. */
    int (*handle)(struct kernel *kernel, struct request *request);
    /* When its turn with the guard has come; NULL for what is never queued. Returns 0 or -errno. */
    int (*run)(struct kernel *kernel, struct request *request);
};

/* What execute_request asks for, with the specified defaults. */
struct execute_options {
    bool silent;
    bool store_history;
    bool stop_on_error;
    int execution_count; /* that its messages carry */
    bool trial;          /* metadata {"safepyrun": {"trial": true}} */
    long deadline_seconds; /* metadata {"safepyrun": {"timeout_seconds": …}}; 0: none was asked for */
};

struct request {
    struct kernel *kernel;
    const struct request_type *type;
    struct message *message;
    enum channel channel;
    bool is_open;
    uint64_t arrival;  /* its place among all requests of this kernel; from 1 */
    bool is_cancelled; /* an interrupt came while it waited */
    bool is_overtaken; /* a comm message that no cell waits for any more (comm_order.h) */
    struct subshell *subshell; /* that runs it; NULL: the main shell */
    uint32_t cell; /* the guard's name for it; 0 until it is with the guard */
    struct execute_options execute;
    char started[SESSION_DATE_SIZE];
    int64_t run_ns;        /* when it went to the guard */
    int64_t run_cpu_ns;    /* what the guard had used by then */
    struct denials denials;
    char *result_text;     /* text/plain of its execute_result, for history */
    char *input_msg_id;    /* of the input_request that waits for an answer */
    size_t asked_bytes;    /* of input_requests, since one was answered */
    bool copy_is_asked;   /* of a question that the guard did not answer in time */
    int64_t due_ms;       /* of a question: when it is asked aside, then when it must be answered */
    struct request *next; /* in the execution queue, or among those that are asked aside */
};

/* message TAKEN. */
struct request *request_new(struct kernel *kernel, enum channel channel,
                            const struct request_type *type, struct message *message);

static inline struct bytes request_content(const struct request *request)
{
    return request->message->content;
}

/* Publishes status busy, once. Returns 0 or -errno. */
int request_open(struct request *request);

/* Replies with raw JSON and closes. `metadata` may be empty. TAKES the request. Returns 0 or -errno. */
int request_reply(struct request *request, struct bytes content, struct bytes metadata);

/* Replies {"status": "aborted"} and closes. TAKES the request. Returns 0 or -errno. */
int request_abort(struct request *request);

/*
 * request_refuse() - reply {"status": "error"} and close
 *
 * ename   the name of a Python exception, by custom
 * format  a sentence for the person who reads the reply
 *
 * TAKES the request. Returns 0 or -errno.
 */
int request_refuse(struct request *request, const char *ename, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Whether its client answers questions: a cell's, unless it says no. */
bool request_allows_stdin(const struct request *request);

/*
 * request_ask() - send an input_request to whoever sent the request, after what it has printed
 *
 * Its msg_id is the request's input_msg_id until request_end_question() or the request's end.
 *
 * content  raw JSON
 *
 * Returns 0 or -errno.
 */
int request_ask(struct request *request, struct bytes content);
/* It is answered, or nobody wants to know any more. */
void request_end_question(struct request *request);

/*
 * request_fail() - refuse a request that is right but cannot be run
 *
 * As request_refuse(). What a cell is told is published as well: front ends show that, not the reply.
 */
int request_fail(struct request *request, const char *ename, const char *evalue);

/* Status busy once more, after the idle of what ran beside it: front ends show the last one that came. Returns 0 or -errno. */
int request_say_busy(struct request *request);

/* Closes without a reply: status idle. TAKES the request. Returns 0 or -errno. */
int request_close(struct request *request);

