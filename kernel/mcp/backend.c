#include "kernel/mcp/backend.h"

#include "guard/link/buffer.h"
#include "kernel/records/log.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>

enum {
    RECEIVE_BITE = 64,
    RECONNECT_MS = 10, /* the kernel binds a few milliseconds after we connect */
    END_MS = 3000,
    MAX_ARGUMENTS = 16,
};

/* ---- the process ---------------------------------------------------------------------------- */

static char *make_directory(void)
{
    const char *place = getenv("TMPDIR");
    char *path = xasprintf("%s/safepyrun-mcp-XXXXXX", place != NULL ? place : "/tmp");

    if (mkdtemp(path) == NULL) {
        free(path);
        return NULL;
    }
    return path;
}

/* Ports of ipc are only numbers in file names; all are given, so that the kernel rewrites nothing. */
static int write_connection_file(const char *path, const char *directory, const char *key)
{
    json_t *json = json_pack("{ss ss+ ss ss}", "transport", "ipc", "ip", directory, "/k",
                             "signature_scheme", "hmac-sha256", "key", key);
    cleanup_close int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    int result = json != NULL && fd >= 0 ? 0 : -EIO;

    for (int channel = 0; result == 0 && channel < CHANNEL_COUNT; channel++) {
        cleanup_free char *name = xasprintf("%s_port", channel_name((enum channel)channel));

        result = json_object_set_new(json, name, json_integer(channel + 1));
    }
    if (result == 0)
        result = json_dumpfd(json, fd, 0);
    json_decref(json);
    return result < 0 ? -EIO : 0;
}

static void add_option(char **arguments, const char *name, const char *value)
{
    size_t count = 0;

    while (arguments[count] != NULL)
        count++;
    if (value == NULL)
        return;
    arguments[count] = (char *)name;
    arguments[count + 1] = (char *)value;
}

/* Standard output is the protocol's: what the kernel might write goes where errors go. */
static int spawn(struct backend *backend, const char *file)
{
    cleanup_free char *parent = xasprintf("%d", (int)getpid());
    char *arguments[MAX_ARGUMENTS] = {(char *)backend->options.program, (char *)"kernel", (char *)"-f", (char *)file};
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t none;
    int result;

    add_option(arguments, "--on-guard-death", "respawn");
    add_option(arguments, "--policy", backend->options.policy_file);
    add_option(arguments, "--python", backend->options.python);
    add_option(arguments, "--shell", backend->options.shell);
    setenv("JPY_PARENT_PID", parent, 1); /* it ends when we are gone */
    sigemptyset(&none);
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, STDERR_FILENO, STDOUT_FILENO);
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setpgroup(&attributes, 0); /* Ctrl-C at a terminal is for us */
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETPGROUP);
    result = -posix_spawn(&backend->pid, arguments[0], &actions, &attributes, arguments, environ);
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    if (result < 0)
        backend->pid = 0;
    return result;
}

static int on_end(void *context)
{
    struct backend *backend = context;

    return backend->ended(backend->context);
}

static void watch_end(struct backend *backend)
{
    backend->pidfd = (int)syscall(SYS_pidfd_open, backend->pid, 0);
    backend->end_source = (struct loop_source){
        .fd = backend->pidfd, .events = ZMQ_POLLIN, .callback = on_end, .context = backend};
    loop_add(backend->loop, &backend->end_source);
}

/* ---- the sockets ---------------------------------------------------------------------------- */

static int receive(struct backend_socket *from)
{
    struct backend *backend = from->backend;
    cleanup_frames struct frames frames = FRAMES_NONE;
    struct message *message;
    int result = frames_receive(from->socket, &frames);

    if (result != 0)
        return result == FRAMES_E_TOO_LARGE ? 0 : result;
    result = message_parse(&frames, backend->key, &message);
    if (result != 0) {
        log_warning("mcp: dropped a message: %s", message_error_text(result));
        return 0;
    }
    return backend->take(backend->context, from->channel, message);
}

static int on_socket(void *context)
{
    struct backend_socket *socket = context;
    int result = 0;

    for (int i = 0; result == 0 && i < RECEIVE_BITE; i++)
        result = receive(socket);
    socket->source.again = result == 0;
    return result == FRAMES_E_AGAIN ? 0 : result;
}

static int connect_socket(struct backend *backend, struct backend_socket *made, enum channel channel)
{
    cleanup_free char *endpoint =
        xasprintf("ipc://%s/k-%d", backend->directory, (int)channel + 1);
    int none = 0;
    int reconnect = RECONNECT_MS;
    bool is_iopub = channel == CHANNEL_IOPUB;

    *made = (struct backend_socket){.backend = backend, .channel = channel};
    made->socket = zmq_socket(backend->zmq_context, is_iopub ? ZMQ_SUB : ZMQ_DEALER);
    if (made->socket == NULL ||
        zmq_setsockopt(made->socket, ZMQ_LINGER, &none, sizeof(none)) < 0 ||
        zmq_setsockopt(made->socket, ZMQ_RCVHWM, &none, sizeof(none)) < 0 ||
        zmq_setsockopt(made->socket, ZMQ_SNDHWM, &none, sizeof(none)) < 0 ||
        zmq_setsockopt(made->socket, ZMQ_RECONNECT_IVL, &reconnect, sizeof(reconnect)) < 0 ||
        (is_iopub && zmq_setsockopt(made->socket, ZMQ_SUBSCRIBE, "", 0) < 0) ||
        zmq_connect(made->socket, endpoint) < 0)
        return -errno;
    made->source =
        (struct loop_source){.socket = made->socket, .callback = on_socket, .context = made};
    loop_add(backend->loop, &made->source);
    return 0;
}

