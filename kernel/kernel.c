#include "kernel/kernel.h"

#include "kernel/config/session_policy.h"
#include "kernel/execution/account.h"
#include "kernel/execution/from_guard.h"
#include "kernel/execution/guard_death.h"
#include "kernel/execution/guard_ready.h"
#include "kernel/execution/hurry.h"
#include "kernel/execution/warm.h"
#include "kernel/requests/requests.h"
#include "kernel/signals.h"
#include "kernel/supervisor/private_directory.h"
#include "kernel/supervisor/spawn.h"
#include "kernel/wire/gateway_file.h"
#include "kernel/wire/json_text.h"

#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

enum {
    GUARD_STOP_MS = 1000,                 /* managers wait 2.5 s before they kill */
    RESUME_MS = 5,
    HISTORY_RETRY_MS = 5000,
    END_DELAY_MS = 100,
};

static int on_message(void *context, enum channel channel, struct message *message)
{
    struct kernel *kernel = context;

    if (channel == CHANNEL_STDIN)
        return requests_input_reply(kernel, message);
    return requests_dispatch(kernel, channel, message);
}

/* JEP 65: the first thing that a subscriber hears. Its topic is the subscription itself. */
static void on_welcome(void *context, struct bytes subscription)
{
    struct kernel *kernel = context;
    cleanup_buffer struct buffer content = BUFFER_NONE;

    buffer_append_string(&content, "{\"subscription\":");
    json_text_append_string(&content, subscription);
    buffer_append_char(&content, '}');
    channels_publish_topic(&kernel->channels, subscription,
                           &(struct outgoing){.msg_type = "iopub_welcome",
                                              .content = buffer_bytes(&content)});
}

struct request *kernel_running(struct kernel *kernel, uint32_t cell)
{
    struct request *running = kernel->queue.running;

    return running != NULL && running->cell == cell ? running : subshells_running(kernel, cell);
}

/* The guard gets to work first; its answers are read when what is published here is on its way. */
static int run_request(struct kernel *kernel, struct request *request)
{
    kernel->queue.running = request;
    request->cell = cells_add(kernel->cells, request->message->header, request->execute.silent);
    restore_before_request(kernel, request);
    return kernel_run_again(kernel);
}

int kernel_run_again(struct kernel *kernel)
{
    struct request *request = kernel->queue.running;
    int result = request->type->run(kernel, request);

    if (result != 0 || kernel->queue.running != request)
        return result; /* it is closed already */
    if (!kernel->restore.waits) {
        limits_begin(&kernel->limits, request->execute.deadline_seconds);
        restore_note_request(kernel, request);
        hurry_begin(kernel);
    }
    return request_open(request);
}

int kernel_run_next(struct kernel *kernel)
{
    int result = 0;

    while (result == 0 && kernel->guard.state == GUARD_READY && kernel->queue.running == NULL && !comm_order_holds(kernel)) {
        struct request *request = queue_pop(&kernel->queue);

        if (request == NULL) {
            restore_when_idle(kernel);
            return 0;
        }
        result = request->is_cancelled ? request_abort(request) : run_request(kernel, request);
    }
    return result;
}

bool kernel_runs_cell(const struct kernel *kernel)
{
    const struct request *running = kernel->queue.running;

    return running != NULL && (running->type == &execute_request || running->type->reply_type == NULL);
}

int kernel_abort_queued(struct kernel *kernel)
{
    int result = channels_read_shell(&kernel->channels);

    return result == 0 ? queue_abort_executes(&kernel->queue) : result;
}

int kernel_interrupt(struct kernel *kernel)
{
    const struct request *running = kernel->queue.running;
    /* What was sent before the interrupt is stopped by it, though it came on another socket. */
    int result = channels_read_shell(&kernel->channels);

    if (result != 0)
        return result;
    /* Not a cell that reading has just started: nothing ran when the interrupt came. */
    subshells_interrupt_comms(kernel);
    if (running == NULL || running != kernel->queue.running) {
        result = queue_abort_executes(&kernel->queue);
        return result != 0 ? result : kernel_run_next(kernel); /* behind a cell that had to wait */
    }
    queue_cancel_executes(&kernel->queue);
    if (deaf_take_interrupt(kernel))
        return 0;
    guard_process_interrupt(&kernel->guard);
    kernel->question.interrupted_cell = running->cell;
    question_close(kernel, ANSWER_INTERRUPTED); /* after the signal: the guard looks for it */
    errand_interrupt(kernel);
    return 0;
}

