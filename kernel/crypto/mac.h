/*
 * mac - HMAC with a digest of any name that OpenSSL has
 *
 * SHA-256, which all clients use by default, is our own copy of OpenSSL's code (sha256.h); for any other name the
 * library is loaded. Owns the key.
 */
#pragma once

#include "guard/link/bytes.h"

enum { MAC_BYTES_MAX = 64 };

struct mac; /* opaque */

/* NULL: OpenSSL knows no such digest, or is not there, or the MAC would be longer than MAC_BYTES_MAX. */
struct mac *mac_new(const char *digest, struct bytes key);
void mac_free(struct mac *mac);

size_t mac_size(const struct mac *mac); /* bytes */

/* Of all parts, one behind the other. Ends the process rather than return what is no MAC. */
void mac_compute(const struct mac *mac, const struct bytes *parts, size_t count, unsigned char *ret_mac);

/* In a time that tells nothing of where they differ. */
bool mac_is_same(const void *one, const void *other, size_t size);
