/*
 * signal_port - a TCP port through which a gateway on another machine asks for signals
 *
 * gateway_provisioners looks whether a kernel lives by connecting here, and sends {"signum": N}
 * where a local launcher would call kill(). The protocol has no authentication, so requests are
 * heard from the gateway's address only, and only the signals that launchers use are raised, in
 * this process. Not a way to talk to the guard. Source: gateway_provisioners, "Implementing a
 * kernel launcher".
 */
#pragma once

#include "kernel/loop.h"

enum { SIGNAL_PORT_PEERS = 8, SIGNAL_REQUEST_MAX = 128 };

struct signal_peer {
    struct loop_source source; /* fd -1: nobody */
    struct signal_port *port;
    char request[SIGNAL_REQUEST_MAX];
    size_t size;
};

struct signal_port {
    struct loop *loop; /* NULL: not open */
    struct loop_source listener;
    uint32_t gateway; /* IPv4, in network order */
    struct signal_peer
        peers[SIGNAL_PORT_PEERS]; /* when all are taken, the one that came first makes room */
    size_t next;
    bool warned; /* strangers are told of once */
};

/*
 * signal_port_open() - listen in the loop
 *
 * fd       a listening socket that does not block, TAKEN
 * gateway  who is heard: an IPv4 address in network order
 */
void signal_port_open(struct signal_port *port, struct loop *loop, int fd, uint32_t gateway);
/* Also after one that never opened. */
void signal_port_close(struct signal_port *port);