void kernel_end_after_death(struct kernel *kernel)
{
    kernel->exit_status = 1;
    loop_timer_start(&kernel->end_timer, END_DELAY_MS);
}

void kernel_shut_down(struct kernel *kernel)
{
    kernel->is_shutting_down = true;
    loop_stop(kernel->loop);
}

/* Whether a template makes it meanwhile. */
static bool ask_for_guard(struct kernel *kernel)
{
    cleanup_free char *template = warm_socket(kernel);

    return template != NULL && guard_process_ask(&kernel->guard, template, kernel->private_directory);
}

static void start_guard(struct kernel *kernel)
{
    guard_process_start(&kernel->guard,
                        &(struct guard_settings){
                            .python = kernel->options.python,
                            .shell = kernel->options.shell,
                            .policy = buffer_bytes(&kernel->policy),
                            .policy_files = &kernel->policy_files,
                            .private_directory = kernel->private_directory,
                        });
    warm_watch(kernel);
    if (kernel->guard.state == GUARD_FAILED)
        log_error("%s", kernel->guard.failure);
}

static int publish_starting(struct kernel *kernel)
{
    return channels_publish(
        &kernel->channels,
        &(struct outgoing){.msg_type = "status",
                           .content = BYTES_LITERAL("{\"execution_state\":\"starting\"}")});
}

int kernel_respawn(struct kernel *kernel)
{
    subshells_suspend(kernel, "GuardDied", "a fresh interpreter starts");
    guard_process_stop(&kernel->guard, 0);
    /* Frontends take a new session for a new kernel, which is what the user has now. */
    session_finish(&kernel->channels.session);
    session_init(&kernel->channels.session);
    kernel->execution_count = 0;
    ask_for_guard(kernel);
    start_guard(kernel);
    return publish_starting(kernel);
}

static int on_ready(void *context, const struct frame *frame)
{
    return guard_ready_take(context, frame);
}

static int on_frame(void *context, const struct frame *frame)
{
    return from_guard_frame(context, frame);
}

static int on_output(void *context, enum frame_type stream, struct bytes bytes)
{
    return from_guard_output(context, stream, bytes);
}

static int on_ended(void *context)
{
    if (warm_has_failed(context)) {
        start_guard(context);
        return 0;
    }
    return guard_death_take(context);
}

void kernel_heed_congestion(struct kernel *kernel)
{
    bool congested = iopub_is_congested(&kernel->channels.iopub);

    guard_process_set_paused(&kernel->guard, congested);
    errand_process_set_paused(&kernel->errand.process, congested);
    if (congested)
        loop_timer_start(&kernel->resume_timer, RESUME_MS);
}

static int on_resume(void *context)
{
    kernel_heed_congestion(context);
    return 0;
}

static int on_round_end(void *context)
{
    struct kernel *kernel = context;

    return channels_flush(&kernel->channels);
}

static int on_end_timer(void *context)
{
    kernel_shut_down(context);
    return 0;
}

static int on_history(void *context)
{
    struct kernel *kernel = context;
    cleanup_free char *warning = NULL;

    history_flush(kernel->history);
    warning = history_take_warning(kernel->history);
    if (warning != NULL)
        log_warning("%s", warning);
    if (history_is_pending(kernel->history))
        loop_timer_start(&kernel->history_timer, HISTORY_RETRY_MS);
    return 0;
}

/* SIGINT is a request to interrupt (kernelspecs with interrupt_mode "signal"); the others end us. */
static int on_signal(void *context)
{
    struct kernel *kernel = context;
    int number = signals_read(&kernel->signal_source);

    if (number == 0)
        return 0;
    log_info("received signal %d", number);
    if (number == SIGINT)
        return kernel_interrupt(kernel);
    kernel_shut_down(kernel);
    return 0;
}

static int on_parent_end(void *context)
{
    struct kernel *kernel = context;

    log_info("the launcher has ended");
    kernel_shut_down(kernel);
    return 0;
}

/*
 * A pidfd instead of asking once a second: an idle kernel sleeps. The launcher may be no parent of
 * ours (a wrapper between us); without JPY_PARENT_PID, or when it names nobody, a kernel lives on
 * its own.
 */
