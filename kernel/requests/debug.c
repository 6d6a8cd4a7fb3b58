/*
 * debug_request: messaging 5.6, "Debug request" (JEP 47, JEP 93, JEP 31)
 *
 * What needs no interpreter is answered here, at any time. What looks at a cell that stands still goes to it at
 * once; what looks at variables waits for its turn when nothing stands still, and is refused while a cell runs.
 */
#include "guard/link/murmur.h"
#include "kernel/execution/account.h"
#include "kernel/execution/main_shell.h"
#include "kernel/kernel.h"
#include "kernel/requests/requests.h"
#include "kernel/wire/json_text.h"

enum {
    BREAKPOINTS_MAX = 1000,   /* of one source */
    SETTINGS_BYTES_MAX = 1 << 20, /* as JSON: of one request, and of all breakpoints that are kept */
};

/* Borrowed from the content; an empty object when there are none. */
static struct bytes arguments_of(const struct request *request)
{
    struct bytes arguments;

    if (!json_text_member(request_content(request), "arguments", &arguments) ||
        !json_text_is_object(arguments, JSON_TEXT_LENIENT))
        return BYTES_LITERAL("{}");
    return arguments;
}

/* New, or NULL: what is too long, or what jansson does not read (a lone surrogate in a condition), is no breakpoint. */
static json_t *load_arguments(const struct request *request)
{
    struct bytes arguments = arguments_of(request);

    return arguments.size <= SETTINGS_BYTES_MAX ? json_loadb(arguments.data, arguments.size, 0, NULL) : NULL;
}

static int reply_json(struct request *request, json_t *body)
{
    cleanup_free char *text = body != NULL ? json_dumps(body, JSON_COMPACT) : NULL;

    json_decref(body);
    if (text == NULL)
        return debugger_refuse(request, "the answer cannot be written");
    return debugger_reply(request, bytes_of_string(text));
}

/* ---- the session ------------------------------------------------------------------------------ */

static int initialize(struct kernel *kernel, struct request *request)
{
    (void)kernel;
    return reply_json(
        request,
        json_pack("{sb sb sb sb sb s[{ss ss sb}{ss ss sb}]}", "supportsConfigurationDoneRequest", 1,
                  "supportsConditionalBreakpoints", 1, "supportsSetVariable", 1,
                  "supportsEvaluateForHovers", 1, "supportsModulesRequest", 1,
                  "exceptionBreakpointFilters", "filter", "raised", "label", "Raised Exceptions",
                  "default", 0, "filter", "uncaught", "label", "Uncaught Exceptions", "default", 0));
}

static int attach(struct kernel *kernel, struct request *request)
{
    int result;

    kernel->debugger.is_attached = true;
    debugger_send_settings(kernel);
    result = request_open(request);
    if (result == 0)
        result = debugger_publish(kernel, request, "initialized", "{}");
    return result != 0 ? result : debugger_reply(request, BYTES_NONE);
}

/* A cell that stands still goes on when it hears that nobody is attached any more. */
static int disconnect(struct kernel *kernel, struct request *request)
{
    struct debugger *debugger = &kernel->debugger;

    debugger->is_attached = false;
    json_decref(debugger->breakpoints);
    json_decref(debugger->filters);
    debugger->breakpoints = debugger->filters = NULL;
    debugger_send_settings(kernel);
    return debugger_reply(request, BYTES_NONE);
}

static json_t *breakpoints_by_source(const struct debugger *debugger)
{
    json_t *list = json_array();
    const char *path;
    json_t *lines;

    json_object_foreach(debugger->breakpoints, path, lines)
        json_array_append_new(list, json_pack("{ss sO}", "source", path, "breakpoints", lines));
    return list;
}

static int debug_info(struct kernel *kernel, struct request *request)
{
    const struct debugger *debugger = &kernel->debugger;
    cleanup_free char *prefix = debugger_prefix(kernel);
    json_t *stopped = json_array();

    if (debugger->is_stopped)
        json_array_append_new(stopped, json_integer(1));
    return reply_json(request,
                      json_pack("{sb ss si ss ss so so sb s[s] sb}", "isStarted", debugger->is_attached,
                                "hashMethod", "Murmur2", "hashSeed", MURMUR_SEED, "tmpFilePrefix",
                                prefix, "tmpFileSuffix", DEBUGGER_SUFFIX, "breakpoints",
                                breakpoints_by_source(debugger), "stoppedThreads", stopped,
                                "richRendering", 1, "exceptionPaths", "Python Exceptions",
                                "copyToGlobals", 1));
}

static int nothing(struct kernel *kernel, struct request *request)
{
    (void)kernel;
    return debugger_reply(request, BYTES_NONE);
}

