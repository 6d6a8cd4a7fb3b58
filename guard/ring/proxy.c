#include "guard/ring/proxy.h"

#include "guard/link/write_all.h"
#include "guard/ring/relay.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <strings.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

enum { HEAD_MAX = 16 * 1024, WAIT_MS = 30 * 1000 };

/* ---- one connection -------------------------------------------------------------------------- */

struct request {
    char head[HEAD_MAX + 1];
    size_t size;      /* of all that was read */
    size_t head_size; /* with the empty line */
    char host[256];
    char port[8];
    bool is_tunnel;
    const char *path; /* of a plain request, in `head` */
};

static void refuse(int fd, const char *status, const char *words)
{
    cleanup_free char *text =
        xasprintf("HTTP/1.1 %s\r\nContent-Type: text/plain\r\nContent-Length: %zu\r\n"
                  "Connection: close\r\n\r\n%s",
                  status, strlen(words), words);

    write_all(fd, bytes_of_string(text));
}

static bool read_head(int fd, struct request *request)
{
    while (request->size < HEAD_MAX) {
        struct pollfd ready = {fd, POLLIN, 0};
        ssize_t count;
        const char *end;

        if (poll(&ready, 1, WAIT_MS) <= 0)
            return false;
        count = recv(fd, request->head + request->size, HEAD_MAX - request->size, 0);
        if (count <= 0)
            return false;
        request->size += (size_t)count;
        request->head[request->size] = '\0';
        end = memmem(request->head, request->size, "\r\n\r\n", 4);
        if (end != NULL) {
            request->head_size = (size_t)(end - request->head) + 4;
            return memchr(request->head, '\0', request->head_size) == NULL;
        }
    }
    return false;
}

/* "host:port" or "[::1]:port" up to one of `ends`; without a port the usual one, if there is one. */
static bool read_authority(const char *text, const char *ends, const char *usual_port,
                           struct request *request)
{
    size_t size = strcspn(text, ends);
    bool is_bracketed = text[0] == '[';
    size_t host = is_bracketed ? strcspn(text, "]") : strcspn(text, ":");
    const char *port = usual_port;
    size_t port_size = port != NULL ? strlen(port) : 0;

    host = host < size ? host + is_bracketed : size;
    if (host < size && text[host] == ':') {
        port = text + host + 1;
        port_size = size - host - 1;
    } else if (host != size) {
        return false;
    }
    if (port == NULL || port_size == 0 || port_size >= sizeof(request->port) ||
        strspn(port, "0123456789") < port_size || host == 0 || host >= sizeof(request->host))
        return false;
    memcpy(request->host, text, host);
    request->host[host] = '\0';
    memcpy(request->port, port, port_size);
    request->port[port_size] = '\0';
    return true;
}

static bool read_target(struct request *request)
{
    char *line = request->head;
    char *target = strchr(line, ' ');

    if (target == NULL || target > strstr(line, "\r\n"))
        return false;
    target++;
    if (strncmp(line, "CONNECT ", 8) == 0) {
        request->is_tunnel = true;
        return read_authority(target, " \r", NULL, request);
    }
    if (strncasecmp(target, "http://", 7) != 0)
        return false;
    request->path = target + 7 + strcspn(target + 7, "/ \r");
    return read_authority(target + 7, "/ \r", "80", request);
}

static bool is_allowed(const struct string_list *allowed, const struct request *request)
{
    cleanup_free char *target = xasprintf("%s:%s", request->host, request->port);

    for (size_t i = 0; i < allowed->count; i++)
        if (strcasecmp(allowed->items[i], target) == 0)
            return true;
    return false;
}

static int connect_to(const struct request *request)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
    struct addrinfo *found = NULL;
    size_t size = strlen(request->host);
    cleanup_free char *name = request->host[0] == '[' ? xstrndup(request->host + 1, size - 2)
                                                      : xstrdup(request->host);
    int fd = -1;

    if (getaddrinfo(name, request->port, &hints, &found) != 0)
        return -1;
    for (const struct addrinfo *at = found; at != NULL && fd < 0; at = at->ai_next) {
        fd = socket(at->ai_family, at->ai_socktype | SOCK_CLOEXEC, at->ai_protocol);
        if (fd >= 0 && connect(fd, at->ai_addr, at->ai_addrlen) < 0) {
            close(fd);
            fd = -1;
        }
    }
    freeaddrinfo(found);
    return fd;
}

static struct bytes behind_head(const struct request *request)
{
    return (struct bytes){request->head + request->head_size, request->size - request->head_size};
}

/* A plain request goes on in the form for the server itself, one for each connection: a second one
   on the same connection could name another host. */
