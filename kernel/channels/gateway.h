/*
 * gateway - tells a gateway on another machine where this kernel listens
 *
 * The way of gateway_provisioners: one sealed letter over TCP, without an answer
 * (wire/gateway_file.h), and a port for signals that stays open as long as the kernel lives. The
 * loop goes on meanwhile. Not for connection files, nor for registration files (handshake.h).
 */
#pragma once

#include "kernel/channels/signal_port.h"
#include "kernel/wire/connection_file.h"

#include "guard/link/buffer.h"

struct gateway {
    struct loop *loop; /* NULL: there is none */
    struct loop_source sender;
    struct loop_timer timer;
    struct buffer letter; /* what is still to be sent */
    struct signal_port signals;
};

enum { GATEWAY_TIMEOUT_MS = 30000 };

/*
 * gateway_start() - open the port for signals, connect, and send in the loop
 *
 * file       with all ports chosen
 * ret_error  on failure a new sentence; free()
 *
 * A gateway that cannot be reached within GATEWAY_TIMEOUT_MS ends the loop with a fault: nobody
 * would ever find this kernel. Returns 0 or 1.
 */
int gateway_start(struct gateway *gateway, struct loop *loop, const struct connection_file *file,
                  char **ret_error);
/* Also after one that never started. */
void gateway_finish(struct gateway *gateway);
