/*
 * handshake - tells the launcher which ports were chosen
 *
 * With a registration file the kernel process binds first and then sends its ports to the launcher,
 * signed, and waits for a signed acknowledgement; no port can be taken by somebody else in
 * between. The loop goes on meanwhile. Not for ordinary connection files. Source: messaging 5.6,
 * "Kernel startup handshake"; JEP 66.
 */
#pragma once

#include "kernel/loop.h"
#include "kernel/wire/connection_file.h"
#include "kernel/wire/signature.h"

struct handshake {
    struct loop *loop;
    struct signature_key *key; /* borrowed */
    void *socket;              /* owned; NULL when there is nothing to wait for */
    struct loop_source source;
    struct loop_timer timer;
};

enum { HANDSHAKE_TIMEOUT_MS = 5000 };

/*
 * handshake_start() - connect, send, and wait in the loop
 *
 * zmq_context, key  borrowed until handshake_finish()
 *
 * A launcher that does not acknowledge in HANDSHAKE_TIMEOUT_MS ends the loop with -ETIMEDOUT, a
 * wrong answer with -EBADMSG: nobody would ever find this kernel. Returns 0 or -errno.
 */
int handshake_start(struct handshake *handshake, struct loop *loop, void *zmq_context,
                    struct signature_key *key, const struct connection_file *file);
/* Also after one that never started. */
void handshake_finish(struct handshake *handshake);