/* Threads of a cell's own are not debugged. */
static int threads(struct kernel *kernel, struct request *request)
{
    (void)kernel;
    return debugger_reply(request,
                          BYTES_LITERAL("{\"threads\":[{\"id\":1,\"name\":\"MainThread\"}]}"));
}

/* What a person has the interpreter run is on record as cells are. */
static void record(struct kernel *kernel, const char *command, struct bytes source)
{
    const struct request *running = kernel->queue.running;

    audit_log_debugger(kernel->audit_log, running != NULL ? running->execute.execution_count : 0, command,
                       source);
    account_warn(kernel);
}

static void record_argument(struct kernel *kernel, const struct request *request, const char *command,
                            const char *name)
{
    cleanup_buffer struct buffer source = BUFFER_NONE;
    struct bytes value;

    if (json_text_member(arguments_of(request), name, &value) && json_text_string(value, &source))
        record(kernel, command, buffer_bytes(&source));
}

/* ---- breakpoints ------------------------------------------------------------------------------ */

/* No file is written: the name is what both sides compute from the text. */
static int dump_cell(struct kernel *kernel, struct request *request)
{
    cleanup_free char *prefix = debugger_prefix(kernel);
    cleanup_free char *path = NULL;
    cleanup_buffer struct buffer code = BUFFER_NONE;
    struct bytes value;

    if (!json_text_member(arguments_of(request), "code", &value) || !json_text_string(value, &code))
        return debugger_refuse(request, "dumpCell needs a code");
    path = xasprintf("%s%u" DEBUGGER_SUFFIX, prefix, murmur2(buffer_bytes(&code), MURMUR_SEED));
    return reply_json(request, json_pack("{ss}", "sourcePath", path));
}

/* As they were asked for, each with its place; NULL when one of them is none. */
static json_t *describe_breakpoints(const json_t *asked, const char *path)
{
    json_t *list = json_array();
    json_t *breakpoint;
    size_t i;

    json_array_foreach(asked, i, breakpoint)
    {
        json_t *line = json_object_get(breakpoint, "line");

        if (!json_is_integer(line) || json_integer_value(line) < 1 ||
            json_integer_value(line) > INT32_MAX) {
            json_decref(list);
            return NULL;
        }
        json_array_append_new(list, json_pack("{si sb sO s{ss}}", "id", (int)i, "verified", 1, "line",
                                              line, "source", "path", path));
    }
    return list;
}

static void record_conditions(struct kernel *kernel, const json_t *asked)
{
    json_t *breakpoint;
    size_t i;

    json_array_foreach(asked, i, breakpoint)
    {
        const char *condition = json_string_value(json_object_get(breakpoint, "condition"));

        if (condition != NULL && condition[0] != '\0')
            record(kernel, "setBreakpoints", bytes_of_string(condition));
    }
}

static int keep_breakpoints(struct kernel *kernel, struct request *request, const char *path,
                            json_t *asked)
{
    struct debugger *debugger = &kernel->debugger;
    json_t *described = describe_breakpoints(asked, path);

    if (described == NULL)
        return debugger_refuse(request, "a breakpoint needs a line");
    if (debugger->breakpoints == NULL)
        debugger->breakpoints = json_object();
    if (json_array_size(asked) == 0)
        json_object_del(debugger->breakpoints, path);
    else
        json_object_set(debugger->breakpoints, path, asked);
    record_conditions(kernel, asked);
    debugger_send_settings(kernel);
    return reply_json(request, json_pack("{so}", "breakpoints", described));
}

/* They are kept as they came, and sent to each guard. */
static bool has_room(const struct debugger *debugger, const json_t *asked)
{
    return json_dumpb(debugger->breakpoints, NULL, 0, JSON_COMPACT) + json_dumpb(asked, NULL, 0, JSON_COMPACT) <=
           SETTINGS_BYTES_MAX;
}

static int set_breakpoints(struct kernel *kernel, struct request *request)
{
    json_t *arguments = load_arguments(request);
    json_t *asked = json_object_get(arguments, "breakpoints");
    const char *path = json_string_value(json_object_get(json_object_get(arguments, "source"), "path"));
    int result;

    if (path == NULL || !json_is_array(asked) || json_array_size(asked) > BREAKPOINTS_MAX ||
        (json_array_size(asked) != 0 && !has_room(&kernel->debugger, arguments)))
        result = debugger_refuse(request, "setBreakpoints needs source.path and breakpoints, and not too many");
    else
        result = keep_breakpoints(kernel, request, path, asked);
    json_decref(arguments);
    return result;
}

/* Those that `initialize` has named, once each. */
static json_t *known_filters(const json_t *asked)
{
    static const char *const known[] = {"raised", "uncaught"};
    json_t *filters = json_array();
    const json_t *filter;
    size_t at;

    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        bool is_asked = false;

        json_array_foreach(asked, at, filter)
            is_asked = is_asked || (json_is_string(filter) && strcmp(json_string_value(filter), known[i]) == 0);
        if (is_asked)
            json_array_append_new(filters, json_string(known[i]));
    }
    return filters;
}

