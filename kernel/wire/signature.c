#include "kernel/wire/signature.h"

#include "guard/link/buffer.h"
#include "kernel/crypto/mac.h"

#include <stdint.h>

enum { SLOTS = 2 * REPLAY_MEMORY /* a power of two */ };

/*
 * The digests that were seen: a ring in order of arrival and an open-addressed set of ring
 * positions beside it, so that both "was it here" and "forget the oldest" cost no search. 32 bytes
 * of each digest are kept, which is all of hmac-sha256.
 */
struct replay_memory {
    unsigned char digests[REPLAY_MEMORY][32];
    uint32_t slots[SLOTS]; /* position + 1; 0 is free */
    uint32_t next;
    bool full;
};

struct signature_key {
    struct mac *mac; /* NULL: no key */
    struct replay_memory *seen;
};

static uint32_t slot_of(const unsigned char *digest)
{
    uint32_t hash;

    memcpy(&hash, digest, sizeof(hash)); /* a MAC is as random as a hash needs to be */
    return hash & (SLOTS - 1);
}

static bool memory_find(const struct replay_memory *memory, const unsigned char *digest)
{
    for (uint32_t slot = slot_of(digest); memory->slots[slot] != 0; slot = (slot + 1) & (SLOTS - 1))
        if (memcmp(memory->digests[memory->slots[slot] - 1], digest, 32) == 0)
            return true;
    return false;
}

static void memory_insert_position(struct replay_memory *memory, uint32_t position)
{
    uint32_t slot = slot_of(memory->digests[position]);

    while (memory->slots[slot] != 0)
        slot = (slot + 1) & (SLOTS - 1);
    memory->slots[slot] = position + 1;
}

/* Takes one position out and closes the gap that it leaves in its run of slots. */
static void memory_remove_position(struct replay_memory *memory, uint32_t position)
{
    uint32_t slot = slot_of(memory->digests[position]);

    while (memory->slots[slot] != position + 1)
        slot = (slot + 1) & (SLOTS - 1);
    memory->slots[slot] = 0;
    for (slot = (slot + 1) & (SLOTS - 1); memory->slots[slot] != 0; slot = (slot + 1) & (SLOTS - 1)) {
        uint32_t moved = memory->slots[slot] - 1;

        memory->slots[slot] = 0;
        memory_insert_position(memory, moved);
    }
}

static void memory_add(struct replay_memory *memory, const unsigned char *digest)
{
    if (memory->full)
        memory_remove_position(memory, memory->next);
    memcpy(memory->digests[memory->next], digest, 32);
    memory_insert_position(memory, memory->next);
    memory->next++;
    if (memory->next == REPLAY_MEMORY) {
        memory->next = 0;
        memory->full = true;
    }
}

/* Python's hashlib writes some names otherwise than OpenSSL does. */
static bool digest_name(const char *scheme, char ret_name[64])
{
    static const char *const aliases[][2] = {
        {"blake2b", "BLAKE2B-512"}, {"blake2s", "BLAKE2S-256"}, {"sha512_224", "SHA512-224"},
        {"sha512_256", "SHA512-256"}, {"sha3_224", "SHA3-224"}, {"sha3_256", "SHA3-256"},
        {"sha3_384", "SHA3-384"}, {"sha3_512", "SHA3-512"},
    };
    const char *name = scheme + 5;

    if (strncmp(scheme, "hmac-", 5) != 0 || *name == '\0' || strlen(name) >= 64)
        return false;
    strcpy(ret_name, name);
    for (size_t i = 0; i < sizeof(aliases) / sizeof(aliases[0]); i++)
        if (strcasecmp(name, aliases[i][0]) == 0)
            strcpy(ret_name, aliases[i][1]);
    return true;
}

int signature_key_new(const char *scheme, struct bytes key, struct signature_key **ret_key)
{
    struct signature_key *made;
    char digest[64];
    struct mac *mac;

    if (!digest_name(scheme, digest))
        return SIGNATURE_E_UNKNOWN_SCHEME;
    /* The scheme is checked also when there is no key: a wrong name is a wrong file. */
    mac = mac_new(digest, key.size != 0 ? key : BYTES_LITERAL("probe"));
    if (mac == NULL)
        return SIGNATURE_E_UNKNOWN_SCHEME;
    made = xcalloc(1, sizeof(*made));
    if (key.size != 0) {
        made->mac = mac;
        made->seen = xcalloc(1, sizeof(*made->seen));
    } else
        mac_free(mac);
    *ret_key = made;
    return 0;
}

void signature_key_free(struct signature_key *key)
{
    if (key == NULL)
        return;
    mac_free(key->mac);
    free(key->seen);
    free(key);
}

static void write_hex(const unsigned char *digest, size_t size, char *hex)
{
    static const char digits[] = "0123456789abcdef";

    for (size_t i = 0; i < size; i++) {
        hex[2 * i] = digits[digest[i] >> 4];
        hex[2 * i + 1] = digits[digest[i] & 15];
    }
    hex[2 * size] = '\0';
}

void signature_sign(struct signature_key *key, const struct bytes parts[SIGNATURE_FRAMES],
                    char ret_hex[SIGNATURE_HEX_MAX + 1])
{
    unsigned char digest[MAC_BYTES_MAX];

    ret_hex[0] = '\0';
    if (key->mac == NULL)
        return;
    mac_compute(key->mac, parts, SIGNATURE_FRAMES, digest);
    write_hex(digest, mac_size(key->mac), ret_hex);
}

int signature_check(struct signature_key *key, const struct bytes parts[SIGNATURE_FRAMES],
                    struct bytes hex)
{
    unsigned char digest[MAC_BYTES_MAX] = {0}; /* the memory keeps 32 bytes, of shorter ones too */
    char expected[SIGNATURE_HEX_MAX + 1];

    if (key->mac == NULL)
        return 0;
    if (hex.size != 2 * mac_size(key->mac))
        return SIGNATURE_E_WRONG;
    mac_compute(key->mac, parts, SIGNATURE_FRAMES, digest);
    write_hex(digest, mac_size(key->mac), expected);
    if (!mac_is_same(expected, hex.data, hex.size))
        return SIGNATURE_E_WRONG;
    if (memory_find(key->seen, digest))
        return SIGNATURE_E_REPLAYED;
    memory_add(key->seen, digest);
    return 0;
}
