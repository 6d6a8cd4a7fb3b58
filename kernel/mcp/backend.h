/*
 * backend - a kernel of our own, and a client of it
 *
 * The server runs its cells in an ordinary `safepyrun kernel`, a child over ipc sockets in a private
 * directory: limits, questions, records and recovery are the kernel's and need no second copy. Owns
 * the process, its directory and the sockets. Not for what messages mean.
 */
#pragma once

#include "kernel/loop.h"
#include "kernel/wire/connection_file.h"
#include "kernel/wire/message.h"
#include "kernel/wire/session.h"

#include <sys/types.h>

/* Borrowed; each but the first may be NULL. */
struct backend_options {
    const char *program; /* safepyrun itself */
    const char *policy_file;
    const char *python;
    const char *shell;
};

struct backend;

struct backend_socket {
    struct backend *backend;
    enum channel channel;
    void *socket; /* owned */
    struct loop_source source;
};

struct backend {
    struct loop *loop;
    struct backend_options options;
    pid_t pid; /* 0 when there is none */
    int pidfd;
    char *directory;
    void *zmq_context;
    struct backend_socket shell;
    struct backend_socket control;
    struct backend_socket iopub;
    struct loop_source end_source;
    struct signature_key *key;
    struct session session;
    /* message TAKEN. Both return 0 or -errno. */
    int (*take)(void *context, enum channel channel, struct message *message);
    int (*ended)(void *context);
    void *context;
};

/* Starts a kernel and connects. Returns 0, or 1 with a sentence in ret_error; free(). */
int backend_start(struct backend *backend, char **ret_error);
/* Ends it (at most about three seconds, then by SIGKILL) and cleans up. Also after one that never was. */
void backend_stop(struct backend *backend);

/* Sends a request; its msg_id is new, NULL when the kernel takes nothing. metadata may be empty. */
char *backend_send(struct backend *backend, struct backend_socket *socket, const char *msg_type,
                   struct bytes metadata, struct bytes content);