static int set_exception_breakpoints(struct kernel *kernel, struct request *request)
{
    json_t *arguments = load_arguments(request);
    json_t *filters = json_object_get(arguments, "filters");

    if (json_is_array(filters)) {
        json_decref(kernel->debugger.filters);
        kernel->debugger.filters = known_filters(filters);
        debugger_send_settings(kernel);
    }
    json_decref(arguments);
    return debugger_reply(request, BYTES_LITERAL("{\"breakpoints\":[]}"));
}

/* ---- what needs the interpreter --------------------------------------------------------------- */

static int pause_cell(struct kernel *kernel, struct request *request)
{
    if (!kernel->debugger.is_attached || !main_shell_runs_cell(kernel))
        return debugger_refuse(request, "no cell runs that could be stopped");
    if (!kernel->debugger.is_stopped)
        debugger_pause(kernel);
    return debugger_reply(request, BYTES_NONE);
}

/* Only of a cell that stands still. */
static int at_a_stop(struct kernel *kernel, struct request *request)
{
    if (!kernel->debugger.is_stopped)
        return debugger_refuse(request, "no cell stands still");
    return debugger_ask(kernel, request);
}

/* Of a cell that stands still, or of the variables while no cell runs. */
static int at_rest(struct kernel *kernel, struct request *request)
{
    if (kernel->debugger.is_stopped)
        return debugger_ask(kernel, request);
    if (main_shell_runs_cell(kernel))
        return debugger_refuse(request, "a cell runs: this is answered when it stands still or has ended");
    return requests_enqueue(kernel, request);
}

static int evaluate(struct kernel *kernel, struct request *request)
{
    record_argument(kernel, request, "evaluate", "expression");
    return at_rest(kernel, request);
}

static int set_variable(struct kernel *kernel, struct request *request)
{
    record_argument(kernel, request, "setVariable", "value");
    return at_rest(kernel, request);
}

/* JupyterLab asks with every message of a cell that runs: it gets what there was before. */
static int inspect_variables(struct kernel *kernel, struct request *request)
{
    const struct buffer *known = &kernel->debugger.variables;

    if (kernel->debugger.is_stopped || !main_shell_runs_cell(kernel))
        return at_rest(kernel, request);
    if (known->size != 0)
        return debugger_reply(request, buffer_bytes(known));
    return debugger_reply(request, BYTES_LITERAL("{\"variables\":[]}"));
}

static int modules(struct kernel *kernel, struct request *request)
{
    if (!kernel->debugger.is_stopped && main_shell_runs_cell(kernel))
        return debugger_reply(request, BYTES_LITERAL("{\"modules\":[],\"totalModules\":0}"));
    return at_rest(kernel, request);
}

/* The order of Jupyter's description, then the adapter protocol's. */
static const struct {
    const char *command;
    int (*handle)(struct kernel *kernel, struct request *request);
} commands[] = {
    /* clang-format off */
    {"debugInfo",               debug_info},
    {"dumpCell",                dump_cell},
    {"inspectVariables",        inspect_variables},
    {"richInspectVariables",    at_rest},
    {"copyToGlobals",           at_rest},
    {"modules",                 modules},
    {"source",                  at_rest},
    {"initialize",              initialize},
    {"attach",                  attach},
    {"configurationDone",       nothing},
    {"setBreakpoints",          set_breakpoints},
    {"setExceptionBreakpoints", set_exception_breakpoints},
    {"threads",                 threads},
    {"stackTrace",              at_a_stop},
    {"scopes",                  at_a_stop},
    {"variables",               at_rest},
    {"evaluate",                evaluate},
    {"setVariable",             set_variable},
    {"continue",                at_a_stop},
    {"next",                    at_a_stop},
    {"stepIn",                  at_a_stop},
    {"stepOut",                 at_a_stop},
    {"pause",                   pause_cell},
    {"disconnect",              disconnect},
    {"terminate",               disconnect},
    /* clang-format on */
};

static int handle(struct kernel *kernel, struct request *request)
{
    for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
        if (debugger_is_command(request, commands[i].command))
            return commands[i].handle(kernel, request);
    return debugger_refuse(request, "this debugger does not know the command");
}

static int run(struct kernel *kernel, struct request *request)
{
    struct bytes parts[] = {BYTES_LITERAL("request"), BYTES_LITERAL("0"), request_content(request)};

    guard_process_send(&kernel->guard, &(struct frame){FRAME_DEBUG, request->cell, 3, parts});
    return 0;
}

const struct request_type debug_request = {
    .msg_type = "debug_request",
    .reply_type = "debug_reply",
    .channels = ON_CONTROL,
    .handle = handle,
    .run = run,
};
