/*
 * requests - the table of request types, and the one way in
 *
 * To add a message type: a file here with its `struct request_type`, a declaration below, and a
 * line in the table of requests.c.
 */
#pragma once

#include "guard/link/frame.h"
#include "kernel/execution/request.h"

/* messaging 5.6, in the order of its sections */
extern const struct request_type execute_request;
extern const struct request_type inspect_request;
extern const struct request_type complete_request;
extern const struct request_type history_request;
extern const struct request_type is_complete_request;
extern const struct request_type connect_request;
extern const struct request_type comm_info_request;
extern const struct request_type kernel_info_request;
extern const struct request_type shutdown_request;
extern const struct request_type interrupt_request;
extern const struct request_type comm_open_request;
extern const struct request_type comm_msg_request;
extern const struct request_type comm_close_request;
extern const struct request_type debug_request;
/* JEP 91 */
extern const struct request_type create_subshell_request;
extern const struct request_type delete_subshell_request;
extern const struct request_type list_subshell_request;
/* jupyter-resource-usage */
extern const struct request_type usage_request;
/* our own, docs/messages.md */
extern const struct request_type status_request;
extern const struct request_type variables_request;

/*
 * requests_dispatch() - what arrived on a channel
 *
 * message  TAKEN
 *
 * A message of a type that is not known, or not here, is answered with an error if its type ends in
 * "_request". Returns 0 or -errno.
 */
int requests_dispatch(struct kernel *kernel, enum channel channel, struct message *message);

/* For `handle`: into the execution queue, to be run when the guard is free. Returns 0 or -errno. */
int requests_enqueue(struct kernel *kernel, struct request *request);

/* For `run`: the content as it came, in a frame of this type. Returns 0 or -errno. */
int requests_forward(struct kernel *kernel, struct request *request, enum frame_type type);

/* What the guard may know of a request, as JSON: enough for widgets, which route output by msg_id. */
void requests_append_context(const struct request *request, struct buffer *context);

/* For `run`: a frame to the thread that works on the request. False: it is beyond the limits, and requests_refuse_size() is due. */
bool requests_send(struct request *request, const struct frame *frame);

/*
 * requests_fail() - request_fail() for one whose turn had come, instead of the guard's answer
 *
 * A cell with stop_on_error stops those behind it. TAKES the request. Returns 0 or -errno.
 */
int requests_fail(struct request *request, const char *ename, const char *why);

/* The same: for `run`. */
int requests_refuse_size(struct request *request);

/* An input_reply on the stdin channel; message TAKEN. Returns 0 or -errno. */
int requests_input_reply(struct kernel *kernel, struct message *message);
