#include "kernel/execution/errand.h"

#include "kernel/execution/account.h"
#include "kernel/execution/errand_environment.h"
#include "kernel/execution/errand_frame.h"
#include "kernel/execution/errand_prompt.h"
#include "kernel/kernel.h"
#include "kernel/records/log.h"
#include "kernel/supervisor/spawn.h"
#include "kernel/wire/json_text.h"

#include <fcntl.h>
#include <limits.h>
#include <sys/wait.h>

/* ---- what the guard says when it is ready ----------------------------------------------------- */

static bool set_list(struct policy *policy, const char *key, struct bytes object, const char *member)
{
    cleanup_buffer struct buffer lines = BUFFER_NONE;
    cleanup_free char *text = NULL;
    cleanup_free const char **items = NULL;
    struct policy_value value = {.type = POLICY_STRINGS};
    struct bytes list;
    char *state = NULL;

    if (!json_text_member(object, member, &list))
        return false;
    json_text_append_lines(list, &lines);
    text = xstrndup(lines.data != NULL ? lines.data : "", lines.size);
    items = xcalloc(lines.size + 1, sizeof(*items));
    for (char *line = strtok_r(text, "\n", &state); line != NULL; line = strtok_r(NULL, "\n", &state))
        items[value.count++] = line;
    value.strings = items;
    return policy_set(policy, key, &value) == 0;
}

void errand_read_settings(struct kernel *kernel, struct bytes info)
{
    struct errand *errand = &kernel->errand;
    cleanup_policy struct policy *policy = policy_new(POLICY_WORKSPACE);
    struct bytes ask;
    struct bytes seconds;

    policy_free(steal(errand->policy));
    if (!json_text_member(info, "ask", &ask) || !json_text_is_object(ask, JSON_TEXT_STRICT))
        return;
    if (!json_text_member(ask, "seconds", &seconds) || !json_text_integer(seconds, &errand->seconds) ||
        errand->seconds < 1 || errand->seconds > POLICY_ASK_SECONDS_MAX ||
        !set_list(policy, "env.pass", ask, "pass") || !set_list(policy, "env.hide", ask, "hide")) {
        log_warning("no commands are run for cells: what the guard says of the policy is odd");
        return;
    }
    errand->policy = steal(policy);
}

/* ---- to the guard and on record --------------------------------------------------------------- */

static void forget(struct errand *errand)
{
    errand->state = ERRAND_STATE_NONE;
    free(steal(errand->number));
    free(steal(errand->command));
    free(steal(errand->folder_name));
    if (errand->folder >= 0)
        close(steal_fd(&errand->folder));
    buffer_finish(&errand->kept[0]);
    buffer_finish(&errand->kept[1]);
}

static void send_done(struct kernel *kernel, enum errand_outcome outcome, int status)
{
    const struct errand *errand = &kernel->errand;
    cleanup_free char *text = xasprintf("%d", status);
    struct bytes parts[] = {bytes_of_string(errand->number), bytes_of_string(errand_outcome_word(outcome)),
                            bytes_of_string(text), buffer_bytes(&errand->kept[0]),
                            buffer_bytes(&errand->kept[1])};

    guard_process_answer(&kernel->guard, &(struct frame){FRAME_ERRAND_DONE, errand->cell, 5, parts});
}

static void finish(struct kernel *kernel, enum errand_outcome outcome, int status)
{
    send_done(kernel, outcome, status);
    forget(&kernel->errand);
}

/* status: negative for a signal; how it came about stands in `end`. */
static void record(struct kernel *kernel, const char *end, int status)
{
    const struct errand *errand = &kernel->errand;
    const struct request *running = kernel->queue.running;
    cleanup_buffer struct buffer object = BUFFER_NONE;

    buffer_append_char(&object, '{');
    json_text_append_string_member(&object, "command", bytes_of_string(errand->command));
    json_text_append_string_member(&object, "folder", bytes_of_string(errand->folder_name));
    json_text_append_string_member(&object, "end", bytes_of_string(end));
    buffer_append_format(&object, ",\"status\":%d,\"stdout_bytes\":%llu,\"stderr_bytes\":%llu,\"seconds\":%.1f}",
                         status, (unsigned long long)errand->written[0],
                         (unsigned long long)errand->written[1],
                         (double)(loop_now_ms() - errand->started_ms) / 1000);
    audit_log_command(kernel->audit_log, running != NULL ? running->execute.execution_count : 0,
                      buffer_bytes(&object));
    account_warn(kernel);
    log_info("ran for a cell: %.*s", (int)object.size, object.data);
}

