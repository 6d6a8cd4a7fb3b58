/*
 * relay - bytes between two connections, both ways at once, until both have ended
 *
 * Neither way waits for the other: a server may answer before it has read all, and a client may ask
 * before it has read the answer. The end of one way is passed on while the other stays open; what is
 * gone altogether, and not only done with sending, is found by asking it now and then. Owns nothing.
 */
#pragma once

/* client: its other end is on this machine; server. Both are switched to not waiting. */
void relay_until_end(int client, int server);
