#include "kernel/kernel.h"

#include "kernel/execution/account.h"
#include "kernel/execution/from_guard.h"
#include "kernel/execution/guard_death.h"
#include "kernel/execution/guard_ready.h"
#include "kernel/execution/hurry.h"
#include "kernel/execution/main_shell.h"
#include "kernel/execution/warm.h"
#include "kernel/opening.h"
#include "kernel/requests/requests.h"
#include "kernel/signals.h"
#include "kernel/supervisor/private_directory.h"
#include "kernel/supervisor/spawn.h"
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
    int result = subshells_suspend(kernel, "GuardDied", "a fresh interpreter starts");

    if (result != 0)
        return result;
    guard_process_stop(&kernel->guard, 0);
    /* Frontends take a new session for a new kernel, which is what the user has now. */
    session_finish(&kernel->channels.session);
    session_init(&kernel->channels.session);
    kernel->execution_count = 0;
    history_end_session(kernel->history);
    comms_clear(kernel->comms);
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

    return channels_end_round(&kernel->channels, kernel->queue.running != NULL && kernel->queue.first != NULL);
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
        return main_shell_interrupt(kernel);
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
    opening_make_records(kernel);
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

/* The guard is the first to begin: it needs longer than our sockets do. */
static int start(struct kernel *kernel, char **ret_error)
{
    struct channel_handlers handlers = {
        .message = on_message, .welcome = on_welcome, .context = kernel};
    bool is_asked;

    if (opening_connection(kernel, ret_error) != 0)
        return 1;
    if (opening_audit_log(kernel, ret_error) != 0)
        return 1;
    kernel->private_directory = private_directory_make(ret_error);
    if (kernel->private_directory == NULL)
        return 1;
    opening_policy(kernel);
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
