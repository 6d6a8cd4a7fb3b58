#include "kernel/crypto/openssl_module.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>

void *openssl_mac_new(const char *digest, struct bytes key, size_t *ret_size)
{
    EVP_MAC *mac = EVP_MAC_fetch(NULL, "HMAC", NULL);
    EVP_MAC_CTX *keyed = mac != NULL ? EVP_MAC_CTX_new(mac) : NULL;
    OSSL_PARAM parameters[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, (char *)digest, 0),
        OSSL_PARAM_construct_end(),
    };

    EVP_MAC_free(mac);
    if (keyed == NULL || EVP_MAC_init(keyed, key.data, key.size, parameters) != 1) {
        EVP_MAC_CTX_free(keyed);
        return NULL;
    }
    *ret_size = EVP_MAC_CTX_get_mac_size(keyed);
    return keyed;
}

void openssl_mac_free(void *keyed)
{
    EVP_MAC_CTX_free(keyed);
}

bool openssl_mac_compute(void *keyed, const struct bytes *parts, size_t count, unsigned char *ret_mac)
{
    EVP_MAC_CTX *context = EVP_MAC_CTX_dup(keyed);
    size_t size = context != NULL ? EVP_MAC_CTX_get_mac_size(context) : 0;
    bool done = context != NULL;

    for (size_t i = 0; done && i < count; i++)
        if (parts[i].size != 0)
            done = EVP_MAC_update(context, parts[i].data, parts[i].size) == 1;
    done = done && EVP_MAC_final(context, ret_mac, &size, size) == 1;
    EVP_MAC_CTX_free(context);
    return done;
}
