/*
 * proxy - the network as far as [network] allow lists it
 *
 * A guard under the ring has no socket of the network. What it gets when it asks for one is a
 * connection, made by the broker, that leads to this proxy and nowhere else: whatever address it is
 * then told to connect to. The proxy speaks HTTP (CONNECT, and plain requests) and connects to what
 * is on the list. It looks the names up itself; nothing else of the guard's leaves the machine. One
 * process for each connection, without the guard's memory in reach. Source: RFC 9110, "CONNECT".
 */
#pragma once

#include "guard/policy/policy.h"

#include <linux/seccomp.h>

enum { PROXY_CONNECTIONS = 64 };

/*
 * proxy_answer() - socket(): a new connection to a proxy of its own
 *
 * Returns the descriptor that the asker has now, or -errno for the asker.
 */
int proxy_answer(const struct string_list *allowed, int listener, const struct seccomp_notif *asked);
