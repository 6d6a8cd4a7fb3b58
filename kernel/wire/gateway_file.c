#include "kernel/wire/gateway_file.h"

#include "guard/link/cleanup.h"
#include "kernel/crypto/openssl.h"
#include "kernel/wire/session.h"

#include <zmq.h>

enum { PORT_MAX = 65535 };

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

int gateway_letter(const struct connection_file *file, int signal_port, struct buffer *letter)
{
    const struct openssl *openssl = openssl_load();
    cleanup_free char *text = openssl != NULL ? describe(file, signal_port) : NULL;
    cleanup_free char *sealed = NULL;

    if (text == NULL)
        return 1;
    sealed = openssl->seal_letter(file->response_key, text);
    explicit_bzero(text, strlen(text));
    if (sealed == NULL)
        return 1;
    buffer_append_string(letter, sealed);
    return 0;
}
