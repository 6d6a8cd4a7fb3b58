#include "guard/guard.h"
#include "guard/audit/ask.h"
#include "guard/audit/audit.h"
#include "guard/configuration.h"
#include "guard/debug/breakpoints.h"
#include "guard/debug/debug.h"
#include "guard/denials.h"
#include "guard/errand.h"
#include "guard/failed.h"
#include "guard/frozen/frozen.h"
#include "guard/frozen/trial.h"
#include "guard/imported.h"
#include "guard/limit_note.h"
#include "guard/policy/verdict.h"
#include "guard/python/aside.h"
#include "guard/python/attribution.h"
#include "guard/python/cell.h"
#include "guard/python/compat.h"
#include "guard/python/error.h"
#include "guard/python/event_loop.h"
#include "guard/python/execute.h"
#include "guard/python/input.h"
#include "guard/python/interrupt.h"
#include "guard/python/introspect.h"
#include "guard/python/json.h"
#include "guard/python/last_line.h"
#include "guard/python/link_end.h"
#include "guard/python/module.h"
#include "guard/python/py_cleanup.h"
#include "guard/python/shell.h"
#include "guard/python/streams.h"
#include "guard/python/subshell.h"
#include "guard/python/variables.h"
#include "guard/refusal.h"
#include "guard/report.h"
#include "guard/ring/ring.h"
#include "guard/rules/rules.h"
#include "guard/start_path.h"
#include "guard/template/arenas.h"
#include "guard/template/template.h"
#include "guard/tool_functions.h"
#include "guard/trusted.h"

#include <sys/prctl.h>
#include <signal.h>

enum { WARM_UP_PAUSE_MS = 5 };

static struct {
    PyObject *shell;
    bool is_forked; /* from a template */
} guard;

static int check_rules(PyObject *ast)
{
    return rules_check(audit_policy(), ast);
}

static const struct cell_hooks hooks = {
    .check = check_rules,
    .compiled = audit_register_user_code,
    .named = breakpoints_name_cell,
    .is_user_code = audit_is_user_code,
    .begin_host_work = audit_begin_host_work,
    .begin_compiling = audit_begin_compiling,
    .end_host_work = audit_end_host_work,
};

/* allowed_globals is what mode = "allow" says of [extra_globals], and of what a run brings along. */
static bool permits_name(const char *name)
{
    const struct policy *policy = audit_policy();

    return !policy->allow_mode || strcmp(name, "input_data") == 0 ||
           string_list_has(&policy->allowed_globals, name);
}

static PyObject *explain_error(uint32_t cell, PyObject *error)
{
    PyObject *words = refusal_note(cell, error);

    return words != NULL || PyErr_Occurred() != NULL ? words : limit_note(error);
}

static const struct execute_hooks execute_hooks = {
    .permits_name = permits_name,
    .before_error = refusal_show,
    .before_reply = denials_settle,
    .explain = explain_error,
    .begin_trial = trial_begin,
    .end_trial = trial_end,
};

void guard_fail(int link_fd, const char *reason)
{
    if (link_end_open(link_fd) < 0)
        _exit(1);
    failed(reason);
}

static void configure(struct configuration *ret_configuration)
{
    struct frame frame;
    cleanup_free char *problem = NULL;

    if (link_end_receive(&frame) < 0)
        failed_with_exception("read its configuration");
    if (frame.type != FRAME_CONFIGURE)
        failed("the kernel process sent a request before the configuration");
    if (configuration_read(&frame, ret_configuration, &problem) < 0)
        failed(problem);
}

static int add_names(PyObject *names)
{
    cleanup_py PyObject *space = PyObject_GetAttrString(guard.shell, "namespace");

    return space != NULL ? PyDict_Update(space, names) : -1;
}

/* The order matters: streams before the shell, which may print; threads after everything else. */
static int warm_up(const struct configuration *configuration)
{
    interrupt_watch_link(link_end_fd());
    if (last_line_start(link_end_fd()) < 0 || interrupt_start() < 0 || attribution_start() < 0 || streams_start() < 0 ||
        json_start() < 0 || input_start() < 0)
        return -1;
    guard.shell = shell_start(configuration->shell);
    if (guard.shell == NULL || cell_start(&hooks, guard.shell) < 0)
        return -1;
    if (refusal_start() < 0 || frozen_load() < 0 || trial_start(guard.shell) < 0)
        return -1;
    execute_start(guard.shell, &execute_hooks);
    introspect_start(guard.shell);
    debug_start(guard.shell);
    if (variables_start(guard.shell) < 0 || aside_start(link_end_fd(), guard.shell) < 0)
        return -1;
    return attribution_patch_threads();
}

