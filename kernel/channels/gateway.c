#include "kernel/channels/gateway.h"

#include "kernel/channels/port_search.h"
#include "kernel/records/log.h"
#include "kernel/wire/gateway_file.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>

static int fail(char *error, char **ret_error)
{
    *ret_error = error;
    return 1;
}

/* gateway_provisioners speaks IPv4 only. */
static int find_gateway(const struct connection_file *file, struct sockaddr_in *ret_address,
                        char **ret_error)
{
    struct addrinfo wanted = {.ai_family = AF_INET, .ai_socktype = SOCK_STREAM};
    struct addrinfo *found = NULL;
    int result = getaddrinfo(file->response_ip, NULL, &wanted, &found);

    if (result != 0)
        return fail(xasprintf("--response-address %s: %s", file->response_ip, gai_strerror(result)),
                    ret_error);
    memcpy(ret_address, found->ai_addr, sizeof(*ret_address));
    ret_address->sin_port = htons((uint16_t)file->response_port);
    freeaddrinfo(found);
    return 0;
}

static int try_port(void *context, int port)
{
    struct sockaddr_in any = {
        .sin_family = AF_INET, .sin_addr = {htonl(INADDR_ANY)}, .sin_port = htons((uint16_t)port)};

    return bind(*(int *)context, (struct sockaddr *)&any, sizeof(any)) < 0 ? -errno : 0;
}

/* Returns the port, or -errno. */
static int open_signal_port(struct gateway *gateway, const struct connection_file *file,
                            uint32_t heard)
{
    cleanup_close int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    struct sockaddr_in bound;
    socklen_t size = sizeof(bound);
    int result = fd < 0 ? -errno : port_search(&file->port_range, try_port, &fd);

    if (result < 0)
        return result;
    if (listen(fd, SIGNAL_PORT_PEERS) < 0 || getsockname(fd, (struct sockaddr *)&bound, &size) < 0)
        return -errno;
    signal_port_open(&gateway->signals, gateway->loop, steal_fd(&fd), heard);
    return ntohs(bound.sin_port);
}

static void stop_sending(struct gateway *gateway)
{
    if (gateway->sender.fd < 0)
        return;
    loop_timer_stop(&gateway->timer);
    loop_remove_timer(gateway->loop, &gateway->timer);
    loop_remove(gateway->loop, &gateway->sender);
    close(gateway->sender.fd);
    gateway->sender.fd = -1;
    buffer_finish(&gateway->letter);
}

/* Writable: connected, or connecting has failed. Closing is the end of the letter. */
static int on_writable(void *context)
{
    struct gateway *gateway = context;
    ssize_t sent =
        send(gateway->sender.fd, gateway->letter.data, gateway->letter.size, MSG_NOSIGNAL);

    if (sent < 0 && (errno == EAGAIN || errno == EINTR))
        return 0;
    if (sent < 0) {
        int error = errno;

        log_error("the gateway cannot be told where this kernel listens: %s", strerror(error));
        return -error;
    }
    buffer_drop_front(&gateway->letter, (size_t)sent);
    if (gateway->letter.size > 0)
        return 0;
    log_info("the gateway has been told where this kernel listens");
    stop_sending(gateway);
    return 0;
}

static int on_timeout(void *context)
{
    (void)context;
    log_error("the gateway cannot be reached in %d s", GATEWAY_TIMEOUT_MS / 1000);
    return -ETIMEDOUT;
}

static int start_sending(struct gateway *gateway, const struct sockaddr_in *address)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    if (fd < 0)
        return -errno;
    if (connect(fd, (const struct sockaddr *)address, sizeof(*address)) < 0 &&
        errno != EINPROGRESS) {
        int error = errno;

        close(fd);
        return -error;
    }
    gateway->sender = (struct loop_source){
        .fd = fd, .events = POLLOUT, .callback = on_writable, .context = gateway};
    gateway->timer = (struct loop_timer){.callback = on_timeout, .context = gateway};
    loop_add(gateway->loop, &gateway->sender);
    loop_add_timer(gateway->loop, &gateway->timer);
    loop_timer_start(&gateway->timer, GATEWAY_TIMEOUT_MS);
    return 0;
}

int gateway_start(struct gateway *gateway, struct loop *loop, const struct connection_file *file,
                  char **ret_error)
{
    struct sockaddr_in address;
    int port, result;

    *gateway = (struct gateway){.loop = loop, .sender = {.fd = -1}};
    if (find_gateway(file, &address, ret_error) != 0)
        return 1;
    port = open_signal_port(gateway, file, address.sin_addr.s_addr);
    if (port < 0)
        return fail(xasprintf("cannot open the port for signals: %s", strerror(-port)), ret_error);
    if (gateway_letter(file, port, &gateway->letter) != 0)
        return fail(xstrdup("--public-key: not an RSA key in base64"), ret_error);
    result = start_sending(gateway, &address);
    if (result == 0)
        return 0;
    return fail(xasprintf("cannot reach the gateway at %s, port %d: %s", file->response_ip,
                          file->response_port, strerror(-result)),
                ret_error);
}

void gateway_finish(struct gateway *gateway)
{
    if (gateway->loop == NULL)
        return;
    stop_sending(gateway);
    buffer_finish(&gateway->letter);
    signal_port_close(&gateway->signals);
    gateway->loop = NULL;
}
