#include "kernel/crypto/sha256.h"

#include "guard/link/buffer.h"

/* OpenSSL would rather have everybody go through EVP, which cannot be had without the whole library. */
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/sha.h>

enum { BLOCK_BYTES = SHA256_CBLOCK };

/* Both hashes as they are when the key is in. */
struct sha256_mac {
    SHA256_CTX inner;
    SHA256_CTX outer;
};

static void add(SHA256_CTX *hash, struct bytes data)
{
    if (data.size != 0)
        SHA256_Update(hash, data.data, data.size);
}

void sha256_digest(struct bytes data, unsigned char ret_digest[SHA256_BYTES])
{
    SHA256_CTX hash;

    SHA256_Init(&hash);
    add(&hash, data);
    SHA256_Final(ret_digest, &hash);
}

static void begin_with_pad(SHA256_CTX *hash, const unsigned char key[BLOCK_BYTES], unsigned char pad)
{
    unsigned char block[BLOCK_BYTES];

    for (size_t i = 0; i < BLOCK_BYTES; i++)
        block[i] = key[i] ^ pad;
    SHA256_Init(hash);
    SHA256_Update(hash, block, BLOCK_BYTES);
    explicit_bzero(block, sizeof(block));
}

struct sha256_mac *sha256_mac_new(struct bytes key)
{
    struct sha256_mac *mac = xmalloc(sizeof(*mac));
    unsigned char block[BLOCK_BYTES] = {0};

    if (key.size > BLOCK_BYTES)
        sha256_digest(key, block);
    else if (key.size != 0)
        memcpy(block, key.data, key.size);
    begin_with_pad(&mac->inner, block, 0x36);
    begin_with_pad(&mac->outer, block, 0x5c);
    explicit_bzero(block, sizeof(block));
    return mac;
}

void sha256_mac_free(struct sha256_mac *mac)
{
    if (mac == NULL)
        return;
    explicit_bzero(mac, sizeof(*mac));
    free(mac);
}

void sha256_mac_compute(const struct sha256_mac *mac, const struct bytes *parts, size_t count,
                        unsigned char ret_digest[SHA256_BYTES])
{
    SHA256_CTX hash = mac->inner;

    for (size_t i = 0; i < count; i++)
        add(&hash, parts[i]);
    SHA256_Final(ret_digest, &hash);
    hash = mac->outer;
    SHA256_Update(&hash, ret_digest, SHA256_BYTES);
    SHA256_Final(ret_digest, &hash);
}
