#include "kernel/execution/aside.h"

#include "guard/link/aside.h"
#include "kernel/execution/account.h"
#include "kernel/execution/main_shell.h"
#include "kernel/kernel.h"
#include "kernel/requests/requests.h"
#include "kernel/wire/json_text.h"

#include <poll.h>
#include <sys/socket.h>

enum {
    PATIENCE_MS = 100, /* most cells are over by then, and their answer is the better one */
    ANSWER_MS = 250,
    COPY_MS = 200,
    AGAIN_MS = 50, /* what is due while no cell runs goes to the guard in its turn, or a cell comes before */
};

/* What may be asked aside, and what is answered when it cannot be. */
static const struct {
    const struct request_type *type;
    enum frame_type frame;
    const char *nothing; /* without the closing brace */
} kinds[] = {
    {&complete_request, FRAME_COMPLETE, "{\"status\":\"ok\",\"matches\":[],\"metadata\":{}"},
    {&inspect_request, FRAME_INSPECT, "{\"status\":\"ok\",\"found\":false,\"data\":{},\"metadata\":{}"},
    {&is_complete_request, FRAME_IS_COMPLETE, "{\"status\":\"unknown\""},
    {&variables_request, FRAME_VARIABLES, "{\"status\":\"ok\",\"variables\":[],\"more\":0"},
};
enum { KINDS = sizeof(kinds) / sizeof(kinds[0]) };

static size_t kind_of(const struct request *request)
{
    size_t i = 0;

    while (i < KINDS && kinds[i].type != request->type)
        i++;
    return i;
}

/* ---- answers --------------------------------------------------------------------------------- */

static struct request *find_open(const struct aside *aside, uint32_t cell)
{
    struct request *request = aside->first;

    while (request != NULL && request->cell != cell)
        request = request->next;
    return request;
}

static struct request *remove_open(struct aside *aside, uint32_t cell)
{
    struct request **at = &aside->first;
    struct request *found;

    while (*at != NULL && (*at)->cell != cell)
        at = &(*at)->next;
    found = *at;
    if (found != NULL)
        *at = found->next;
    return found;
}

/* Completions replace what is between the two places: nothing. */
static void append_cursor(const struct request *request, struct buffer *content)
{
    struct bytes value;
    long cursor = 0;

    if (request->type != &complete_request)
        return;
    if (json_text_member(request_content(request), "cursor_pos", &value))
        json_text_integer(value, &cursor);
    buffer_append_format(content, ",\"cursor_start\":%ld,\"cursor_end\":%ld", cursor, cursor);
}

static int answer_nothing(struct request *request, const char *why)
{
    cleanup_buffer struct buffer content = BUFFER_NONE;
    cleanup_buffer struct buffer metadata = BUFFER_NONE;

    buffer_append_string(&content, kinds[kind_of(request)].nothing);
    append_cursor(request, &content);
    buffer_append_char(&content, '}');
    buffer_append_string(&metadata, "{\"safepyrun\":{\"answered_by\":null,\"why\":");
    json_text_append_string(&metadata, bytes_of_string(why));
    buffer_append_string(&metadata, "}}");
    return request_reply(request, buffer_bytes(&content), buffer_bytes(&metadata));
}

int aside_take(struct kernel *kernel, const struct frame *frame)
{
    struct request *request = remove_open(&kernel->aside, frame->cell);

    if (request == NULL)
        return 0; /* too late */
    if (frame->part_count == 0)
        return answer_nothing(request, "the interpreter cannot tell while the cell runs");
    return request_reply(request, frame->parts[0],
                         BYTES_LITERAL("{\"safepyrun\":{\"answered_by\":\"interpreter\"}}"));
}

/* From a copy, or a forgery of the guard's: of its own namespace either way. */
static int take_packet(struct kernel *kernel, struct bytes packet)
{
    cleanup_buffer struct buffer metadata = BUFFER_NONE;
    struct aside_head head;
    struct request *request;
    struct bytes content;

    if (packet.size < sizeof(head))
        return 0;
    memcpy(&head, packet.data, sizeof(head));
    content = (struct bytes){(const char *)packet.data + sizeof(head), packet.size - sizeof(head)};
    request = find_open(&kernel->aside, head.cell);
    if (request == NULL || !request->copy_is_asked || !json_text_is_object(content, JSON_TEXT_STRICT))
        return 0;
    buffer_append_format(&metadata, "{\"safepyrun\":{\"answered_by\":\"copy\",\"execution_count\":%d}}",
                         request->execute.execution_count);
    remove_open(&kernel->aside, head.cell);
    return request_reply(request, content, buffer_bytes(&metadata));
}

static void stop_listening(struct aside *aside, struct loop *loop)
{
    if (aside->is_listening)
        loop_remove(loop, &aside->source);
    aside->is_listening = false;
}

static int on_packet(void *context)
{
    static char packet[sizeof(struct aside_head) + ASIDE_ANSWER_MAX];
    struct kernel *kernel = context;
    ssize_t size = recv(kernel->aside.source.fd, packet, sizeof(packet), MSG_DONTWAIT);
    int result = 0;

    if (size > 0)
        result = take_packet(kernel, (struct bytes){packet, (size_t)size});
    if (size == 0 || kernel->aside.first == NULL)
        stop_listening(&kernel->aside, kernel->loop);
    return result;
}