/* Right after the hook is armed, so that the sealed policy counts; no code of the user's has run. */
static void close_ring(struct ring_report *ret_report)
{
    cleanup_free char *problem = NULL;
    cleanup_free char *gaps = NULL;

    if (ring_close(audit_policy(), ret_report, &problem) < 0)
        failed(problem);
    if (ret_report->proxied)
        verdict_network_is_proxied();
    report_ring(ret_report);
    gaps = ring_report_gaps(ret_report);
    if (gaps[0] != '\0')
        link_end_post(&(struct frame){FRAME_LOG, 0, 2,
                                      (struct bytes[]){BYTES_LITERAL("warning"),
                                                       bytes_of_string(gaps)}});
}

static void say_ready(const struct ring_report *ring)
{
    cleanup_py PyObject *content = shell_describe(guard.shell);
    cleanup_py PyObject *preset =
        PyUnicode_FromString(policy_preset_name(audit_policy()->preset));
    cleanup_py PyObject *limits = report_limits();
    cleanup_py PyObject *broker = PyLong_FromLong(ring_broker_pid());
    cleanup_py PyObject *starter = PyLong_FromLong(trusted_starter());
    cleanup_py PyObject *warm = report_warm();
    cleanup_py PyObject *ask = report_ask();
    cleanup_py PyObject *outputs = PyUnicode_FromString(audit_policy()->passive_outputs ? "passive" : "any");
    cleanup_py PyObject *text = NULL;
    cleanup_buffer struct buffer ring_json = BUFFER_NONE;
    Py_ssize_t size;
    char *data;

    ring_report_encode(ring, &ring_json);
    if (content != NULL && preset != NULL && limits != NULL && broker != NULL && starter != NULL && warm != NULL && ask != NULL && outputs != NULL &&
        PyDict_SetItemString(content, "outputs", outputs) == 0 &&
        PyDict_SetItemString(content, "preset", preset) == 0 &&
        PyDict_SetItemString(content, "limits", limits) == 0 &&
        PyDict_SetItemString(content, "broker_pid", broker) == 0 &&
        PyDict_SetItemString(content, "starter_pid", starter) == 0 &&
        PyDict_SetItemString(content, "warm", warm) == 0 && PyDict_SetItemString(content, "ask", ask) == 0)
        text = json_encode(content);
    if (text == NULL || PyBytes_AsStringAndSize(text, &data, &size) < 0)
        failed_with_exception("say that it is ready");
    link_end_post(&(struct frame){FRAME_READY, 0, 2,
                                  (struct bytes[]){{data, (size_t)size}, buffer_bytes(&ring_json)}});
    module_release_log();
    denials_start();
}

/* No finalisation of the interpreter: a thread of a cell that never ends would hold it up, and the
   kernel process gives us one second. What libraries registered with atexit has run. */
static void __attribute__((noreturn)) shut_down(const struct frame *frame)
{
    (void)frame;
    event_loop_finish();
    shell_shut_down(guard.shell);
    streams_flush_all();
    link_end_close();
    _exit(0);
}

static void ignore(const struct frame *frame)
{
    (void)frame; /* the answer to a question that was interrupted */
}

static void (*const handlers[FRAME_TYPE_COUNT])(const struct frame *frame) = {
    [FRAME_EXECUTE] = execute_request,
    [FRAME_COMPLETE] = introspect_request,
    [FRAME_INSPECT] = introspect_request,
    [FRAME_IS_COMPLETE] = introspect_request,
    [FRAME_VARIABLES] = variables_request,
    [FRAME_DEBUG] = debug_request,
    [FRAME_COMM_OPEN_REQUEST] = introspect_comm,
    [FRAME_COMM_MSG_REQUEST] = introspect_comm,
    [FRAME_COMM_CLOSE_REQUEST] = introspect_comm,
    [FRAME_INPUT_REPLY] = ignore,
    [FRAME_ANSWER] = ignore,
    [FRAME_CONFIGURE] = ignore,
    [FRAME_FREEZE] = frozen_freeze,
    [FRAME_THAW] = frozen_thaw,
    [FRAME_SHUTDOWN] = shut_down,
};

