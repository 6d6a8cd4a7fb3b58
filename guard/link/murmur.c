#include "guard/link/murmur.h"

#define MULTIPLIER 0x5bd1e995U

/* The algorithm is defined on little-endian words, whatever the machine. */
static uint32_t word_at(const unsigned char *data)
{
    return (uint32_t)data[0] | (uint32_t)data[1] << 8 | (uint32_t)data[2] << 16 |
           (uint32_t)data[3] << 24;
}

static uint32_t mix(uint32_t word)
{
    word *= MULTIPLIER;
    word ^= word >> 24;
    return word * MULTIPLIER;
}

uint32_t murmur2(struct bytes text, uint32_t seed)
{
    const unsigned char *data = text.data;
    size_t left = text.size;
    uint32_t hash = seed ^ (uint32_t)text.size;

    for (; left >= 4; left -= 4, data += 4)
        hash = hash * MULTIPLIER ^ mix(word_at(data));
    if (left > 0) {
        for (size_t i = 0; i < left; i++)
            hash ^= (uint32_t)data[i] << (8 * i);
        hash *= MULTIPLIER;
    }
    hash ^= hash >> 13;
    hash *= MULTIPLIER;
    return hash ^ hash >> 15;
}
