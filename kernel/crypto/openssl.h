/*
 * openssl - what needs the whole library, loaded when somebody asks for it
 *
 * A module of ours, safepyrun-openssl.so, links libcrypto; a kernel with the usual signature scheme and a connection
 * file never loads it (why: sha256.h).
 */
#pragma once

#include "guard/link/bytes.h"

/* What the module offers under the name OPENSSL_SYMBOL. */
struct openssl {
    /* A key for HMAC with a digest as OpenSSL names it, and the size of the MAC in bytes; NULL: no such digest. */
    void *(*mac_new)(const char *digest, struct bytes key, size_t *ret_size);
    void (*mac_free)(void *keyed);
    bool (*mac_compute)(void *keyed, const struct bytes *parts, size_t count, unsigned char *ret_mac);

    /* Text for the holder of the private key only, as gateway_provisioners want it: JSON in base64, new. NULL: the
       public key (DER in base64) is no RSA key. */
    char *(*seal_letter)(const char *public_key, const char *text);
};

#define OPENSSL_FILE "safepyrun-openssl.so"
#define OPENSSL_SYMBOL "safepyrun_openssl"

/* Who knows where a file of the installation is; the path is new. Before anything else. */
void openssl_find_with(char *(*find)(const char *name));

/* NULL: it is not there. Never unloaded. */
const struct openssl *openssl_load(void);
