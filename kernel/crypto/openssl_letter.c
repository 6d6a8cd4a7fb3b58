#include "kernel/crypto/openssl_module.h"

#include "guard/link/buffer.h"
#include "guard/link/cleanup.h"

#include <openssl/evp.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

enum { AES_KEY_BYTES = 16, AES_BLOCK_BYTES = 16, DER_MAX = 8192, LETTER_VERSION = 1 };

static char *base64(const unsigned char *data, size_t size)
{
    char *text = xmalloc(4 * ((size + 2) / 3) + 1);

    EVP_EncodeBlock((unsigned char *)text, data, (int)size);
    return text;
}

static EVP_PKEY *read_public_key(const char *text)
{
    unsigned char der[DER_MAX];
    const unsigned char *at = der;
    size_t size = strlen(text);
    int decoded = size / 4 * 3 <= sizeof(der)
                      ? EVP_DecodeBlock(der, (const unsigned char *)text, (int)size)
                      : -1;

    return decoded > 0 ? d2i_PUBKEY(NULL, &at, decoded) : NULL; /* padding at the end is not read */
}

/* The AES key for the gateway's eyes, in base64; NULL when the public key is no RSA key. */
static char *encrypt_key(const char *public_key, const unsigned char key[AES_KEY_BYTES])
{
    EVP_PKEY *gateway = read_public_key(public_key);
    EVP_PKEY_CTX *context = gateway != NULL ? EVP_PKEY_CTX_new(gateway, NULL) : NULL;
    unsigned char sealed[DER_MAX];
    size_t size = sizeof(sealed);
    bool done = context != NULL && EVP_PKEY_get_base_id(gateway) == EVP_PKEY_RSA &&
                EVP_PKEY_encrypt_init(context) == 1 &&
                EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PADDING) == 1 &&
                EVP_PKEY_encrypt(context, sealed, &size, key, AES_KEY_BYTES) == 1;

    EVP_PKEY_CTX_free(context);
    EVP_PKEY_free(gateway);
    return done ? base64(sealed, size) : NULL;
}

/* ECB is what version 1 of the letter says; a new key each time. */
static char *encrypt_text(const char *text, const unsigned char key[AES_KEY_BYTES])
{
    size_t room = strlen(text) + AES_BLOCK_BYTES;
    cleanup_free unsigned char *sealed = xmalloc(room);
    EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
    int size = 0, rest = 0;
    bool done =
        context != NULL && EVP_EncryptInit_ex(context, EVP_aes_128_ecb(), NULL, key, NULL) == 1 &&
        EVP_EncryptUpdate(context, sealed, &size, (const unsigned char *)text, (int)strlen(text)) ==
            1 &&
        EVP_EncryptFinal_ex(context, sealed + size, &rest) == 1;

    EVP_CIPHER_CTX_free(context);
    return done ? base64(sealed, (size_t)(size + rest)) : NULL;
}

char *openssl_seal_letter(const char *public_key, const char *text)
{
    unsigned char key[AES_KEY_BYTES];
    cleanup_free char *sealed_key = NULL, *sealed_text = NULL, *payload = NULL;

    if (RAND_bytes(key, sizeof(key)) != 1)
        return NULL;
    sealed_key = encrypt_key(public_key, key);
    sealed_text = encrypt_text(text, key);
    explicit_bzero(key, sizeof(key));
    if (sealed_key == NULL || sealed_text == NULL)
        return NULL;
    payload = xasprintf("{\"version\": %d, \"key\": \"%s\", \"conn_info\": \"%s\"}", LETTER_VERSION,
                        sealed_key, sealed_text);
    return base64((const unsigned char *)payload, strlen(payload));
}