static void watch_parent(struct kernel *kernel)
{
    const char *pid = getenv("JPY_PARENT_PID");
    int fd = pid != NULL && atoi(pid) > 1 ? (int)syscall(SYS_pidfd_open, atoi(pid), 0) : -1;

    kernel->parent_source = (struct loop_source){
        .fd = fd, .events = POLLIN, .callback = on_parent_end, .context = kernel};
    if (fd >= 0)
        loop_add(kernel->loop, &kernel->parent_source);
}

/* It may lie inside of a write root: in the home folder, say. */
static void protect_audit_log(struct policy *policy, const char *path)
{
    cleanup_free char *old = path != NULL ? xasprintf("%s.1", path) : NULL;

    if (path == NULL)
        return;
    policy_add_read_only(policy, path);
    policy_add_read_only(policy, old);
}

/*
 * A file that was named on our own command line and cannot be read ends us; launchers show that. What is
 * wrong in any of them is found by the guard, and told by every cell.
 */
static int prepare_policy(struct kernel *kernel, char **ret_error)
{
    const char *problem;
    cleanup_policy struct policy *policy = NULL;

    policy_sources_read(kernel->options.policy_file, &kernel->policy_files);
    problem = policy_sources_problem(&kernel->policy_files, "argument");
    if (problem != NULL) {
        *ret_error = xasprintf("the policy file %s %s", kernel->options.policy_file, problem);
        return 1;
    }
    policy = session_policy_new(&kernel->options, &kernel->policy_files, kernel->private_directory);
    protect_audit_log(policy, kernel->audit_log_path);
    policy_encode(policy, &kernel->policy);
    return 0;
}

static struct history *open_history(const char *path)
{
    cleanup_free char *usual = path == NULL ? history_default_path() : NULL;

    return history_new(path != NULL ? path : usual);
}

/* Owned by the caller; NULL: none is kept. */
static char *audit_log_path(const struct options *options)
{
    const char *path = options->audit_log;

    if (path == NULL)
        return audit_log_default_path();
    return strcmp(path, "none") != 0 ? xstrdup(path) : NULL;
}

/* A record that was asked for and is not kept must not go unnoticed; the usual one may be missing. */
static int open_audit_log(struct kernel *kernel, char **ret_error)
{
    int result = audit_log_open(kernel->audit_log);

    if (result == 0)
        return 0;
    if (kernel->options.audit_log == NULL) {
        log_warning("no audit log is kept: %s", strerror(-result));
        return 0;
    }
    *ret_error = xasprintf("cannot open the audit log %s: %s", kernel->options.audit_log,
                           strerror(-result));
    return 1;
}

static int on_tool_record(void *context, struct bytes record)
{
    account_tool(context, record);
    return 0;
}

static const struct guard_handlers handlers_of_guard = {.ready = on_ready,
                                                        .frame = on_frame,
                                                        .output = on_output,
                                                        .tool_record = on_tool_record,
                                                        .ended = on_ended};

static void init_parts(struct kernel *kernel)
{
    struct guard_handlers handlers = handlers_of_guard;

    handlers.context = kernel;
    kernel->loop = loop_new();
    kernel->cells = cells_new();
    kernel->comms = comms_new();
    kernel->history = open_history(kernel->options.history_file);
    kernel->audit_log_path = audit_log_path(&kernel->options);
    kernel->audit_log = audit_log_new(kernel->audit_log_path, AUDIT_LOG_BYTES_MAX);
    kernel->python_version = spawn_python_version(kernel->options.python);
    kernel->resume_timer = (struct loop_timer){.callback = on_resume, .context = kernel};
    kernel->history_timer = (struct loop_timer){.callback = on_history, .context = kernel};
    loop_add_timer(kernel->loop, &kernel->resume_timer);
    loop_add_timer(kernel->loop, &kernel->history_timer);
    kernel->question_timer = (struct loop_timer){.callback = question_time_out, .context = kernel};
    loop_add_timer(kernel->loop, &kernel->question_timer);
    kernel->end_timer = (struct loop_timer){.callback = on_end_timer, .context = kernel};
    loop_add_timer(kernel->loop, &kernel->end_timer);
    outputs_init(&kernel->outputs, kernel->loop, &kernel->channels, kernel->cells);
    guard_process_init(&kernel->guard, kernel->loop, &handlers);
    limits_init(&kernel->limits, kernel->loop, &kernel->guard);
    restore_init(kernel);
    deaf_init(kernel);
    aside_init(kernel);
    errand_init(kernel);
    hurry_init(kernel);
    subshells_init(kernel);
    comm_order_init(kernel);
}