static bool forward_head(int fd, const struct request *request)
{
    const char *path = request->path[0] == '/' ? request->path : "/";
    const char *rest = strstr(request->head, "\r\n");
    int method = (int)strcspn(request->head, " ");
    int path_size = (int)strcspn(path, " \r");
    cleanup_free char *line = xasprintf("%.*s %.*s HTTP/1.1\r\nConnection: close", method,
                                        request->head, path_size, path);

    if (write_all(fd, bytes_of_string(line)) < 0)
        return false;
    while (rest + 4 < request->head + request->head_size) {
        size_t size = strcspn(rest + 2, "\r") + 2;

        if (strncasecmp(rest + 2, "Connection:", 11) != 0 &&
            strncasecmp(rest + 2, "Proxy-", 6) != 0 && write_all(fd, (struct bytes){rest, size}) < 0)
            return false;
        rest += size;
    }
    return write_all(fd, BYTES_LITERAL("\r\n\r\n")) == 0 && write_all(fd, behind_head(request)) == 0;
}

/* One connection until it ends, in the process that is forked for it. */
static void serve(const struct string_list *allowed, int connection)
{
    static struct request request;
    cleanup_close int server = -1;

    request = (struct request){.size = 0};
    if (!read_head(connection, &request) || !read_target(&request)) {
        refuse(connection, "400 safepyrun speaks HTTP only", "safepyrun: only HTTP proxy requests are understood\n");
        return;
    }
    if (!is_allowed(allowed, &request)) {
        refuse(connection, "403 not listed in network.allow of safepyrun's policy",
               "safepyrun: [network] allow does not list this host and port\n");
        return;
    }
    server = connect_to(&request);
    if (server < 0) {
        refuse(connection, "502 safepyrun cannot reach the host", "safepyrun: the host cannot be reached\n");
        return;
    }
    if (request.is_tunnel) {
        if (write_all(connection, BYTES_LITERAL("HTTP/1.1 200 OK\r\n\r\n")) < 0 ||
            write_all(server, behind_head(&request)) < 0)
            return;
    } else if (!forward_head(server, &request)) {
        return;
    }
    relay_until_end(connection, server);
}

/* ---- making one ------------------------------------------------------------------------------ */

static bool is_same_end(int one, int other)
{
    struct sockaddr_in near;
    struct sockaddr_in far;
    socklen_t size = sizeof(near);

    return getsockname(one, (struct sockaddr *)&near, &size) == 0 &&
           getpeername(other, (struct sockaddr *)&far, &size) == 0 && near.sin_port == far.sin_port;
}

/* Over the local interface and not a pair of local sockets: clients set options of TCP. Whoever else
   was quick enough to connect is not the one that we made. */
static int make_connection(int ends[2])
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof(address);
    cleanup_close int door = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    cleanup_close int near = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    cleanup_close int far = -1;

    if (door < 0 || near < 0 || bind(door, (struct sockaddr *)&address, size) < 0 ||
        listen(door, 1) < 0 || getsockname(door, (struct sockaddr *)&address, &size) < 0 ||
        connect(near, (struct sockaddr *)&address, size) < 0)
        return -errno;
    far = accept4(door, NULL, NULL, SOCK_CLOEXEC);
    if (far < 0 || !is_same_end(near, far))
        return -ECONNREFUSED;
    /* Once it is closed nothing is left of it: so the relay finds out. */
    setsockopt(near, IPPROTO_TCP, TCP_LINGER2, &(int){-1}, sizeof(int));
    ends[0] = steal_fd(&near);
    ends[1] = steal_fd(&far);
    return 0;
}

/* How many processes serve a connection, after those that have ended. */
static int count_serving(int serving)
{
    while (serving > 0 && waitpid(-1, NULL, WNOHANG) > 0)
        serving--;
    return serving;
}

static int give(int listener, const struct seccomp_notif *asked, int fd)
{
    int type = (int)asked->data.args[1];
    struct seccomp_notif_addfd give = {.id = asked->id,
                                       .srcfd = (unsigned)fd,
                                       .newfd_flags = (type & SOCK_CLOEXEC) != 0 ? O_CLOEXEC : 0};
    int number;

    if ((type & SOCK_NONBLOCK) != 0)
        fcntl(fd, F_SETFL, O_NONBLOCK);
    number = ioctl(listener, SECCOMP_IOCTL_NOTIF_ADDFD, &give);
    return number < 0 ? -errno : number;
}

int proxy_answer(const struct string_list *allowed, int listener, const struct seccomp_notif *asked)
{
    static int serving;
    int family = (int)asked->data.args[0];
    int type = (int)asked->data.args[1] & 0xf;
    int ends[2] = {-1, -1};
    int result;
    pid_t pid;

    if ((family != AF_INET && family != AF_INET6) || type != SOCK_STREAM)
        return -EPERM;
    serving = count_serving(serving);
    if (serving >= PROXY_CONNECTIONS)
        return -EPERM;
    result = make_connection(ends);
    if (result < 0)
        return result;
    pid = fork();
    if (pid == 0) {
        close(listener);
        close(ends[0]);
        serve(allowed, ends[1]);
        _exit(0);
    }
    result = pid < 0 ? -errno : give(listener, asked, ends[0]);
    serving += pid > 0;
    close(ends[1]);
    close(ends[0]);
    return result;
}
