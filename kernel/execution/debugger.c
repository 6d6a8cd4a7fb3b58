#include "kernel/execution/debugger.h"

#include "kernel/kernel.h"
#include "kernel/requests/requests.h"
#include "kernel/wire/json_text.h"

#include <stdlib.h>

enum { VARIABLES_BYTES_MAX = 1 << 20 };

void debugger_finish(struct debugger *debugger)
{
    json_decref(debugger->breakpoints);
    json_decref(debugger->filters);
    buffer_finish(&debugger->variables);
}

char *debugger_prefix(const struct kernel *kernel)
{
    return xasprintf("%s/cell_", kernel->private_directory);
}

bool debugger_is_command(const struct request *request, const char *command)
{
    cleanup_buffer struct buffer text = BUFFER_NONE;

    return json_text_member_string(request_content(request), "command", &text) &&
           bytes_equal_string(buffer_bytes(&text), command);
}

/* ---- to the front end ------------------------------------------------------------------------- */

/* A member of the request as it came; null when it has none. */
static void append_member(struct buffer *content, const struct request *request, const char *name,
                          const char *as)
{
    struct bytes value;

    if (!json_text_member(request_content(request), name, &value))
        value = BYTES_LITERAL("null");
    buffer_append_format(content, "\"%s\":", as);
    buffer_append(content, value);
    buffer_append_char(content, ',');
}

static void append_head(struct buffer *content, const struct request *request, bool success)
{
    buffer_append_string(content, "{\"seq\":0,\"type\":\"response\",");
    append_member(content, request, "seq", "request_seq");
    append_member(content, request, "command", "command");
    buffer_append_format(content, "\"success\":%s,", success ? "true" : "false");
}

int debugger_reply(struct request *request, struct bytes body)
{
    cleanup_buffer struct buffer content = BUFFER_NONE;

    append_head(&content, request, true);
    buffer_append_string(&content, "\"body\":");
    buffer_append(&content, body.size != 0 ? body : BYTES_LITERAL("{}"));
    buffer_append_char(&content, '}');
    return request_reply(request, buffer_bytes(&content), BYTES_NONE);
}

int debugger_refuse(struct request *request, const char *message)
{
    cleanup_buffer struct buffer content = BUFFER_NONE;

    append_head(&content, request, false);
    buffer_append_string(&content, "\"body\":{},\"message\":");
    json_text_append_string(&content, bytes_of_string(message));
    buffer_append_char(&content, '}');
    return request_reply(request, buffer_bytes(&content), BYTES_NONE);
}

static int publish(struct kernel *kernel, const struct request *request, struct bytes content)
{
    int result = outputs_flush(&kernel->outputs); /* what was printed before the stop comes before it */

    if (result != 0)
        return result;
    return channels_publish(&kernel->channels,
                            &(struct outgoing){.msg_type = "debug_event",
                                               .parent_header = request->message->header,
                                               .content = content});
}

int debugger_publish(struct kernel *kernel, const struct request *request, const char *event,
                     const char *body)
{
    cleanup_free char *content = xasprintf(
        "{\"seq\":0,\"type\":\"event\",\"event\":\"%s\",\"body\":%s}", event, body);

    return publish(kernel, request, bytes_of_string(content));
}

/* ---- to the guard ----------------------------------------------------------------------------- */

static void send(struct kernel *kernel, const char *kind, unsigned long number, struct bytes content)
{
    const struct request *running = kernel->queue.running;
    cleanup_free char *digits = xasprintf("%lu", number);
    struct bytes parts[] = {bytes_of_string(kind), bytes_of_string(digits), content};

    guard_process_send(&kernel->guard,
                       &(struct frame){FRAME_DEBUG, running != NULL ? running->cell : 0, 3, parts});
}

void debugger_send_settings(struct kernel *kernel)
{
    const struct debugger *debugger = &kernel->debugger;
    cleanup_free char *prefix = debugger_prefix(kernel);
    json_t *settings;
    cleanup_free char *text = NULL;

    if (kernel->guard.state != GUARD_READY)
        return; /* sent when it is */
    settings = json_pack("{sb ss sO* sO*}", "attached", debugger->is_attached, "prefix", prefix,
                         "breakpoints", debugger->breakpoints, "filters", debugger->filters);
    text = settings != NULL ? json_dumps(settings, JSON_COMPACT) : NULL;
    json_decref(settings);
    if (text != NULL)
        send(kernel, "settings", 0, bytes_of_string(text));
}

void debugger_pause(struct kernel *kernel)
{
    send(kernel, "stopped", 0, BYTES_LITERAL("{\"command\":\"pause\"}"));
}

static bool makes_go_on(const struct request *request)
{
    static const char *const commands[] = {"continue", "next", "stepIn", "stepOut"};

    for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
        if (debugger_is_command(request, commands[i]))
            return true;
    return false;
}