static int read_connection(struct kernel *kernel, char **ret_error)
{
    const struct options *options = &kernel->options;
    struct gateway_launch launch = {.response_address = options->response_address,
                                    .public_key = options->public_key,
                                    .kernel_id = options->kernel_id,
                                    .port_range = options->port_range,
                                    .transport_encryption = options->transport_encryption};

    if (options->response_address != NULL)
        return gateway_file_make(&launch, &kernel->connection_file, ret_error);
    return connection_file_read(options->connection_file, &kernel->connection_file, ret_error);
}

/* The guard is the first to begin: it needs longer than our sockets do. */
static int start(struct kernel *kernel, char **ret_error)
{
    struct channel_handlers handlers = {
        .message = on_message, .welcome = on_welcome, .context = kernel};
    bool is_asked;

    if (read_connection(kernel, ret_error) != 0)
        return 1;
    if (open_audit_log(kernel, ret_error) != 0)
        return 1;
    kernel->private_directory = private_directory_make(ret_error);
    if (kernel->private_directory == NULL || prepare_policy(kernel, ret_error) != 0)
        return 1;
    warm_init(kernel);
    /* Before the sockets: a signal is older than the request beside it. */
    signals_watch(kernel->loop, &kernel->signal_source, on_signal, kernel);
    is_asked = ask_for_guard(kernel);
    if (!is_asked)
        start_guard(kernel);
    if (channels_open(&kernel->channels, kernel->loop, &kernel->connection_file, &handlers,
                      ret_error) != 0)
        return 1;
    if (is_asked)
        start_guard(kernel);
    loop_set_round_end(kernel->loop, on_round_end, kernel);
    watch_parent(kernel);
    return publish_starting(kernel) != 0;
}

static void finish(struct kernel *kernel)
{
    errand_finish(kernel);
    /* What nobody will answer any more is answered now. */
    if (kernel->channels.zmq_context != NULL) {
        aside_give_up(kernel, "the kernel is shutting down");
        debugger_end_request(kernel);
        subshells_end(kernel, "KernelShutdown", "the kernel is shutting down");
        queue_refuse_all(&kernel->queue, "KernelShutdown", "the kernel is shutting down");
        channels_flush(&kernel->channels);
    }
    copies_finish(&kernel->copies);
    guard_process_stop(&kernel->guard, kernel->is_shutting_down ? GUARD_STOP_MS : 0);
    guard_process_finish(&kernel->guard);
    limits_finish(&kernel->limits);
    outputs_finish(&kernel->outputs);
    channels_close(&kernel->channels, &kernel->connection_file);
    history_free(kernel->history);
    audit_log_end_session(kernel->audit_log, "shutdown");
    audit_log_free(kernel->audit_log);
    free(kernel->audit_log_path);
    usage_finish(&kernel->usage);
    question_finish(&kernel->question);
    debugger_finish(&kernel->debugger);
    templates_finish(&kernel->templates);
    private_directory_remove(kernel->private_directory);
    cells_free(kernel->cells);
    comms_free(kernel->comms);
    connection_file_finish(&kernel->connection_file);
    options_finish(&kernel->options);
    buffer_finish(&kernel->policy);
    policy_sources_finish(&kernel->policy_files);
    free(kernel->python_version);
    free(kernel->banner);
    free(kernel->os_ring);
    loop_free(kernel->loop);
}

/* Nobody else may look into this process: it holds the key. Its orphans come to it, to be ended. */
static void protect_process(void)
{
    prctl(PR_SET_DUMPABLE, 0);
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    signals_block(); /* before libzmq starts its thread */
}

int kernel_run(struct options *options)
{
    struct kernel kernel = {.options = *options};
    cleanup_free char *error = NULL;
    int result;

    protect_process();
    if (options->ignored.size != 0)
        log_info("ignored arguments:%.*s", (int)options->ignored.size, options->ignored.data);
    init_parts(&kernel);
    result = start(&kernel, &error);
    if (result != 0) {
        log_error("%s", error != NULL ? error : "cannot start");
        fprintf(stderr, "safepyrun: %s\n", error != NULL ? error : "cannot start");
    } else {
        result = loop_run(kernel.loop);
        if (result < 0)
            log_error("fault: %s", strerror(-result));
    }
    finish(&kernel);
    return result != 0 ? 1 : kernel.exit_status;
}
