#include "kernel/commands/run_session.h"

#include "guard/link/errands.h"
#include "guard/link/utf8.h"
#include "guard/link/write_all.h"
#include "guard/policy/policy.h"
#include "kernel/config/session_policy.h"
#include "kernel/signals.h"
#include "kernel/supervisor/guard_process.h"
#include "kernel/supervisor/limits.h"
#include "kernel/supervisor/private_directory.h"
#include "kernel/wire/colours.h"
#include "kernel/wire/json_text.h"

#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>

enum { CELL = 1, STOP_MS = 300, DENIALS_MAX_BYTES = 256 * 1024 };

struct run_session {
    const struct run_settings *settings; /* of the run; NULL before */
    struct run_result *result;
    char *private_directory;
    char *failure;              /* why there is no guard */
    struct policy_limits asked; /* what the policy says, once the guard is ready */
    bool is_ready;
    struct loop *loop;
    struct guard_process guard;
    struct limits limits;
    struct loop_source signals;
    size_t output_max; /* bytes of each stream; 0: no limit */
    bool is_answered;
};

/* ---- what comes back ------------------------------------------------------------------------- */

static int on_output(void *context, enum frame_type stream, struct bytes text)
{
    struct run_session *session = context;
    int index = stream == FRAME_STDERR;
    struct buffer *kept = &session->result->streams[index];

    if (session->settings->streams)
        return write_all(index + 1, text);
    if (session->output_max > 0)
        text.size = kept->size < session->output_max ? utf8_cut(text, session->output_max - kept->size) : 0; /* more may have come before READY */
    buffer_append(kept, text);
    return 0;
}

static void add_denial(struct run_session *session, struct bytes denial)
{
    struct buffer *kept = &session->result->denials;

    if (!json_text_is_object(denial, JSON_TEXT_STRICT) || kept->size + denial.size > DENIALS_MAX_BYTES)
        return;
    if (kept->size > 0)
        buffer_append_string(kept, ", ");
    buffer_append(kept, denial);
}

static char *member_text(struct bytes object, const char *key)
{
    cleanup_buffer struct buffer text = BUFFER_NONE;

    json_text_member_string(object, key, &text);
    return text.size > 0 ? buffer_steal_string(&text) : xstrdup("");
}

static int add_traceback(struct run_session *session, struct bytes content)
{
    cleanup_buffer struct buffer lines = BUFFER_NONE;
    cleanup_buffer struct buffer plain = BUFFER_NONE;
    struct bytes list;

    if (json_text_member(content, "traceback", &list))
        json_text_append_lines(list, &lines);
    if (lines.size == 0)
        return 0;
    colours_strip(buffer_bytes(&lines), &plain);
    buffer_append_char(&plain, '\n');
    return on_output(session, FRAME_STDERR, buffer_bytes(&plain));
}

/* Of an exception that is as long as the code likes, the beginning; and how much there is beyond it. */
static char *bounded(char *owned)
{
    cleanup_free char *text = owned;
    struct bytes all = bytes_of_string(text);
    size_t kept = utf8_cut(all, RUN_ERROR_BYTES_MAX);

    if (kept == all.size)
        return steal(text);
    return xasprintf("%.*s [%zu bytes that follow are left out]", (int)kept, text, all.size - kept);
}

static void set_error(struct run_result *result, int exit_code, char *owned)
{
    free(result->error);
    result->error = bounded(owned);
    result->exit_code = exit_code;
    result->ok = false;
}

/* 0 is a good end; what is no number went to stderr, as Python does it. */
static int take_exit(struct run_session *session, struct bytes run, const char *code_text)
{
    struct run_result *result = session->result;
    struct bytes value;
    long code = RUN_EXIT_ERROR;

    if (json_text_member(run, "exit_code", &value))
        json_text_integer(value, &code);
    if (code == 0) {
        result->ok = true;
        return 0;
    }
    set_error(result, (int)code, xasprintf("SystemExit: %s", code_text));
    if (code == RUN_EXIT_ERROR && strcmp(code_text, "1") != 0) {
        cleanup_free char *line = xasprintf("%s\n", code_text);

        return on_output(session, FRAME_STDERR, bytes_of_string(line));
    }
    return 0;
}

static int take_error(struct run_session *session, struct bytes content, struct bytes run)
{
    struct run_result *result = session->result;
    cleanup_free char *name = member_text(content, "ename");
    cleanup_free char *text = member_text(content, "evalue");
    struct bytes code;

    if (run.size > 0 && json_text_member(run, "exit_code", &code))
        return take_exit(session, run, text);
    if (strcmp(name, "MemoryError") == 0) {
        result->resource_exceeded = true;
        set_error(result, RUN_EXIT_MEMORY, xstrdup("Memory limit exceeded"));
    } else {
        set_error(result, RUN_EXIT_ERROR, xasprintf("%s: %s", name, text));
    }
    return add_traceback(session, content);
}

