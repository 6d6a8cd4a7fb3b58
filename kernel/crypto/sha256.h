/*
 * sha256 - the digest that every message needs, and its MAC
 *
 * OpenSSL's own code, which uses what the processor has for it, linked out of its archive: the library as a whole
 * costs each kernel two megabytes and each start a millisecond. What else is needed of it: openssl.h.
 * Source: FIPS 180-4; RFC 2104 (HMAC).
 */
#pragma once

#include "guard/link/bytes.h"

enum { SHA256_BYTES = 32 };

void sha256_digest(struct bytes data, unsigned char ret_digest[SHA256_BYTES]);

struct sha256_mac; /* opaque: a key */

struct sha256_mac *sha256_mac_new(struct bytes key);
void sha256_mac_free(struct sha256_mac *mac);

/* Of all parts, one behind the other. */
void sha256_mac_compute(const struct sha256_mac *mac, const struct bytes *parts, size_t count,
                        unsigned char ret_digest[SHA256_BYTES]);