static void send_asked(struct kernel *kernel)
{
    struct debugger *debugger = &kernel->debugger;

    debugger->goes_on = makes_go_on(debugger->asked);
    limits_resume(&kernel->limits); /* what a person has evaluated counts as the cell's */
    send(kernel, "stopped", ++debugger->number, request_content(debugger->asked));
}

static struct request *take_first(struct debugger *debugger)
{
    struct request *request = debugger->first;

    if (request != NULL)
        debugger->first = steal(request->next);
    return request;
}

static int refuse_waiting(struct debugger *debugger)
{
    struct request *request;
    int result = 0;

    while (result == 0 && (request = take_first(debugger)) != NULL)
        result = debugger_refuse(request, "the cell went on");
    return result;
}

static int refuse_asked(struct debugger *debugger)
{
    struct request *asked = steal(debugger->asked);

    return asked != NULL ? debugger_refuse(asked, "the cell went on") : 0;
}

/* busy and idle of one request come before those of the next: it is opened when it is sent. */
static int send_next(struct kernel *kernel)
{
    struct debugger *debugger = &kernel->debugger;

    if (!debugger->is_stopped)
        return refuse_waiting(debugger);
    debugger->asked = take_first(debugger);
    if (debugger->asked == NULL)
        return 0;
    send_asked(kernel);
    return request_open(debugger->asked);
}

int debugger_ask(struct kernel *kernel, struct request *request)
{
    struct debugger *debugger = &kernel->debugger;
    struct request **last = &debugger->first;

    while (*last != NULL)
        last = &(*last)->next;
    *last = request;
    return debugger->asked == NULL ? send_next(kernel) : 0;
}

/* ---- from the guard --------------------------------------------------------------------------- */

static int stopped(struct kernel *kernel, const struct frame *frame)
{
    kernel->debugger.is_stopped = true;
    limits_pause(&kernel->limits);
    return publish(kernel, kernel->queue.running, frame->parts[0]);
}

/* A request that makes the cell go on has its answer still to come; any other met an interrupt. */
static int continued(struct kernel *kernel, const struct frame *frame)
{
    struct debugger *debugger = &kernel->debugger;
    int result;

    debugger->is_stopped = false;
    limits_resume(&kernel->limits);
    result = publish(kernel, kernel->queue.running, frame->parts[0]);
    if (result == 0 && !debugger->goes_on)
        result = refuse_asked(debugger);
    return result != 0 ? result : refuse_waiting(debugger);
}

/* Cells of subshells never stand still. */
static bool is_of_main_shell(const struct kernel *kernel, const struct frame *frame)
{
    return kernel->queue.running != NULL && kernel->queue.running->cell == frame->cell;
}

int debugger_take_event(struct kernel *kernel, const struct frame *frame)
{
    struct bytes event;
    bool is_event = is_of_main_shell(kernel, frame) && json_text_member(frame->parts[0], "event", &event);
    bool is_stopped = kernel->debugger.is_stopped;

    if (is_event && !is_stopped && kernel->debugger.is_attached && bytes_equal_string(event, "\"stopped\""))
        return stopped(kernel, frame);
    if (is_event && is_stopped && bytes_equal_string(event, "\"continued\""))
        return continued(kernel, frame);
    /* One that was detached meanwhile stops once more, and goes on when it has read that. */
    if (!kernel->debugger.is_attached)
        return 0;
    guard_process_condemn(&kernel->guard, "it broke the protocol: an event of a debugger that is none");
    return 0;
}

int debugger_take_reply(struct kernel *kernel, const struct frame *frame)
{
    struct debugger *debugger = &kernel->debugger;
    cleanup_free char *number = xstrndup(frame->parts[1].data, frame->parts[1].size);
    struct request *asked;
    int result;

    if (debugger->asked == NULL || !is_of_main_shell(kernel, frame) || strtoul(number, NULL, 10) != debugger->number)
        return 0; /* an interrupt came between */
    asked = steal(debugger->asked);
    if (debugger->is_stopped)
        limits_pause(&kernel->limits);
    result = request_reply(asked, frame->parts[0], BYTES_NONE);
    return result != 0 ? result : send_next(kernel);
}

void debugger_note_answer(struct kernel *kernel, const struct request *request,
                          const struct frame *frame)
{
    struct buffer *known = &kernel->debugger.variables;
    struct bytes body;

    if (request->type != &debug_request || !debugger_is_command(request, "inspectVariables") ||
        !json_text_member(frame->parts[0], "body", &body))
        return;
    buffer_clear(known, VARIABLES_BYTES_MAX);
    if (body.size <= VARIABLES_BYTES_MAX)
        buffer_append(known, body);
}

int debugger_end_request(struct kernel *kernel)
{
    struct debugger *debugger = &kernel->debugger;
    int result = refuse_asked(debugger);

    if (result == 0)
        result = refuse_waiting(debugger);
    if (result != 0 || !debugger->is_stopped)
        return result;
    debugger->is_stopped = false;
    if (kernel->queue.running == NULL)
        return 0;
    return debugger_publish(kernel, kernel->queue.running, "continued",
                            "{\"threadId\":1,\"allThreadsContinued\":true}");
}