/* A limit that was reached is what the run is told, whatever the code made of the interrupt. */
static void tell_breach(struct run_session *session)
{
    struct run_result *result = session->result;
    enum limit limit = session->limits.breached;
    long value = limits_value(&session->limits, limit);

    result->timed_out = limit == LIMIT_TIMEOUT;
    result->resource_exceeded = !result->timed_out;
    if (result->timed_out)
        set_error(result, RUN_EXIT_TIMEOUT, xasprintf("Execution timed out after %lds", value));
    else if (limit == LIMIT_MEMORY)
        set_error(result, RUN_EXIT_MEMORY, xstrdup("Memory limit exceeded"));
    else
        set_error(result, RUN_EXIT_MEMORY,
                  xasprintf("the limit %s = %ld is exceeded", limits_name(limit), value));
    buffer_clear(&result->result, 0);
}

/* Half of a JSON text is none: a result that an answer cannot hold is no result, and the run is told so. */
static void take_result(struct run_session *session, struct bytes value)
{
    struct run_result *result = session->result;

    if (session->settings->streams || value.size <= RUN_RESULT_BYTES_MAX) { /* without an answer it passes through as output does */
        buffer_append(&result->result, value);
        return;
    }
    if (!result->ok) /* which says enough */
        return;
    result->resource_exceeded = true;
    set_error(result, RUN_EXIT_MEMORY,
              xasprintf("the result takes %zu bytes as JSON, and an answer holds %d: write it to a file, or return less of it",
                        value.size, RUN_RESULT_BYTES_MAX));
}

static int take_reply(struct run_session *session, struct bytes content)
{
    struct run_result *result = session->result;
    cleanup_free char *status = NULL;
    struct bytes run = {NULL, 0};
    struct bytes value;
    int done = 0;

    if (!json_text_is_object(content, JSON_TEXT_STRICT)) {
        guard_process_condemn(&session->guard, "it broke the protocol: a reply that is no JSON object");
        return 0;
    }
    session->is_answered = true;
    limits_end(&session->limits);
    status = member_text(content, "status");
    result->ok = strcmp(status, "ok") == 0;
    json_text_member(content, "run", &run);
    if (!result->ok)
        done = take_error(session, content, run);
    if (run.size > 0 && json_text_member(run, "result", &value))
        take_result(session, value);
    if (session->limits.breached != LIMIT_NONE)
        tell_breach(session);
    loop_stop(session->loop);
    return done < 0 ? done : guard_process_drain_outputs(&session->guard);
}

static void refuse_question(struct run_session *session, const struct frame *ask)
{
    struct bytes parts[2] = {ask->parts[0], BYTES_LITERAL("nobody")};

    guard_process_answer(&session->guard, &(struct frame){FRAME_ANSWER, CELL, 2, parts});
}

static void refuse_errand(struct run_session *session, const struct frame *errand)
{
    struct bytes parts[5] = {errand->parts[0], bytes_of_string(errand_outcome_word(ERRAND_NOBODY)),
                             BYTES_LITERAL("0"), BYTES_NONE, BYTES_NONE};

    guard_process_answer(&session->guard, &(struct frame){FRAME_ERRAND_DONE, CELL, 5, parts});
}

static int on_frame(void *context, const struct frame *frame)
{
    struct run_session *session = context;

    switch (frame->type) {
    case FRAME_STDOUT:
    case FRAME_STDERR:
        return on_output(session, frame->type, frame->parts[0]);
    case FRAME_DENIAL:
        add_denial(session, frame->parts[0]);
        return 0;
    case FRAME_ASK: /* nobody is there who could say yes */
        refuse_question(session, frame);
        return 0;
    case FRAME_ERRAND:
        refuse_errand(session, frame);
        return 0;
    case FRAME_REPLY:
        return frame->cell == CELL && frame->part_count > 0 && !session->is_answered
                   ? take_reply(session, frame->parts[0])
                   : 0;
    default: /* things to look at: nobody does */
        return 0;
    }
}

/* ---- the run --------------------------------------------------------------------------------- */

/* What was asked for; the policy's where nothing was, or where it is shorter; else the default. */
static long choose(long asked, long of_policy, long otherwise)
{
    if (asked < 0)
        return of_policy > 0 ? of_policy : otherwise;
    if (of_policy > 0 && (asked == 0 || of_policy < asked))
        return of_policy;
    return asked;
}

static void send_code(struct run_session *session)
{
    static const char context[] =
        "{\"execution_count\": 1, \"msg_id\": \"run\", \"session\": \"run\", \"metadata\": {}}";
    cleanup_buffer struct buffer content = BUFFER_NONE;
    struct bytes parts[3];

    buffer_append_string(&content, "{\"silent\": true, \"store_history\": false, \"allow_stdin\": "
                                   "false, \"code\": ");
    json_text_append_string(&content, session->settings->code);
    buffer_append_char(&content, '}');
    parts[0] = buffer_bytes(&content);
    parts[1] = bytes_of_string(context);
    parts[2] = session->settings->names;
    guard_process_send(&session->guard, &(struct frame){FRAME_EXECUTE, CELL, 3, parts});
}

