#include "kernel/execution/from_guard.h"

#include "guard/link/utf8.h"
#include "kernel/execution/account.h"
#include "kernel/execution/cell_error.h"
#include "kernel/execution/guard_reply.h"
#include "kernel/execution/warm.h"
#include "kernel/kernel.h"
#include "kernel/records/log.h"
#include "kernel/wire/json_text.h"
#include "kernel/wire/passive.h"

enum {
    GUARD_LINES_MAX = 200, /* in the log, in so long a time */
    GUARD_LINES_MS = 10000,
    GUARD_LINE_BYTES_MAX = 4000,
    ASKED_BYTES_MAX = 64 * 1024 * 1024,
};

static int take_stdout(struct kernel *kernel, const struct frame *frame)
{
    return outputs_write(&kernel->outputs, STREAM_STDOUT, frame->cell, frame->parts[0]);
}

static int take_stderr(struct kernel *kernel, const struct frame *frame)
{
    return outputs_write(&kernel->outputs, STREAM_STDERR, frame->cell, frame->parts[0]);
}

static size_t size_of(const struct frame *frame)
{
    size_t size = 0;

    for (size_t i = 0; i < frame->part_count; i++)
        size += frame->parts[i].size;
    return size;
}

static int publish(struct kernel *kernel, const char *msg_type, const struct frame *frame)
{
    return outputs_publish(&kernel->outputs, frame->cell,
                           &(struct outgoing){.msg_type = msg_type,
                                              .content = frame->parts[0],
                                              .metadata = frame->parts[1],
                                              .buffers = frame->parts + 2,
                                              .buffer_count = frame->part_count - 2});
}

/* What does not fit into max_output_kb is left out whole: half a picture is none. */
static int publish_display(struct kernel *kernel, const char *msg_type, const struct frame *frame)
{
    return output_cap_admits(&kernel->outputs.cap, size_of(frame)) ? publish(kernel, msg_type, frame)
                                                                   : 0;
}

static int take_display_data(struct kernel *kernel, const struct frame *frame)
{
    return publish_display(kernel, "display_data", frame);
}

static int take_update_display_data(struct kernel *kernel, const struct frame *frame)
{
    return publish_display(kernel, "update_display_data", frame);
}

static int take_clear_output(struct kernel *kernel, const struct frame *frame)
{
    output_cap_reset(&kernel->outputs.cap);
    return publish(kernel, "clear_output", frame);
}

/* A result beyond max_output_kb: head and tail of its text. */
static int publish_cut_result(struct kernel *kernel, const struct frame *frame)
{
    const struct request *request = kernel_running(kernel, frame->cell);
    cleanup_buffer struct buffer cut = BUFFER_NONE;
    cleanup_buffer struct buffer content = BUFFER_NONE;
    struct bytes parts[2];

    output_cap_append_cut(&kernel->outputs.cap, bytes_of_string(request->result_text), &cut);
    buffer_append_format(&content, "{\"execution_count\":%d,\"data\":{\"text/plain\":",
                         request->execute.execution_count);
    json_text_append_string(&content, buffer_bytes(&cut));
    buffer_append_string(&content, "},\"metadata\":{}}");
    parts[0] = buffer_bytes(&content);
    parts[1] = frame->parts[1];
    return publish(kernel, "execute_result",
                   &(struct frame){frame->type, frame->cell, 2, parts});
}

/* The text of a result is kept for history, which is asked for outputs too. */
static int take_execute_result(struct kernel *kernel, const struct frame *frame)
{
    struct request *request = kernel_running(kernel, frame->cell);
    cleanup_buffer struct buffer text = BUFFER_NONE;
    size_t limit = kernel->outputs.cap.limit_bytes;
    struct bytes data;
    int result;

    if (json_text_member(frame->parts[0], "data", &data) &&
        json_text_member_string(data, "text/plain", &text)) {
        free(request->result_text);
        request->result_text = buffer_steal_string(&text);
    }
    result = outputs_turn(&kernel->outputs);
    if (result != 0)
        return result;
    if (limit != 0 && size_of(frame) > limit)
        return publish_cut_result(kernel, frame);
    return publish(kernel, "execute_result", frame);
}

