/*
 * server - a Model Context Protocol server with one guarded Python session
 *
 * Serves both ways in which clients begin: the handshake (initialize, revisions up to 2025-11-25) and
 * self-describing requests (server/discover, revision 2026-07-28). Code runs in the order in which it was
 * sent; status answers meanwhile. Ends with its input. Source: Model Context Protocol 2026-07-28.
 */
#pragma once

#include "kernel/mcp/backend.h"

/* On standard input and output. Returns the exit status of the process. */
int mcp_serve(const struct backend_options *options);
