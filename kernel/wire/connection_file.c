#include "kernel/wire/connection_file.h"

#include "guard/link/buffer.h"
#include "guard/link/cleanup.h"

#include <fcntl.h>

static const char *const names[CHANNEL_COUNT] = {
    [CHANNEL_SHELL] = "shell",     [CHANNEL_IOPUB] = "iopub",  [CHANNEL_STDIN] = "stdin",
    [CHANNEL_CONTROL] = "control", [CHANNEL_HEARTBEAT] = "hb",
};

const char *channel_name(enum channel channel)
{
    return names[channel];
}

static int fail(const char *path, const char *reason, char **ret_error)
{
    *ret_error = xasprintf("connection file %s: %s", path, reason);
    return 1;
}

static int read_ports(struct connection_file *file, char **ret_error)
{
    for (int channel = 0; channel < CHANNEL_COUNT; channel++) {
        cleanup_free char *key = xasprintf("%s_port", names[channel]);
        json_t *port = json_object_get(file->object, key);
        cleanup_free char *reason =
            xasprintf("\"%s\" must be a port number from 0 to 65535", key);

        if (port == NULL)
            continue; /* 0: ours to choose */
        if (!json_is_integer(port) || json_integer_value(port) < 0 ||
            json_integer_value(port) > 65535)
            return fail(file->path, reason, ret_error);
        file->ports[channel] = (int)json_integer_value(port);
    }
    return 0;
}

/* A string member as a new string; `otherwise` where the file has none. */
static int read_string(const struct connection_file *file, const char *key, const char *otherwise,
                       char **ret_text, char **ret_error)
{
    json_t *value = json_object_get(file->object, key);
    cleanup_free char *reason = xasprintf("\"%s\" must be a string", key);

    if (value != NULL && !json_is_string(value))
        return fail(file->path, reason, ret_error);
    *ret_text = xstrdup(value != NULL ? json_string_value(value) : otherwise);
    return 0;
}

static bool has(const struct connection_file *file, const char *key)
{
    return json_object_get(file->object, key) != NULL;
}

/* The documentation has a number here, one launcher writes a string. */
static int read_registration_port(struct connection_file *file, char **ret_error)
{
    json_t *port = json_object_get(file->object, "registration_port");
    char *end = NULL;
    long number = -1;

    if (json_is_integer(port))
        number = (long)json_integer_value(port);
    else if (json_is_string(port) && json_string_length(port) > 0)
        number = strtol(json_string_value(port), &end, 10);
    if (number < 1 || number > 65535 || (end != NULL && *end != '\0'))
        return fail(file->path, "\"registration_port\" must be a port number from 1 to 65535",
                    ret_error);
    file->registration_port = (int)number;
    return 0;
}

static int read_registration(struct connection_file *file, char **ret_error)
{
    if (!has(file, "registration_port"))
        return 0;
    if (!has(file, "kernel_id"))
        return fail(file->path, "\"kernel_id\" is missing beside \"registration_port\"", ret_error);
    if (read_string(file, "registration_ip", "127.0.0.1", &file->registration_ip, ret_error) != 0 ||
        read_string(file, "kernel_id", "", &file->kernel_id, ret_error) != 0)
        return 1;
    return read_registration_port(file, ret_error);
}

/* Half a pair, or one of the wrong length, would be a kernel that nobody can talk to, or everybody. */
static int read_curve_keys(struct connection_file *file, char **ret_error)
{
    if (!has(file, "curve_publickey") && !has(file, "curve_secretkey"))
        return 0;
    if (read_string(file, "curve_publickey", "", &file->curve_public, ret_error) != 0 ||
        read_string(file, "curve_secretkey", "", &file->curve_secret, ret_error) != 0)
        return 1;
    if (strlen(file->curve_public) != CURVE_KEY_CHARACTERS ||
        strlen(file->curve_secret) != CURVE_KEY_CHARACTERS)
        return fail(file->path,
                    "\"curve_publickey\" and \"curve_secretkey\" must both be keys of 40 "
                    "characters in Z85",
                    ret_error);
    return 0;
}