static void disconnect(struct backend *backend, struct backend_socket *socket)
{
    if (socket->socket == NULL)
        return;
    loop_remove(backend->loop, &socket->source);
    zmq_close(socket->socket);
    socket->socket = NULL;
}

char *backend_send(struct backend *backend, struct backend_socket *socket, const char *msg_type,
                   struct bytes metadata, struct bytes content)
{
    cleanup_frames struct frames frames = FRAMES_NONE;
    cleanup_buffer struct buffer header = BUFFER_NONE;
    cleanup_free char *msg_id = xasprintf("%s_%d_%llu", backend->session.id, (int)getpid(),
                                          (unsigned long long)backend->session.message_count);
    char signature[SIGNATURE_HEX_MAX + 1];
    struct bytes parts[SIGNATURE_FRAMES];

    if (socket->socket == NULL)
        return NULL;
    session_append_header(&backend->session, msg_type, &header);
    parts[0] = buffer_bytes(&header);
    parts[1] = BYTES_LITERAL("{}");
    parts[2] = metadata.size != 0 ? metadata : BYTES_LITERAL("{}");
    parts[3] = content.size != 0 ? content : BYTES_LITERAL("{}");
    signature_sign(backend->key, parts, signature);
    frames_append(&frames, BYTES_LITERAL("<IDS|MSG>"));
    frames_append(&frames, bytes_of_string(signature));
    for (int i = 0; i < SIGNATURE_FRAMES; i++)
        frames_append(&frames, parts[i]);
    socket->source.again = true;
    return frames_send(socket->socket, &frames) == 0 ? steal(msg_id) : NULL;
}

/* ---- both together -------------------------------------------------------------------------- */

static int start(struct backend *backend)
{
    char key[37];
    cleanup_free char *file = NULL;
    int result;

    session_random_uuid(key);
    session_init(&backend->session);
    backend->directory = make_directory();
    if (backend->options.program == NULL || backend->directory == NULL)
        return -errno;
    file = xasprintf("%s/connection.json", backend->directory);
    result = write_connection_file(file, backend->directory, key);
    if (result == 0)
        result = signature_key_new("hmac-sha256", bytes_of_string(key), &backend->key);
    if (result == 0)
        result = spawn(backend, file);
    if (result != 0)
        return result;
    watch_end(backend);
    backend->zmq_context = zmq_ctx_new();
    result = connect_socket(backend, &backend->shell, CHANNEL_SHELL);
    if (result == 0)
        result = connect_socket(backend, &backend->control, CHANNEL_CONTROL);
    return result == 0 ? connect_socket(backend, &backend->iopub, CHANNEL_IOPUB) : result;
}

int backend_start(struct backend *backend, char **ret_error)
{
    int result = start(backend);

    if (result == 0)
        return 0;
    *ret_error = xasprintf("cannot start a kernel: %s", strerror(-result));
    backend_stop(backend);
    return 1;
}

/* It removes its sockets' files and ends the interpreter; then it is reaped. */
static void end_process(struct backend *backend)
{
    struct pollfd end = {.fd = backend->pidfd, .events = POLLIN};

    kill(backend->pid, SIGTERM);
    if (poll(&end, 1, END_MS) <= 0)
        kill(backend->pid, SIGKILL);
    waitpid(backend->pid, NULL, 0);
    loop_remove(backend->loop, &backend->end_source);
    close(backend->pidfd);
    backend->pid = 0;
}

static void remove_directory(struct backend *backend)
{
    cleanup_free char *file = xasprintf("%s/connection.json", backend->directory);

    unlink(file);
    for (int channel = 0; channel < CHANNEL_COUNT; channel++) {
        cleanup_free char *socket = xasprintf("%s/k-%d", backend->directory, channel + 1);

        unlink(socket); /* left behind by a kernel that was killed */
    }
    rmdir(backend->directory);
    free(steal(backend->directory));
}

void backend_stop(struct backend *backend)
{
    if (backend->pid != 0)
        end_process(backend);
    disconnect(backend, &backend->shell);
    disconnect(backend, &backend->control);
    disconnect(backend, &backend->iopub);
    if (backend->zmq_context != NULL)
        zmq_ctx_term(backend->zmq_context);
    backend->zmq_context = NULL;
    signature_key_free(steal(backend->key));
    session_finish(&backend->session);
    if (backend->directory != NULL)
        remove_directory(backend);
}
