#include "kernel/channels/binding.h"

#include "kernel/channels/port_search.h"
#include "kernel/wire/frames.h"

enum {
    MAX_FRAME_BYTES = 256 << 20, /* ZMQ_MAXMSGSIZE: one frame from a stranger */
    MAX_TOPIC_BYTES = 1024,      /* the same where only subscriptions come; libzmq takes 50 times as much for one */
};

/* Both ends have the same pair. Who has it has the signing key as well, so no peer is asked for more. */
static int encrypt(void *socket, const struct connection_file *file)
{
    int one = 1;

    if (file->curve_secret == NULL)
        return 0;
    if (zmq_setsockopt(socket, ZMQ_CURVE_SERVER, &one, sizeof(one)) < 0 ||
        zmq_setsockopt(socket, ZMQ_CURVE_PUBLICKEY, file->curve_public, CURVE_KEY_CHARACTERS) < 0 ||
        zmq_setsockopt(socket, ZMQ_CURVE_SECRETKEY, file->curve_secret, CURVE_KEY_CHARACTERS) < 0)
        return -errno;
    return 0;
}

static int set_common_options(void *socket, enum channel channel, const struct connection_file *file)
{
    int linger = BINDING_LINGER_MS;
    int64_t max_bytes = channel == CHANNEL_IOPUB ? MAX_TOPIC_BYTES : MAX_FRAME_BYTES;
    int keepalive = 1;
    int ipv6 = 1;

    if (encrypt(socket, file) < 0 ||
        zmq_setsockopt(socket, ZMQ_LINGER, &linger, sizeof(linger)) < 0 ||
        zmq_setsockopt(socket, ZMQ_MAXMSGSIZE, &max_bytes, sizeof(max_bytes)) < 0 ||
        zmq_setsockopt(socket, ZMQ_TCP_KEEPALIVE, &keepalive, sizeof(keepalive)) < 0 ||
        zmq_setsockopt(socket, ZMQ_IPV6, &ipv6, sizeof(ipv6)) < 0)
        return -errno;
    return 0;
}

/* ipc has no "any port": the first number is taken whose file does not exist yet. */
static int free_ipc_port(const struct connection_file *file)
{
    for (int port = 1; port < 65536; port++) {
        cleanup_free char *endpoint = connection_file_endpoint(file, port);

        if (access(endpoint + strlen("ipc://"), F_OK) != 0)
            return port;
    }
    return 65535;
}

static int bound_tcp_port(void *socket)
{
    char endpoint[256];
    size_t size = sizeof(endpoint);

    if (zmq_getsockopt(socket, ZMQ_LAST_ENDPOINT, endpoint, &size) < 0)
        return 0;
    return atoi(strrchr(endpoint, ':') + 1);
}

struct binding {
    const struct connection_file *file;
    void *socket;
};

static int try_port(void *context, int port)
{
    const struct binding *binding = context;
    cleanup_free char *endpoint = connection_file_endpoint(binding->file, port);

    return zmq_bind(binding->socket, endpoint) < 0 ? -errno : 0;
}

static int bind_to_any_port(void *socket, struct connection_file *file, enum channel channel)
{
    struct binding binding = {.file = file, .socket = socket};
    int result = port_search(&file->port_range, try_port, &binding);

    if (result == 0)
        file->ports[channel] = bound_tcp_port(socket);
    return result;
}

static int bind_socket(void *socket, struct connection_file *file, enum channel channel)
{
    bool is_ipc = strcmp(file->transport, "ipc") == 0;
    cleanup_free char *endpoint = NULL;

    if (!is_ipc && file->ports[channel] == 0)
        return bind_to_any_port(socket, file, channel);
    if (is_ipc && file->ports[channel] == 0)
        file->ports[channel] = free_ipc_port(file);
    endpoint = connection_file_endpoint(file, file->ports[channel]);
    if (is_ipc)
        unlink(endpoint + strlen("ipc://")); /* a restart finds the files of the kernel before */
    return zmq_bind(socket, endpoint) < 0 ? -errno : 0;
}

int binding_bind(void *socket, struct connection_file *file, enum channel channel, char **ret_error)
{
    int result = set_common_options(socket, channel, file);

    if (result == 0)
        result = bind_socket(socket, file, channel);
    if (result != 0) {
        cleanup_free char *endpoint = connection_file_endpoint(file, file->ports[channel]);

        *ret_error = xasprintf("cannot bind the %s channel to %s: %s", channel_name(channel),
                               endpoint, zmq_strerror(-result));
        return 1;
    }
    return 0;
}

void binding_remove_files(const struct connection_file *file)
{
    if (strcmp(file->transport, "ipc") != 0)
        return;
    for (int channel = 0; channel < CHANNEL_COUNT; channel++) {
        cleanup_free char *endpoint = connection_file_endpoint(file, file->ports[channel]);

        unlink(endpoint + strlen("ipc://"));
    }
}
