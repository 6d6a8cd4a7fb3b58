#include "guard/ring/relay.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

enum { RELAY_BYTES = 64 * 1024, PROBE_SECONDS = 1, PROBES = 3 };

/* One way: `bytes` from `begin` to `end` wait to be sent. */
struct way {
    int from, to;
    size_t begin, end;
    bool ended;  /* nothing more comes */
    bool passed; /* … and that has been told */
    char bytes[RELAY_BYTES];
};

static bool would_wait(void)
{
    return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR;
}

static bool way_receive(struct way *way)
{
    ssize_t count = recv(way->from, way->bytes, sizeof(way->bytes), 0);

    if (count < 0)
        return would_wait();
    way->begin = 0;
    way->end = (size_t)count;
    way->ended = count == 0;
    return true;
}

static bool way_send(struct way *way)
{
    ssize_t count = way->begin < way->end
                        ? send(way->to, way->bytes + way->begin, way->end - way->begin, MSG_NOSIGNAL)
                        : 0;

    if (count < 0)
        return would_wait();
    way->begin += (size_t)count;
    return true;
}

/* Nothing that comes from it tells a client that is gone from one that has only said all: it is asked. */
static void probe(int client)
{
    static const struct {
        int level, name, value;
    } options[] = {{IPPROTO_TCP, TCP_KEEPIDLE, PROBE_SECONDS},
                   {IPPROTO_TCP, TCP_KEEPINTVL, PROBE_SECONDS},
                   {IPPROTO_TCP, TCP_KEEPCNT, PROBES},
                   {SOL_SOCKET, SO_KEEPALIVE, 1}};

    for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++)
        setsockopt(client, options[i].level, options[i].name, &options[i].value, sizeof(int));
}

static void pass_end(struct way *way, bool from_client)
{
    if (!way->ended || way->passed || way->begin < way->end)
        return;
    shutdown(way->to, SHUT_WR);
    way->passed = true;
    if (from_client)
        probe(way->from);
}

static struct pollfd side_of(int fd, const struct way *coming, const struct way *going)
{
    bool may_vanish = coming->ended && !going->passed;
    short events = 0;

    if (!coming->ended && coming->begin == coming->end)
        events |= POLLIN;
    if (going->begin < going->end)
        events |= POLLOUT;
    /* Else a hang-up, which cannot be left out, would be told over and over. */
    return (struct pollfd){events != 0 || may_vanish ? fd : -1, events, 0};
}

/* False when the connection is over. */
static bool serve_side(const struct pollfd *side, struct way *coming, struct way *going)
{
    if ((side->revents & (POLLERR | POLLNVAL)) != 0)
        return false;
    if ((side->revents & POLLOUT) != 0 && !way_send(going))
        return false;
    return (side->events & POLLIN) == 0 || (side->revents & (POLLIN | POLLHUP)) == 0 || way_receive(coming);
}

void relay_until_end(int client, int server)
{
    static struct way up;
    static struct way down;

    up = (struct way){.from = client, .to = server};
    down = (struct way){.from = server, .to = client};
    fcntl(client, F_SETFL, O_NONBLOCK);
    fcntl(server, F_SETFL, O_NONBLOCK);
    while (!up.passed || !down.passed) {
        struct pollfd sides[2] = {side_of(client, &up, &down), side_of(server, &down, &up)};

        if (poll(sides, 2, -1) < 0 && errno != EINTR)
            return;
        if (!serve_side(&sides[0], &up, &down) || !serve_side(&sides[1], &down, &up))
            return;
        pass_end(&up, true);
        pass_end(&down, false);
    }
}
