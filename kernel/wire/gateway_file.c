#include "kernel/wire/gateway_file.h"

#include "guard/link/cleanup.h"
#include "kernel/wire/session.h"

#include <openssl/evp.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <zmq.h>

enum {
    AES_KEY_BYTES = 16,
    AES_BLOCK_BYTES = 16,
    DER_MAX = 8192,
    LETTER_VERSION = 1,
    PORT_MAX = 65535
};

static int fail(char *error, char **ret_error)
{
    *ret_error = error;
    return 1;
}

/* "FIRST..LAST"; a range of one port stands for none, as everywhere in gateway_provisioners. */
static int read_port_range(const char *text, struct port_range *ret_range, char **ret_error)
{
    int first = 0, last = 0, end = 0;

    if (text == NULL || text[0] == '\0')
        return 0;
    if (sscanf(text, "%d..%d%n", &first, &last, &end) != 2 || text[end] != '\0' || first < 0 ||
        last < first || last > PORT_MAX || (first == 0 && last != 0))
        return fail(xasprintf("--port-range %s: not FIRST..LAST, two port numbers", text),
                    ret_error);
    if (first < last)
        *ret_range = (struct port_range){first, last};
    return 0;
}

static int read_response_address(const char *text, struct connection_file *file, char **ret_error)
{
    const char *colon = strrchr(text, ':');
    char *end = NULL;
    long port = colon != NULL && colon > text ? strtol(colon + 1, &end, 10) : 0;

    if (port < 1 || port > PORT_MAX || *end != '\0')
        return fail(xasprintf("--response-address %s: not IP:PORT", text), ret_error);
    file->response_ip = xstrndup(text, (size_t)(colon - text));
    file->response_port = (int)port;
    return 0;
}

/* A gateway that knows nothing of encryption leaves its placeholder as it stood in the kernelspec.
 */
static bool wants_encryption(const char *policy)
{
    return policy != NULL && policy[0] != '\0' && policy[0] != '{' &&
           strcmp(policy, "disabled") != 0;
}

static int make_curve_keys(const char *policy, struct connection_file *file, char **ret_error)
{
    if (!wants_encryption(policy))
        return 0;
    if (strcmp(policy, "auto") != 0 && strcmp(policy, "required") != 0)
        return fail(
            xasprintf("--transport-encryption %s: not one of auto, required, disabled", policy),
            ret_error);
    file->curve_public = xcalloc(1, CURVE_KEY_CHARACTERS + 1);
    file->curve_secret = xcalloc(1, CURVE_KEY_CHARACTERS + 1);
    if (zmq_curve_keypair(file->curve_public, file->curve_secret) == 0)
        return 0;
    free(steal(file->curve_public));
    free(steal(file->curve_secret));
    if (strcmp(policy, "auto") == 0)
        return 0;
    return fail(xstrdup("--transport-encryption required: this libzmq has no CurveZMQ"), ret_error);
}

int gateway_file_make(const struct gateway_launch *launch, struct connection_file *ret_file,
                      char **ret_error)
{
    struct connection_file file = {.object = NULL};
    char key[37];

    if (launch->public_key == NULL || launch->kernel_id == NULL)
        return fail(xstrdup("--response-address needs --public-key and --kernel-id"), ret_error);
    if (read_response_address(launch->response_address, &file, ret_error) != 0 ||
        read_port_range(launch->port_range, &file.port_range, ret_error) != 0 ||
        make_curve_keys(launch->transport_encryption, &file, ret_error) != 0) {
        connection_file_finish(&file);
        return 1;
    }
    session_random_uuid(key);
    file.transport = xstrdup("tcp");
    file.ip = xstrdup("0.0.0.0");
    file.signature_scheme = xstrdup("hmac-sha256");
    file.key = xstrdup(key);
    file.kernel_id = xstrdup(launch->kernel_id);
    file.response_key = xstrdup(launch->public_key);
    *ret_file = file;
    return 0;
}

/* `ip` is what we listen on; the gateway puts the host's address there. */
static char *describe(const struct connection_file *file, int signal_port)
{
    json_t *told = json_pack("{ss ss ss ss ss ss si si si}", "transport", file->transport, "ip",
                             file->ip, "key", file->key, "signature_scheme", file->signature_scheme,
                             "kernel_name", "", "kernel_id", file->kernel_id, "pid", (int)getpid(),
                             "pgid", (int)getpgid(0), "comm_port", signal_port);
    char *text;

    for (int channel = 0; told != NULL && channel < CHANNEL_COUNT; channel++) {
        cleanup_free char *name = xasprintf("%s_port", channel_name((enum channel)channel));

        json_object_set_new(told, name, json_integer(file->ports[channel]));
    }
    if (told != NULL && file->curve_secret != NULL) {
        json_object_set_new(told, "curve_publickey", json_string(file->curve_public));
        json_object_set_new(told, "curve_secretkey", json_string(file->curve_secret));
    }
    text = told != NULL ? json_dumps(told, JSON_COMPACT) : NULL;
    json_decref(told);
    return text;
}

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

int gateway_letter(const struct connection_file *file, int signal_port, struct buffer *letter)
{
    unsigned char key[AES_KEY_BYTES];
    cleanup_free char *text = describe(file, signal_port);
    cleanup_free char *sealed_key = NULL, *sealed_text = NULL, *payload = NULL, *coded = NULL;

    if (text == NULL || RAND_bytes(key, sizeof(key)) != 1)
        return 1;
    sealed_key = encrypt_key(file->response_key, key);
    sealed_text = encrypt_text(text, key);
    explicit_bzero(text, strlen(text));
    explicit_bzero(key, sizeof(key));
    if (sealed_key == NULL || sealed_text == NULL)
        return 1;
    payload = xasprintf("{\"version\": %d, \"key\": \"%s\", \"conn_info\": \"%s\"}", LETTER_VERSION,
                        sealed_key, sealed_text);
    coded = base64((const unsigned char *)payload, strlen(payload));
    buffer_append_string(letter, coded);
    return 0;
}
