#include "kernel/crypto/mac.h"

#include "guard/link/buffer.h"
#include "kernel/crypto/openssl.h"
#include "kernel/crypto/sha256.h"

#include <openssl/crypto.h>

/* One of the two is NULL. */
struct mac {
    struct sha256_mac *sha256;
    const struct openssl *openssl;
    void *keyed; /* openssl's */
    size_t size;
};

static bool key_with_openssl(struct mac *mac, const char *digest, struct bytes key)
{
    mac->openssl = openssl_load();
    if (mac->openssl != NULL)
        mac->keyed = mac->openssl->mac_new(digest, key, &mac->size);
    return mac->keyed != NULL && mac->size <= MAC_BYTES_MAX;
}

struct mac *mac_new(const char *digest, struct bytes key)
{
    struct mac *mac = xcalloc(1, sizeof(*mac));

    if (strcasecmp(digest, "sha256") == 0) {
        mac->sha256 = sha256_mac_new(key);
        mac->size = SHA256_BYTES;
    } else if (!key_with_openssl(mac, digest, key)) {
        mac_free(mac);
        return NULL;
    }
    return mac;
}

void mac_free(struct mac *mac)
{
    if (mac == NULL)
        return;
    sha256_mac_free(mac->sha256);
    if (mac->keyed != NULL)
        mac->openssl->mac_free(mac->keyed);
    free(mac);
}

size_t mac_size(const struct mac *mac)
{
    return mac->size;
}

void mac_compute(const struct mac *mac, const struct bytes *parts, size_t count, unsigned char *ret_mac)
{
    if (mac->sha256 != NULL)
        sha256_mac_compute(mac->sha256, parts, count, ret_mac);
    else if (!mac->openssl->mac_compute(mac->keyed, parts, count, ret_mac))
        abort(); /* an unkeyed or half-made digest must never be compared or sent */
}

bool mac_is_same(const void *one, const void *other, size_t size)
{
    return CRYPTO_memcmp(one, other, size) == 0;
}