/* ---- while it runs ---------------------------------------------------------------------------- */

static int keep(struct errand *errand, int index, struct bytes bytes)
{
    size_t room = ERRAND_KEPT_BYTES_MAX - errand->kept[index].size;

    if (bytes.size > room)
        bytes.size = room;
    buffer_append(&errand->kept[index], bytes);
    return 0;
}

static int on_output(void *context, int index, struct bytes bytes)
{
    struct kernel *kernel = context;
    struct errand *errand = &kernel->errand;
    int result;

    errand->written[index] += bytes.size;
    if (errand->outputs[index] == ERRAND_KEEP)
        return keep(errand, index, bytes);
    result = outputs_write(&kernel->outputs, index == 0 ? STREAM_STDOUT : STREAM_STDERR, errand->cell, bytes);
    kernel_heed_congestion(kernel);
    return result;
}

/* What was not kept is not lost in silence. */
static int tell_what_is_missing(struct kernel *kernel)
{
    const struct errand *errand = &kernel->errand;
    uint64_t missing = 0;
    cleanup_free char *note = NULL;

    for (int i = 0; i < 2; i++)
        if (errand->outputs[i] == ERRAND_KEEP)
            missing += errand->written[i] - errand->kept[i].size;
    if (missing == 0)
        return 0;
    note = xasprintf("[safepyrun: the command wrote more than is kept of one: %llu bytes are left out]\n",
                     (unsigned long long)missing);
    return outputs_write(&kernel->outputs, STREAM_STDERR, errand->cell, bytes_of_string(note));
}

static int on_ended(void *context, int wait_status)
{
    struct kernel *kernel = context;
    struct errand *errand = &kernel->errand;
    bool was_signal = WIFSIGNALED(wait_status);
    int status = was_signal ? -WTERMSIG(wait_status) : WEXITSTATUS(wait_status);
    int result = tell_what_is_missing(kernel);

    record(kernel, errand->is_interrupted ? "interrupted" : was_signal ? "killed" : "exited", status);
    finish(kernel, errand->is_interrupted ? ERRAND_INTERRUPTED : ERRAND_RAN, status);
    return result;
}

static void start(struct kernel *kernel)
{
    struct errand *errand = &kernel->errand;
    cleanup_environment struct environment environment = ENVIRONMENT_NONE;
    int result;

    errand_environment_make(errand->policy, &environment);
    errand->state = ERRAND_STATE_RUNS;
    errand->started_ms = loop_now_ms();
    errand->written[0] = errand->written[1] = 0;
    errand->is_interrupted = false;
    result = errand_process_start(&errand->process,
                                  &(struct errand_settings){.text = errand->command,
                                                            .environment = environment.items,
                                                            .folder = errand->folder,
                                                            .joined = errand->outputs[1] == ERRAND_JOIN});
    if (result == 0)
        return;
    record(kernel, "failed", 0);
    buffer_append_string(&errand->kept[1], strerror(-result));
    finish(kernel, ERRAND_FAILED, 0);
}

/* ---- the question ----------------------------------------------------------------------------- */

void errand_append_prompt(const struct kernel *kernel, const char *code, struct buffer *prompt)
{
    const struct errand *errand = &kernel->errand;

    errand_prompt_append(prompt, &(struct errand_words){.command = bytes_of_string(errand->command),
                                                        .folder = bytes_of_string(errand->folder_name),
                                                        .code = code,
                                                        .seconds = errand->seconds});
}

static enum errand_outcome outcome_of(enum question_answer answer)
{
    switch (answer) {
    case ANSWER_LATE:
        return ERRAND_LATE;
    case ANSWER_ENOUGH:
        return ERRAND_ENOUGH;
    case ANSWER_NOBODY:
        return ERRAND_NOBODY;
    case ANSWER_INTERRUPTED:
        return ERRAND_INTERRUPTED;
    default:
        return ERRAND_NO;
    }
}

int errand_answered(struct kernel *kernel, enum question_answer answer)
{
    if (answer == ANSWER_ONCE)
        start(kernel);
    else
        finish(kernel, outcome_of(answer), 0);
    return 0;
}

/* As a word of the shell. */
static void append_word(struct buffer *command, const char *text)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._+-";

    if (text[strspn(text, plain)] == '\0') {
        buffer_append_string(command, text);
        return;
    }
    buffer_append_char(command, '\'');
    for (; *text != '\0'; text++)
        buffer_append_string(command, *text == '\'' ? "'\\''" : (char[]){*text, '\0'});
    buffer_append_char(command, '\'');
}