static int take_comm_open(struct kernel *kernel, const struct frame *frame)
{
    comms_note_open(kernel->comms, frame->parts[0], frame->cell);
    return publish(kernel, "comm_open", frame);
}

static int take_comm_msg(struct kernel *kernel, const struct frame *frame)
{
    return publish(kernel, "comm_msg", frame);
}

static int take_comm_close(struct kernel *kernel, const struct frame *frame)
{
    comms_note_close(kernel->comms, frame->parts[0]);
    return publish(kernel, "comm_close", frame);
}

/*
 * Cells wait for their answer, or are interrupted. What else is asked waits here when the client does not read, and no
 * congestion is felt: replies have no bound, and a question is sent like one.
 */
static const char *find_fault_of_input(const struct kernel *kernel, const struct request *request)
{
    if (kernel->question.is_open && request->subshell == NULL)
        return "it broke the protocol: input inside of a question";
    if (!request_allows_stdin(request))
        return "it broke the protocol: input of a client that gives none";
    return request->asked_bytes > ASKED_BYTES_MAX ? "it asked for input again and again, without an answer" : NULL;
}

/* Goes to whoever sent the cell, on the stdin channel; the answer must name this message or none. */
static int take_input_request(struct kernel *kernel, const struct frame *frame)
{
    struct request *request = kernel_running(kernel, frame->cell);
    const char *fault = find_fault_of_input(kernel, request);

    if (fault != NULL) {
        guard_process_condemn(&kernel->guard, fault);
        return 0;
    }
    if (request->subshell == NULL)
        limits_pause(&kernel->limits);
    return request_ask(request, frame->parts[0]);
}

/* The log has no bound of its own, and a cell can have the guard write to it. */
static bool log_has_room(struct kernel *kernel)
{
    struct guard_lines *lines = &kernel->guard_lines;

    if (loop_now_ms() - lines->since_ms > GUARD_LINES_MS) {
        if (lines->count > GUARD_LINES_MAX)
            log_warning("guard: %u lines are left out", lines->count - GUARD_LINES_MAX);
        *lines = (struct guard_lines){.since_ms = loop_now_ms()};
    }
    return ++lines->count <= GUARD_LINES_MAX;
}

static int take_log(struct kernel *kernel, const struct frame *frame)
{
    cleanup_free char *name = xstrndup(frame->parts[0].data, frame->parts[0].size);
    size_t size = utf8_cut(frame->parts[1], GUARD_LINE_BYTES_MAX);
    enum log_level level = LOG_INFO;

    log_level_from_name(name, &level);
    if (log_has_room(kernel))
        log_write(level, "guard: %.*s", (int)size, (const char *)frame->parts[1].data);
    return 0;
}

static int take_denial(struct kernel *kernel, const struct frame *frame)
{
    account_denial(kernel, frame);
    return 0;
}

/* One that nobody waits for any more tells why there was no copy; many would fill the log. */
static int take_not_frozen(struct kernel *kernel, const struct frame *frame)
{
    if (!copies_is_pending(&kernel->copies) && !log_has_room(kernel))
        return 0;
    return copies_take_refusal(&kernel->copies, frame->parts[0]);
}

static int take_thawed(struct kernel *kernel, const struct frame *frame)
{
    (void)frame;
    if (!kernel->guard.thaws) {
        guard_process_condemn(&kernel->guard, "it broke the protocol: it has taken over from nobody");
        return 0;
    }
    kernel->guard.thaws = false;
    log_info("guard %d has taken over", (int)kernel->guard.pid);
    kernel->guard.listener = 0; /* signals that came before are forgotten by a fork */
    return subshells_begin(kernel);
}

