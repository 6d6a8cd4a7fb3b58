/* Attacks over the network and over sockets. */
#include "attacks.h"

#include <netinet/in.h>
#include <stddef.h>
#include <sys/un.h>

static struct sockaddr_in local(const struct target *t)
{
    return (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons((uint16_t)t->port),
                                .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

static int connect_by(int fd, const struct target *t)
{
    struct sockaddr_in address = local(t);

    if (fd < 0)
        return errno;
    if (connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
        return errno;
    return result(send(fd, "hello", 5, MSG_NOSIGNAL));
}

ATTACK(tcp) { return connect_by(socket(AF_INET, SOCK_STREAM, 0), t); }
ATTACK(mptcp) { return connect_by(socket(AF_INET, SOCK_STREAM, 262), t); }
ATTACK(udp) { return connect_by(socket(AF_INET, SOCK_DGRAM, 0), t); }
ATTACK(udp_sendto)
{
    struct sockaddr_in address = local(t);

    return result(sendto(socket(AF_INET, SOCK_DGRAM, 0), "hello", 5, 0, (struct sockaddr *)&address, sizeof(address)));
}
ATTACK(tcp_fast_open)
{
    struct sockaddr_in address = local(t);

    return result(sendto(socket(AF_INET, SOCK_STREAM, 0), "hello", 5, MSG_FASTOPEN | MSG_NOSIGNAL,
                         (struct sockaddr *)&address, sizeof(address)));
}
ATTACK(tcp_listen)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    if (bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
        return errno;
    return result(listen(fd, 1));
}
ATTACK(netlink) { return result(socket(AF_NETLINK, SOCK_RAW, 0)); }
ATTACK(packet) { return result(socket(AF_PACKET, SOCK_RAW, 0)); }
ATTACK(raw) { return result(socket(AF_INET, SOCK_RAW, 1)); }
static struct sockaddr_un unix_path(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    snprintf(address.sun_path, sizeof(address.sun_path), "%.100s", path);
    return address;
}
ATTACK(unix_connect)
{
    struct sockaddr_un address = unix_path(t->socket);
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    if (connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
        return errno;
    return result(send(fd, "hello", 5, MSG_NOSIGNAL));
}
ATTACK(unix_abstract)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    size_t size = strlen(t->abstract);
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    memcpy(address.sun_path + 1, t->abstract, size);
    if (connect(fd, (struct sockaddr *)&address, (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + size)) < 0)
        return errno;
    return result(send(fd, "hello", 5, MSG_NOSIGNAL));
}
ATTACK(unix_datagram_of_a_pair)
{
    char path[4200];
    struct sockaddr_un address;
    int pair[2];

    snprintf(path, sizeof(path), "%s.d", t->socket);
    address = unix_path(path);
    if (socketpair(AF_UNIX, SOCK_DGRAM, 0, pair) < 0)
        return errno;
    return result(sendto(pair[0], "hello", 5, 0, (struct sockaddr *)&address, sizeof(address)));
}
ATTACK(unix_sendmsg_of_a_stream)
{
    char path[4200];
    struct sockaddr_un address;
    struct iovec bytes = {"hello", 5};
    struct msghdr message = {.msg_name = &address, .msg_namelen = sizeof(address), .msg_iov = &bytes, .msg_iovlen = 1};
    int fd = socket(AF_UNIX, SOCK_DGRAM, 0);

    snprintf(path, sizeof(path), "%s.d", t->socket);
    address = unix_path(path);
    return result(sendmsg(fd, &message, 0));
}