/* In the thread of a subshell. What is the main thread's alone does not come here. */
static void handle_in_subshell(const struct frame *frame)
{
    switch (frame->type) {
    case FRAME_EXECUTE:
    case FRAME_COMPLETE:
    case FRAME_INSPECT:
    case FRAME_IS_COMPLETE:
    case FRAME_VARIABLES:
    case FRAME_COMM_OPEN_REQUEST:
    case FRAME_COMM_MSG_REQUEST:
    case FRAME_COMM_CLOSE_REQUEST:
        handlers[frame->type](frame);
        if (event_loop_is_loaded())
            interrupt_wake(); /* what it has given to the main thread's loop, or set there */
        break;
    default:
        break; /* an answer to a question that was given up */
    }
}

static int receive(struct frame *ret_frame)
{
    /* A subshell wakes the loop, which may have had nothing to do before. */
    while (event_loop_is_loaded() && !link_end_has_input())
        if (event_loop_idle(link_end_fd()) < 0 || (!link_end_has_input() && link_end_wait() < 0))
            return -1;
    return link_end_receive(ret_frame);
}

/* The first request often waits in the kernel process: it comes as soon as that has heard READY. */
static bool request_comes(void)
{
    return link_end_has_input_within(WARM_UP_PAUSE_MS);
}

static void __attribute__((noreturn)) serve(void)
{
    subshell_set_handler(handle_in_subshell);
    shell_warm_up(guard.shell, request_comes);
    if (audit_policy()->preset != POLICY_OPEN)
        audit_load_modules();
    for (;;) {
        struct frame frame;

        if (receive(&frame) < 0) {
            error_print("waiting for the next request");
            continue;
        }
        interrupt_begin_request();
        debug_begin(frame.type);
        handlers[frame.type](&frame);
        debug_end();
        audit_end_tracing();
        aside_catch_up();
        if (audit_policy()->templates)
            imported_tell();
    }
}

/* The module has them already where it was loaded as one. */
static int add_tool_functions(void)
{
    cleanup_py PyObject *module = PyImport_ImportModule("safepyrun._guard");

    return module != NULL ? tool_functions_add(module) : -1;
}

/* What needs no link and no policy. */
static void import_own_files(const char *library_directory)
{
    const char *missing = NULL;
    cleanup_free char *reason = NULL;

    if (compat_init(&missing) != 0) {
        reason = xasprintf("this Python has no %s, which the guard needs", missing);
        failed(reason);
    }
    if (shell_import_glue(library_directory) < 0 ||
        (library_directory != NULL && add_tool_functions() < 0))
        failed_with_exception("import its own Python files");
}

/* From CONFIGURE on. A policy is read here alone, so here it is that it can say no to where we come from. */
static void __attribute__((noreturn)) start(int link_fd, const char *host)
{
    struct configuration configuration = {.shell = NULL};
    cleanup_py PyObject *names = NULL;
    struct ring_report ring;
    int bell;

    configure(&configuration);
    if (guard.is_forked && !configuration.policy->templates)
        failed("the policy wants no template");
    if (start_path_begin(configuration.policy) < 0)
        failed_with_exception("find installed packages");
    bell = trusted_fork_tools(configuration.policy, link_fd);
    ring_prepare(configuration.policy);
    names = trusted_run(&configuration, bell);
    if (report_start(host, configuration.result.paths) < 0 || errand_start() < 0)
        failed_with_exception("describe itself");
    if (warm_up(&configuration) < 0 || add_names(names) < 0)
        failed_with_exception("start its shell");
    ask_start();
    if (audit_arm(steal(configuration.policy), link_fd) < 0)
        failed_with_exception("arm itself");
    close_ring(&ring);
    if (start_path_end() < 0 || shell_open_cwd() < 0)
        failed_with_exception("set the path of modules");
    configuration_finish(&configuration);
    say_ready(&ring);
    serve();
}

static const char *host_of(const char *library_directory)
{
    return library_directory != NULL ? "embedded" : "module";
}

void guard_serve(int link_fd, const char *library_directory)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    ring_close_inherited(link_fd);
    if (frozen_start(link_fd) < 0 || link_end_open(link_fd) < 0)
        _exit(1);
    import_own_files(library_directory);
    start(link_fd, host_of(library_directory));
}

void guard_be_template(const struct template_settings *settings, const char *library_directory)
{
    int link_fd;

    import_own_files(library_directory);
    arenas_gather();
    if (start_path_begin(NULL) < 0 || template_warm_up(settings) < 0) {
        PyErr_Print();
        _exit(1);
    }
    link_fd = template_wait(settings);
    guard.is_forked = true;
    ring_close_inherited(link_fd);
    if (frozen_start(link_fd) < 0 || link_end_open(link_fd) < 0)
        _exit(1);
    start(link_fd, host_of(library_directory));
}
