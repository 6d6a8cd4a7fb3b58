/*
 * murmur - the hash that names cells in the debugger's messages
 *
 * MurmurHash2 of 32 bits, because front ends compute the same name for the text of a cell from what
 * debugInfo tells them (JEP 47). Not for anything that an adversary must not foresee.
 */
#pragma once

#include "guard/link/bytes.h"

#include <stdint.h>

enum { MURMUR_SEED = 0x5afe }; /* any: debugInfo tells it */

uint32_t murmur2(struct bytes text, uint32_t seed);
