#include "kernel/execution/guard_reply.h"

#include "kernel/execution/account.h"
#include "kernel/execution/breach.h"
#include "kernel/execution/cell_error.h"
#include "kernel/execution/main_shell.h"
#include "kernel/execution/restore.h"
#include "kernel/kernel.h"
#include "kernel/requests/requests.h"
#include "kernel/wire/json_text.h"

enum { HISTORY_DELAY_MS = 500 }; /* cells of a batch share one transaction */

/* execute_reply's metadata, as ipykernel writes it: JupyterLab reads `started` for its timing. What
   is measured here comes last: of a name that is repeated, readers take the last. */
static void append_execute_metadata(struct kernel *kernel, const struct request *request, bool failed,
                                    struct bytes more, struct buffer *metadata)
{
    struct bytes members = json_text_inside(more);

    buffer_append_format(metadata,
                         "{\"started\":\"%s\",\"dependencies_met\":true,\"engine\":\"%s\","
                         "\"status\":\"%s\"",
                         request->started, kernel->channels.session.id, failed ? "error" : "ok");
    if (members.size != 0) {
        buffer_append_char(metadata, ',');
        buffer_append(metadata, members);
    }
    buffer_append_string(metadata, ",\"safepyrun\":");
    account_end(kernel, request, failed ? "error" : "ok", metadata);
    buffer_append_char(metadata, '}');
}

static void record_cell(struct kernel *kernel, const struct request *request)
{
    cleanup_buffer struct buffer code = BUFFER_NONE;

    if (!request->execute.store_history ||
        !json_text_member_string(request_content(request), "code", &code))
        return;
    history_add(kernel->history, request->execute.execution_count, buffer_bytes(&code),
                request->result_text != NULL ? bytes_of_string(request->result_text) : BYTES_NONE);
    if (kernel->history_timer.due_ms == 0)
        loop_timer_start(&kernel->history_timer, HISTORY_DELAY_MS);
}

static int finish_execute(struct kernel *kernel, struct request *request, const struct frame *frame)
{
    cleanup_buffer struct buffer metadata = BUFFER_NONE;
    cleanup_buffer struct buffer changed = BUFFER_NONE;
    struct bytes content = frame->parts[0];
    bool failed = breach_is_of(request) || cell_error_is(content);
    bool stops = failed && request->execute.stop_on_error;
    bool is_main = request->subshell == NULL;
    struct queue *queue = queue_of(request);
    int result;

    append_execute_metadata(kernel, request, failed,
                            frame->part_count > 1 ? frame->parts[1] : BYTES_NONE, &metadata);
    record_cell(kernel, request);
    result = cell_error_finish(request, content, &changed);
    if (result == 0 && stops && is_main)
        result = main_shell_read_before_error(kernel);
    if (result != 0) {
        request_close(request);
        return result;
    }
    if (changed.size != 0)
        content = buffer_bytes(&changed);
    if (is_main)
        guard_process_forget_stack(&kernel->guard);
    result = request_reply(request, content, buffer_bytes(&metadata));
    if (result != 0 || !stops)
        return result;
    return queue_abort_executes(queue);
}

static int finish_request(struct kernel *kernel, struct request *request, const struct frame *frame)
{
    if (request->type->reply_type == NULL)
        return request_close(request);
    if (request->type == &execute_request)
        return finish_execute(kernel, request, frame);
    return request_reply(request, frame->parts[0], BYTES_NONE);
}

static int take_reply_of_subshell(struct kernel *kernel, struct request *request, const struct frame *frame)
{
    struct subshell *subshell = request->subshell;
    struct request *of_main = kernel->queue.running;
    bool is_comm = comm_order_is_comm(request);
    uint64_t arrival = request->arrival;
    int result = of_main == NULL ? outputs_turn(&kernel->outputs) : 0;

    if (result == 0)
        result = outputs_end_cell(&kernel->outputs, frame->cell);
    subshell->queue.running = NULL;
    if (result == 0)
        result = finish_request(kernel, request, frame);
    if (result == 0)
        result = subshell_run_next(subshell);
    if (result != 0 || !is_comm)
        return result;
    /* A widget that is moved would make a long cell look as if it were over, and its kernel as if it could be culled. */
    if (of_main != NULL && of_main == kernel->queue.running)
        result = request_say_busy(of_main);
    return result != 0 ? result : comm_order_note_done(kernel, arrival);
}

int guard_reply_take(struct kernel *kernel, const struct frame *frame)
{
    struct request *request = kernel_running(kernel, frame->cell);
    bool has_reply = request->type->reply_type != NULL;
    int result;

    if (has_reply != (frame->part_count != 0)) {
        guard_process_condemn(&kernel->guard, "it broke the protocol: a reply of the wrong shape");
        return 0;
    }
    if (request->subshell != NULL)
        return take_reply_of_subshell(kernel, request, frame);
    question_drop(kernel);
    errand_drop(kernel);
    limits_end(&kernel->limits);
    result = debugger_end_request(kernel);
    if (result == 0)
        result = guard_process_drain_outputs(&kernel->guard);
    if (result >= 0)
        result = outputs_turn(&kernel->outputs);
    if (result == 0)
        result = outputs_end_cell(&kernel->outputs, frame->cell);
    /* Until here the request counted as running: an abort must find the queue without it. */
    kernel->queue.running = NULL;
    if (result < 0)
        return result;
    debugger_note_answer(kernel, request, frame);
    result = finish_request(kernel, request, frame);
    if (result == 0)
        result = restore_end_trial(kernel); /* the frame is gone with the guard */
    return result != 0 ? result : main_shell_run_next(kernel);
}