/* -P, and no PYTHONPATH: a pip.py that a cell put there is not what the person meant. Nor is a program below the folder of
   a cell's choice: the path is absolute. */
static char *command_of(const struct kernel *kernel, const struct errand_asked *asked)
{
    struct buffer command = BUFFER_NONE;
    cleanup_free char *python = spawn_python(kernel->options.python);
    const char *path = getenv("PYTHONPATH");

    if (asked->program != ERRAND_SHELL) {
        buffer_append_string(&command, path != NULL && path[0] != '\0' ? "PYTHONPATH= " : "");
        append_word(&command, python);
        buffer_append_format(&command, " -P -m %s ", errand_program_word(asked->program));
    }
    buffer_append(&command, asked->text);
    return buffer_steal_string(&command);
}

/* It stays the one that is shown, whatever becomes of the path. */
static bool open_folder(struct errand *errand, struct bytes path)
{
    cleanup_free char *name = xstrndup(path.data, path.size);
    char link[64];
    char resolved[PATH_MAX];
    ssize_t size;

    errand->folder = open(name, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (errand->folder < 0)
        return false;
    snprintf(link, sizeof(link), "/proc/self/fd/%d", errand->folder);
    size = readlink(link, resolved, sizeof(resolved));
    if (size <= 0 || size == (ssize_t)sizeof(resolved))
        return false;
    errand->folder_name = xstrndup(resolved, (size_t)size);
    return true;
}

static int ask(struct kernel *kernel, struct request *running, const struct errand_asked *asked)
{
    struct errand *errand = &kernel->errand;
    enum question_answer answer;
    int result;

    if (kernel->restore.tries) {
        finish(kernel, ERRAND_TRIAL, 0);
        return 0;
    }
    if (!open_folder(errand, asked->folder)) {
        finish(kernel, ERRAND_FOLDER, 0);
        return 0;
    }
    errand->command = command_of(kernel, asked);
    result = question_ask_for_errand(kernel, running, bytes_of_string(errand->command), errand->seconds, &answer);
    if (answer != ANSWER_COUNT)
        finish(kernel, outcome_of(answer), 0);
    return result;
}

int errand_take(struct kernel *kernel, const struct frame *frame)
{
    struct errand *errand = &kernel->errand;
    struct request *running = kernel->queue.running;
    struct errand_asked asked;

    if (errand->policy == NULL || errand->state != ERRAND_STATE_NONE || kernel->question.is_open ||
        running == NULL || running->cell != frame->cell || !errand_frame_read(frame, &asked)) {
        guard_process_condemn(&kernel->guard, "it broke the protocol: a command that nobody may be asked about");
        return 0;
    }
    errand->state = ERRAND_STATE_ASKED;
    errand->cell = frame->cell;
    errand->number = xstrndup(asked.number.data, asked.number.size);
    errand->outputs[0] = asked.outputs[0];
    errand->outputs[1] = asked.outputs[1];
    return ask(kernel, running, &asked);
}

/* ---- the end ---------------------------------------------------------------------------------- */

void errand_interrupt(struct kernel *kernel)
{
    if (kernel->errand.state != ERRAND_STATE_RUNS)
        return;
    kernel->errand.is_interrupted = true;
    errand_process_end(&kernel->errand.process);
}

int errand_take_end(struct kernel *kernel, const struct frame *frame)
{
    const struct errand *errand = &kernel->errand;

    if (errand->state == ERRAND_STATE_NONE || !bytes_equal_string(frame->parts[0], errand->number))
        return 0; /* it is over already */
    if (errand->state == ERRAND_STATE_ASKED)
        question_close(kernel, ANSWER_INTERRUPTED);
    else if (!errand->is_interrupted)
        errand_interrupt(kernel);
    return 0;
}

void errand_drop(struct kernel *kernel)
{
    struct errand *errand = &kernel->errand;

    if (errand->state == ERRAND_STATE_RUNS) {
        errand_process_drop(&errand->process);
        record(kernel, "dropped", 0);
    }
    if (errand->state != ERRAND_STATE_NONE)
        forget(errand);
}

void errand_init(struct kernel *kernel)
{
    struct errand_handlers handlers = {.output = on_output, .ended = on_ended, .context = kernel};

    kernel->errand.folder = -1;
    errand_process_init(&kernel->errand.process, kernel->loop, &handlers);
}

void errand_finish(struct kernel *kernel)
{
    errand_drop(kernel);
    policy_free(steal(kernel->errand.policy));
}
