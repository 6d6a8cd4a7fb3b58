/*
 * openssl_module - the parts of safepyrun-openssl.so; see struct openssl for what they do
 */
#pragma once

#include "guard/link/bytes.h"

void *openssl_mac_new(const char *digest, struct bytes key, size_t *ret_size);
void openssl_mac_free(void *keyed);
bool openssl_mac_compute(void *keyed, const struct bytes *parts, size_t count, unsigned char *ret_mac);

char *openssl_seal_letter(const char *public_key, const char *text);
