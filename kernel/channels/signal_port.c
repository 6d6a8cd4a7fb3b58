#include "kernel/channels/signal_port.h"

#include "guard/link/cleanup.h"
#include "kernel/records/log.h"

#include <jansson.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>

/* 0 asks whether we live: that the connection came about was the answer. */
static void raise_signal(json_int_t number)
{
    if (number == 0)
        return;
    if (number != SIGINT && number != SIGTERM && number != SIGKILL) {
        log_warning("the gateway asked for signal %d, which no launcher needs", (int)number);
        return;
    }
    log_info("the gateway asks for signal %d", (int)number);
    kill(getpid(), (int)number);
}

/* {"shutdown": 1} is for launchers that outlive their kernel; ours is the kernel, and has been
 * told. */
static void handle_request(const struct signal_peer *peer)
{
    json_t *request = json_loadb(peer->request, peer->size, JSON_REJECT_DUPLICATES, NULL);
    json_t *number = json_object_get(request, "signum");

    if (json_is_integer(number))
        raise_signal(json_integer_value(number));
    else if (json_object_get(request, "shutdown") == NULL && peer->size != 0)
        log_warning("signal port: dropped a request that is none");
    json_decref(request);
}

static void end_peer(struct signal_peer *peer)
{
    if (peer->source.fd < 0)
        return;
    loop_remove(peer->port->loop, &peer->source);
    close(peer->source.fd);
    peer->source.fd = -1;
    peer->size = 0;
}

/* A request is over when its sender has closed. */
static int on_peer(void *context)
{
    struct signal_peer *peer = context;
    ssize_t done =
        recv(peer->source.fd, peer->request + peer->size, sizeof(peer->request) - peer->size, 0);

    if (done < 0 && (errno == EAGAIN || errno == EINTR))
        return 0;
    if (done > 0)
        peer->size += (size_t)done;
    if (done > 0 && peer->size < sizeof(peer->request))
        return 0;
    if (done == 0)
        handle_request(peer);
    end_peer(peer);
    return 0;
}

static void take_peer(struct signal_port *port, int fd)
{
    struct signal_peer *peer = &port->peers[port->next++ % SIGNAL_PORT_PEERS];

    end_peer(peer);
    peer->source =
        (struct loop_source){.fd = fd, .events = POLLIN, .callback = on_peer, .context = peer};
    loop_add(port->loop, &peer->source);
}

static int on_connection(void *context)
{
    struct signal_port *port = context;
    struct sockaddr_in from = {.sin_family = AF_UNSPEC};
    socklen_t size = sizeof(from);
    int fd =
        accept4(port->listener.fd, (struct sockaddr *)&from, &size, SOCK_CLOEXEC | SOCK_NONBLOCK);

    if (fd < 0)
        return 0; /* it has gone again, or there are no descriptors left: the next one may be
                     luckier */
    if (from.sin_family == AF_INET && from.sin_addr.s_addr == port->gateway) {
        take_peer(port, fd);
        return 0;
    }
    if (!port->warned)
        log_warning("signal port: somebody who is not the gateway has connected, and is not heard");
    port->warned = true;
    close(fd);
    return 0;
}

void signal_port_open(struct signal_port *port, struct loop *loop, int fd, uint32_t gateway)
{
    *port = (struct signal_port){.loop = loop, .gateway = gateway};
    for (size_t i = 0; i < SIGNAL_PORT_PEERS; i++)
        port->peers[i] = (struct signal_peer){.source = {.fd = -1}, .port = port};
    port->listener = (struct loop_source){
        .fd = fd, .events = POLLIN, .callback = on_connection, .context = port};
    loop_add(loop, &port->listener);
}

void signal_port_close(struct signal_port *port)
{
    if (port->loop == NULL)
        return;
    for (size_t i = 0; i < SIGNAL_PORT_PEERS; i++)
        end_peer(&port->peers[i]);
    loop_remove(port->loop, &port->listener);
    close(port->listener.fd);
    port->loop = NULL;
}
