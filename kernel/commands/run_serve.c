#include "kernel/commands/run_serve.h"

#include "kernel/commands/run_request.h"
#include "kernel/signals.h"
#include "kernel/supervisor/template_start.h"
#include "kernel/supervisor/templates.h"

#include <poll.h>
#include <signal.h>

enum { IDLE_SECONDS = 600, READ_BYTES = 65536 };

/* The guard that waits for the next request is sealed under a policy: it serves whoever has the same one. */
struct server {
    struct templates templates;
    const char *python;
    const char *warm;
    struct run_session *ready;
    struct buffer ready_for;
    bool has_served;
    bool is_busy;        /* it has had a second request: a template is worth its start */
    char *own_template;  /* the socket of one that was started here, and ends with us */
};

/* A template that has ended, by its idle time or a new package, is followed by another. */
static char *find_template(struct server *server)
{
    bool is_new = false;
    char *socket;

    if (!server->is_busy || templates_start(&server->templates, server->warm, IDLE_SECONDS, &is_new) < 0)
        return NULL;
    socket = templates_socket(&server->templates);
    if (is_new) {
        free(server->own_template);
        server->own_template = socket != NULL ? xstrdup(socket) : NULL;
    }
    return socket;
}

static void end_template(struct server *server)
{
    if (server->own_template != NULL)
        free(template_stop(server->own_template));
    free(steal(server->own_template));
}

static struct run_session *start(struct server *server, const struct policy_sources *sources)
{
    cleanup_free char *template = find_template(server);

    return run_session_new(
        &(struct run_start){.sources = sources, .python = server->python, .template = template});
}

static void append_policy(const struct policy_sources *sources, struct buffer *text)
{
    struct bytes parts[POLICY_SOURCES_MAX * POLICY_SOURCE_PARTS];
    size_t count = policy_sources_parts(sources, parts);

    for (size_t i = 0; i < count; i++) {
        buffer_append_format(text, "%zu ", parts[i].size);
        buffer_append(text, parts[i]);
    }
}

static void drop_ready(struct server *server)
{
    if (server->ready != NULL)
        run_session_free(steal(server->ready));
    buffer_clear(&server->ready_for, 0);
}

static struct run_session *take_ready(struct server *server, const struct policy_sources *sources)
{
    cleanup_buffer struct buffer policy = BUFFER_NONE;

    append_policy(sources, &policy);
    if (server->ready == NULL || policy.size != server->ready_for.size ||
        memcmp(policy.data, server->ready_for.data, policy.size) != 0 ||
        !run_session_is_alive(server->ready))
        return NULL;
    return steal(server->ready);
}

/* The answer goes out before the guard is cleared away and the next one is started. Returns whether to go on. */
static bool serve_request(struct server *server, const struct run_request *request)
{
    struct run_settings settings = {.output_kb = -1};
    struct run_result result = RUN_RESULT_NONE;
    struct run_session *session = take_ready(server, &request->sources);
    bool waited = session != NULL;
    bool goes_on;

    drop_ready(server);
    if (session == NULL)
        session = start(server, &request->sources);
    run_request_apply(request, &settings);
    if (!run_session_run(session, &settings, &result) && waited && !result.interrupted) {
        run_result_finish(&result); /* it had died in its start: nothing has run */
        run_session_free(session);
        session = start(server, &request->sources);
        result = RUN_RESULT_NONE;
        run_session_run(session, &settings, &result);
    }
    goes_on = run_result_print(&result) && !result.interrupted;
    run_result_finish(&result);
    run_session_free(session);
    if (goes_on) {
        server->is_busy = server->has_served;
        server->has_served = true;
        server->ready = start(server, &request->sources);
        append_policy(&request->sources, &server->ready_for);
    }
    return goes_on;
}

static bool serve(struct server *server, struct bytes text)
{
    struct run_request request;
    char *error = NULL;
    bool goes_on;

    if (run_request_read(text, &request, &error) < 0) {
        struct run_result result = {.error = error, .exit_code = 2};

        goes_on = run_result_print(&result);
        run_result_finish(&result);
    } else {
        goes_on = serve_request(server, &request);
    }
    run_request_finish(&request);
    return goes_on;
}

static void on_signal(int number)
{
    (void)number;
}

/* They are blocked but while a request is waited for: runs take them from a descriptor. */
static void hold_signals(sigset_t *ret_before)
{
    const struct sigaction action = {.sa_handler = on_signal};
    const int numbers[] = {SIGINT, SIGTERM, SIGHUP};

    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
        sigaction(numbers[i], &action, NULL);
    sigprocmask(SIG_BLOCK, NULL, ret_before);
    signals_block();
}

/* Returns 1; 0 at the end of the input; -EINTR: a signal came; -errno. */
static int read_some(struct buffer *input, const sigset_t *unheld)
{
    struct pollfd readable = {.fd = STDIN_FILENO, .events = POLLIN};
    ssize_t got;

    if (ppoll(&readable, 1, NULL, unheld) < 0)
        return -errno;
    got = read(STDIN_FILENO, buffer_reserve(input, READ_BYTES), READ_BYTES);
    if (got > 0)
        buffer_commit(input, (size_t)got);
    return got < 0 ? -errno : got > 0;
}

/* Serves the lines that are whole. */
static bool serve_lines(struct server *server, struct buffer *input)
{
    const char *end;
    bool goes_on = true;

    while (goes_on && input->size > 0 && (end = memchr(input->data, '\n', input->size)) != NULL) {
        size_t size = (size_t)(end - input->data);

        goes_on = serve(server, (struct bytes){input->data, size});
        buffer_drop_front(input, size + 1);
    }
    return goes_on;
}

int run_serve(const char *python, const char *warm)
{
    struct server server = {.python = python, .warm = warm != NULL ? warm : ""};
    cleanup_buffer struct buffer input = BUFFER_NONE;
    sigset_t unheld;
    int status = 1;

    hold_signals(&unheld);
    templates_init(&server.templates, NULL, &(struct templates_options){.python = python, .shell = "plain"});
    server.templates.wanted = true;
    while (status == 1 && serve_lines(&server, &input))
        status = read_some(&input, &unheld);
    if (status == 0 && input.size > 0) /* the last line may lack its end */
        serve(&server, buffer_bytes(&input));
    drop_ready(&server);
    buffer_finish(&server.ready_for);
    end_template(&server);
    templates_finish(&server.templates);
    return status == 0 ? 0 : 1;
}