static void set_limits(struct run_session *session)
{
    const struct run_settings *settings = session->settings;
    struct policy_limits limits = session->asked;

    limits.timeout_seconds =
        choose(settings->timeout_seconds, limits.timeout_seconds, RUN_TIMEOUT_SECONDS);
    limits.memory_limit_mb = choose(settings->memory_mb, limits.memory_limit_mb, RUN_MEMORY_MB);
    limits.grace_seconds = 0; /* the answer is a time-out, however politely the code would end */
    session->output_max =
        (size_t)choose(settings->output_kb, limits.max_output_kb, RUN_OUTPUT_KB) * 1024;
    limits_set(&session->limits, &limits);
    limits_begin(&session->limits, 0);
}

/* When both are there: a guard that is ready, and a run for it. */
static void begin(struct run_session *session)
{
    if (!session->is_ready || session->settings == NULL)
        return;
    set_limits(session);
    send_code(session);
}

static int on_ready(void *context, const struct frame *frame)
{
    struct run_session *session = context;

    if (!json_text_is_object(frame->parts[0], JSON_TEXT_STRICT)) {
        guard_process_condemn(&session->guard, "it broke the protocol: READY is no JSON object");
        return 0;
    }
    limits_read(frame->parts[0], &session->asked);
    session->is_ready = true;
    begin(session);
    return 0;
}

static int on_ended(void *context)
{
    struct run_session *session = context;
    const struct guard_process *guard = &session->guard;

    if (session->is_answered) {
        loop_stop(session->loop);
        return 0;
    }
    limits_heed_death(&session->limits);
    limits_end(&session->limits);
    if (session->limits.breached != LIMIT_NONE) {
        tell_breach(session);
    } else if (guard->state == GUARD_FAILED) {
        set_error(session->result, RUN_EXIT_NO_GUARD, xstrdup(guard->failure));
    } else {
        cleanup_free char *end = guard_process_describe_end(guard);
        int status = guard->wait_status;

        set_error(session->result, WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status),
                  xasprintf("the guard process %s", guard->failure != NULL ? guard->failure : end));
        if (session->result->exit_code == 0) /* os._exit(0): no answer is no good end */
            session->result->exit_code = RUN_EXIT_ERROR;
    }
    loop_stop(session->loop);
    return 0;
}

static int on_signal(void *context)
{
    struct run_session *session = context;
    int number = signals_read(&session->signals);

    session->result->interrupted = true;
    if (number != 0)
        set_error(session->result, 128 + number, xasprintf("interrupted by SIG%s", sigabbrev_np(number)));
    loop_stop(session->loop);
    return 0;
}

static void start_guard(struct run_session *session, const struct run_start *start)
{
    struct options options = {.shell = "plain", .python = start->python};
    cleanup_policy struct policy *policy =
        session_policy_new(&options, start->sources, session->private_directory);
    cleanup_buffer struct buffer encoded = BUFFER_NONE;

    policy_encode(policy, &encoded);
    if (start->template != NULL)
        guard_process_ask(&session->guard, start->template, session->private_directory);
    guard_process_start(&session->guard, &(struct guard_settings){.python = start->python,
                                                                  .shell = options.shell,
                                                                  .policy = buffer_bytes(&encoded),
                                                                  .policy_files = start->sources,
                                                                  .private_directory = session->private_directory});
}

struct run_session *run_session_new(const struct run_start *start)
{
    struct guard_handlers handlers = {.ready = on_ready, .frame = on_frame, .output = on_output, .ended = on_ended};
    struct run_session *session = xcalloc(1, sizeof(*session));

    signals_block(); /* who is ended by one in between would leave its folder behind */
    session->private_directory = private_directory_make(&session->failure);
    if (session->private_directory == NULL)
        return session;
    handlers.context = session;
    session->loop = loop_new();
    signals_watch(session->loop, &session->signals, on_signal, session);
    guard_process_init(&session->guard, session->loop, &handlers);
    limits_init(&session->limits, session->loop, &session->guard);
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    start_guard(session, start);
    if (session->guard.state == GUARD_FAILED)
        session->failure = xstrdup(session->guard.failure);
    return session;
}

bool run_session_run(struct run_session *session, const struct run_settings *settings, struct run_result *ret_result)
{
    session->settings = settings;
    session->result = ret_result;
    if (session->failure != NULL) {
        set_error(ret_result, RUN_EXIT_NO_GUARD, steal(session->failure));
        return true;
    }
    begin(session);
    if (loop_run(session->loop) < 0)
        set_error(session->result, RUN_EXIT_NO_GUARD, xstrdup("the output cannot be written"));
    return session->is_ready;
}

bool run_session_is_alive(const struct run_session *session)
{
    struct pollfd end = {.fd = session->failure == NULL ? session->guard.pidfd : -1, .events = POLLIN};

    return session->failure == NULL && poll(&end, 1, 0) == 0;
}

void run_session_free(struct run_session *session)
{
    if (session->private_directory != NULL) {
        guard_process_stop(&session->guard, session->is_answered ? STOP_MS : 0);
        guard_process_finish(&session->guard);
        limits_finish(&session->limits);
        close(session->signals.fd);
        loop_free(session->loop);
        private_directory_remove(session->private_directory);
    }
    free(session->failure);
    free(session);
}