/* What becomes of each frame that may come after READY. */
static const struct {
    int (*take)(struct kernel *kernel, const struct frame *frame);
    size_t json_parts; /* leading parts that go on as JSON objects and must be some */
} takers[FRAME_TYPE_COUNT] = {
    [FRAME_STDOUT] = {take_stdout, 0},
    [FRAME_STDERR] = {take_stderr, 0},
    [FRAME_DISPLAY_DATA] = {take_display_data, 2},
    [FRAME_UPDATE_DISPLAY_DATA] = {take_update_display_data, 2},
    [FRAME_CLEAR_OUTPUT] = {take_clear_output, 2},
    [FRAME_EXECUTE_RESULT] = {take_execute_result, 2},
    [FRAME_ERROR] = {cell_error_publish, 2},
    [FRAME_COMM_OPEN] = {take_comm_open, 2},
    [FRAME_COMM_MSG] = {take_comm_msg, 2},
    [FRAME_COMM_CLOSE] = {take_comm_close, 2},
    [FRAME_INPUT_REQUEST] = {take_input_request, 1},
    [FRAME_ASK] = {question_take, 0},
    [FRAME_ERRAND] = {errand_take, 0},
    [FRAME_ERRAND_END] = {errand_take_end, 0},
    [FRAME_ASIDE] = {aside_take, 1},
    [FRAME_DEBUG_REPLY] = {debugger_take_reply, 1},
    [FRAME_DEBUG_EVENT] = {debugger_take_event, 1},
    [FRAME_REPLY] = {guard_reply_take, 2},
    [FRAME_SUBSHELL] = {subshells_take, 0},
    [FRAME_NOT_FROZEN] = {take_not_frozen, 0},
    [FRAME_THAWED] = {take_thawed, 0},
    [FRAME_LOG] = {take_log, 0},
    [FRAME_IMPORTED] = {warm_imported, 0},
    [FRAME_INTERRUPTED] = {deaf_heard, 0},
    [FRAME_DENIAL] = {take_denial, 1},
};

/* A trial that waits for its copy has a number already, and the guard has not been told of it. */
static bool is_running(struct kernel *kernel, uint32_t cell)
{
    const struct request *request = kernel_running(kernel, cell);

    return request != NULL && !(kernel->restore.waits && request == kernel->queue.running);
}

static const char *find_fault(struct kernel *kernel, const struct frame *frame)
{
    const struct frame_rule *rule = frame_rule(frame->type);

    if (takers[frame->type].take == NULL)
        return "it broke the protocol: a frame that it may not send";
    if (rule->permitted == FRAME_RUNNING && !is_running(kernel, frame->cell))
        return "it broke the protocol: a frame for a request that does not run";
    if (rule->permitted == FRAME_WITH && frame->cell != 0 &&
        !cells_is_known(kernel->cells, frame->cell))
        return "it broke the protocol: a frame for a request that never was";
    for (size_t i = 0; i < takers[frame->type].json_parts && i < frame->part_count; i++)
        if (!json_text_is_object(frame->parts[i], JSON_TEXT_STRICT))
            return "it broke the protocol: content that is no JSON object";
    return NULL;
}

static bool is_of_comm(enum frame_type type)
{
    return type == FRAME_COMM_OPEN || type == FRAME_COMM_MSG || type == FRAME_COMM_CLOSE;
}

/* A widget is a program of the front end's, and what it shows comes over a comm: there are none. */
static int take_passive(struct kernel *kernel, const struct frame *frame)
{
    cleanup_buffer struct buffer content = BUFFER_NONE;
    cleanup_free struct bytes *parts = NULL;
    struct frame passive = *frame;

    if (is_of_comm(frame->type))
        return 0;
    parts = xcalloc(frame->part_count, sizeof(*parts));
    memcpy(parts, frame->parts, frame->part_count * sizeof(*parts));
    passive_append(frame->parts[0], &content);
    parts[0] = buffer_bytes(&content);
    passive.parts = parts;
    return takers[frame->type].take(kernel, &passive);
}

int from_guard_frame(struct kernel *kernel, const struct frame *frame)
{
    const char *fault = find_fault(kernel, frame);
    int result;

    if (fault != NULL) {
        guard_process_condemn(&kernel->guard, fault);
        return 0;
    }
    if (kernel->shows_passive_only && takers[frame->type].json_parts > 0 && frame->part_count > 0)
        result = take_passive(kernel, frame);
    else
        result = takers[frame->type].take(kernel, frame);
    kernel_heed_congestion(kernel); /* whatever of it was published */
    return result;
}

int from_guard_output(struct kernel *kernel, enum frame_type stream, struct bytes bytes)
{
    int result = outputs_write(&kernel->outputs, stream == FRAME_STDOUT ? STREAM_STDOUT : STREAM_STDERR,
                               kernel->output_cell, bytes);

    kernel_heed_congestion(kernel);
    return result;
}