/* The address to listen at: with ipc the path prefix that both ends know. */
static const char *usual_ip(const struct connection_file *file)
{
    bool is_ipc = strcmp(file->transport, "ipc") == 0;

    return is_ipc && file->registration_ip != NULL ? file->registration_ip : "127.0.0.1";
}

static int read_fields(struct connection_file *file, char **ret_error)
{
    if (read_string(file, "transport", "tcp", &file->transport, ret_error) != 0 ||
        read_registration(file, ret_error) != 0 || read_curve_keys(file, ret_error) != 0 ||
        read_string(file, "ip", usual_ip(file), &file->ip, ret_error) != 0 ||
        read_string(file, "signature_scheme", "hmac-sha256", &file->signature_scheme, ret_error) !=
            0 ||
        read_string(file, "key", "", &file->key, ret_error) != 0)
        return 1;
    /* No key at all is a broken file; "" is a decision. */
    if (json_object_get(file->object, "key") == NULL)
        return fail(file->path, "\"key\" is missing; \"\" would mean unsigned messages", ret_error);
    if (strcmp(file->transport, "tcp") != 0 && strcmp(file->transport, "ipc") != 0)
        return fail(file->path, "\"transport\" must be \"tcp\" or \"ipc\"", ret_error);
    return read_ports(file, ret_error);
}

int connection_file_read(const char *path, struct connection_file *ret_file, char **ret_error)
{
    struct connection_file file = {.path = xstrdup(path)};
    json_error_t error;
    int result;

    file.object = json_load_file(path, JSON_REJECT_DUPLICATES, &error);
    if (file.object == NULL || !json_is_object(file.object))
        result = fail(path, file.object == NULL ? error.text : "not a JSON object", ret_error);
    else
        result = read_fields(&file, ret_error);
    if (result != 0) {
        connection_file_finish(&file);
        return result;
    }
    *ret_file = file;
    return 0;
}

void connection_file_finish(struct connection_file *file)
{
    json_decref(file->object);
    free(file->path);
    free(file->transport);
    free(file->ip);
    free(file->signature_scheme);
    free(file->key);
    free(file->curve_public);
    if (file->curve_secret != NULL)
        explicit_bzero(file->curve_secret, strlen(file->curve_secret));
    free(file->curve_secret);
    free(file->registration_ip);
    free(file->kernel_id);
    free(file->response_ip);
    free(file->response_key);
    *file = (struct connection_file){.path = NULL};
}

/* Returns 0 or -errno. */
static int write_whole(const char *path, const char *text)
{
    cleanup_close int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    size_t size = strlen(text);

    if (fd < 0 || write(fd, text, size) != (ssize_t)size || fsync(fd) < 0)
        return errno != 0 ? -errno : -EIO;
    return 0;
}

int connection_file_write(struct connection_file *file)
{
    cleanup_free char *temporary = xasprintf("%s.%d", file->path, (int)getpid());
    cleanup_free char *text = NULL;
    int result;

    for (int channel = 0; channel < CHANNEL_COUNT; channel++) {
        cleanup_free char *key = xasprintf("%s_port", names[channel]);

        json_object_set_new(file->object, key, json_integer(file->ports[channel]));
    }
    text = json_dumps(file->object, JSON_INDENT(1) | JSON_PRESERVE_ORDER);
    unlink(temporary); /* in a container the kernel before had the same pid */
    errno = 0;
    result = text != NULL ? write_whole(temporary, text) : -EINVAL;
    if (result == 0 && rename(temporary, file->path) < 0)
        result = -errno;
    if (result != 0)
        unlink(temporary);
    return result;
}

static char *endpoint(const struct connection_file *file, const char *ip, int port)
{
    if (strcmp(file->transport, "ipc") == 0)
        return xasprintf("ipc://%s-%d", ip, port);
    if (port == 0)
        return xasprintf("tcp://%s:*", ip);
    return xasprintf("tcp://%s:%d", ip, port);
}

char *connection_file_endpoint(const struct connection_file *file, int port)
{
    return endpoint(file, file->ip, port);
}

bool connection_file_wants_registration(const struct connection_file *file)
{
    return file->registration_ip != NULL;
}

char *connection_file_registration_endpoint(const struct connection_file *file)
{
    return endpoint(file, file->registration_ip, file->registration_port);
}
