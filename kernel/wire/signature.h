/*
 * signature - the HMAC that proves a message comes from somebody who has the connection file
 *
 * Owns the key. The digests of messages that were accepted are remembered, so that nobody can play
 * a recorded message again. Source: messaging 5.6, "The wire protocol".
 */
#pragma once

#include "guard/link/bytes.h"

enum {
    SIGNATURE_FRAMES = 4, /* header, parent header, metadata, content; buffers are not signed */
    SIGNATURE_HEX_MAX = 2 * 64,
    REPLAY_MEMORY = 65536, /* digests remembered, as jupyter_client's digest_history_size */
};

enum {
    SIGNATURE_E_UNKNOWN_SCHEME = 1, /* not "hmac-<digest>", or OpenSSL lacks the digest, or is not there */
    SIGNATURE_E_WRONG,
    SIGNATURE_E_REPLAYED,
};

struct signature_key; /* opaque */

/*
 * signature_key_new() - take the key of a connection file
 *
 * scheme   "hmac-" and the name of a digest as Python's hashlib or OpenSSL spells it
 * key      empty: messages are neither signed nor checked
 * ret_key  a new key; signature_key_free()
 *
 * Returns 0; SIGNATURE_E_UNKNOWN_SCHEME.
 */
int signature_key_new(const char *scheme, struct bytes key, struct signature_key **ret_key);
void signature_key_free(struct signature_key *key);

/* Writes the signature in lower-case hex and NUL; an empty string without a key. */
void signature_sign(struct signature_key *key, const struct bytes parts[SIGNATURE_FRAMES],
                    char ret_hex[SIGNATURE_HEX_MAX + 1]);

/*
 * signature_check() - whether the parts carry the right signature, for the first time
 *
 * Compares in constant time. A digest is remembered only after it was found right: a stranger
 * cannot fill the memory. Returns 0; SIGNATURE_E_WRONG; SIGNATURE_E_REPLAYED.
 */
int signature_check(struct signature_key *key, const struct bytes parts[SIGNATURE_FRAMES],
                    struct bytes hex);