int aside_give_up(struct kernel *kernel, const char *why)
{
    struct request *request;
    int result = 0;

    while (result == 0 && (request = kernel->aside.first) != NULL) {
        kernel->aside.first = request->next;
        result = answer_nothing(request, why);
    }
    stop_listening(&kernel->aside, kernel->loop); /* the socket may be closed before the next round */
    return result;
}

/* ---- questions ------------------------------------------------------------------------------- */

static int ask(struct kernel *kernel, struct request *request)
{
    struct request **last = &kernel->aside.first;
    struct aside_head head = {.type = (uint32_t)kinds[kind_of(request)].frame};

    request->cell = cells_add(kernel->cells, request->message->header, false);
    request->due_ms = loop_now_ms() + ANSWER_MS;
    head.cell = request->cell;
    head.until_ms = request->due_ms;
    if (!guard_process_ask_aside(&kernel->guard, &head, request_content(request)))
        return answer_nothing(request, "the question cannot be asked while the cell runs");
    request->next = NULL;
    while (*last != NULL)
        last = &(*last)->next;
    *last = request;
    return 0;
}

/* Those that have waited long enough, in their order. */
static int ask_waiting(struct kernel *kernel)
{
    struct request *waiting = kernel->queue.first;
    int result = 0;

    while (result == 0 && waiting != NULL && main_shell_runs_cell(kernel)) {
        struct request *request = waiting;

        waiting = waiting->next;
        if (kind_of(request) == KINDS || request->due_ms > loop_now_ms())
            continue;
        queue_remove(&kernel->queue, request);
        result = ask(kernel, request);
    }
    return result;
}

/* The socket is the guard's, whichever it is now. */
static void listen_to_copies(struct kernel *kernel)
{
    if (kernel->aside.is_listening && kernel->aside.source.fd == kernel->guard.aside_socket)
        return;
    stop_listening(&kernel->aside, kernel->loop);
    kernel->aside.source = (struct loop_source){
        .fd = kernel->guard.aside_socket, .events = POLLIN, .callback = on_packet, .context = kernel};
    loop_add(kernel->loop, &kernel->aside.source);
    kernel->aside.is_listening = true;
}

/* What the interpreter cannot tell, a copy may know as it was before. Returns whether it is asked. */
static bool ask_copy(struct kernel *kernel, struct request *request)
{
    struct bytes content = request_content(request);
    const struct copy *copy =
        request->copy_is_asked
            ? NULL
            : copies_ask(&kernel->copies,
                         &(struct frame){kinds[kind_of(request)].frame, request->cell, 1, &content});

    if (copy == NULL)
        return false;
    request->copy_is_asked = true;
    request->execute.execution_count = copy->state.execution_count;
    request->due_ms = loop_now_ms() + COPY_MS;
    listen_to_copies(kernel);
    return true;
}

static struct request *find_overdue(const struct aside *aside)
{
    struct request *request = aside->first;

    while (request != NULL && request->due_ms > loop_now_ms())
        request = request->next;
    return request;
}

static int answer_overdue(struct kernel *kernel)
{
    struct request *request;
    int result = 0;

    while (result == 0 && (request = find_overdue(&kernel->aside)) != NULL) {
        if (ask_copy(kernel, request))
            continue;
        remove_open(&kernel->aside, request->cell);
        result = answer_nothing(request, "the interpreter did not answer in time: the cell holds it");
    }
    if (kernel->aside.first == NULL)
        stop_listening(&kernel->aside, kernel->loop);
    return result;
}

static void start_timer(struct kernel *kernel)
{
    int64_t now = loop_now_ms();
    int64_t due = INT64_MAX;

    for (const struct request *request = kernel->aside.first; request != NULL; request = request->next)
        if (request->due_ms < due)
            due = request->due_ms;
    for (const struct request *request = kernel->queue.first; request != NULL; request = request->next) {
        int64_t its = request->due_ms >= now ? request->due_ms : now + AGAIN_MS;

        if (kind_of(request) != KINDS && its < due)
            due = its;
    }
    if (due != INT64_MAX)
        loop_timer_start(&kernel->aside.timer, due > now ? due - now : 0);
}

static int on_timer(void *context)
{
    struct kernel *kernel = context;
    int result = answer_overdue(kernel);

    if (result == 0)
        result = ask_waiting(kernel);
    start_timer(kernel);
    return result;
}

static bool has_run_long(const struct kernel *kernel)
{
    return main_shell_runs_cell(kernel) && account_running_ms(kernel->queue.running) > PATIENCE_MS;
}

void aside_note(struct kernel *kernel, struct request *request)
{
    if (kind_of(request) == KINDS)
        return;
    request->due_ms = loop_now_ms() + (has_run_long(kernel) ? 0 : PATIENCE_MS);
    start_timer(kernel);
}

void aside_init(struct kernel *kernel)
{
    kernel->aside.timer = (struct loop_timer){.callback = on_timer, .context = kernel};
    loop_add_timer(kernel->loop, &kernel->aside.timer);
}
