/*
 * connection_file - where to listen and with which key
 *
 * The launcher writes it; a port of 0 means that the kernel process chooses, and writes what it
 * chose back into the file (mode 0600). Unknown keys are kept. A *registration file* (it has a
 * "registration_port") names no ports: the kernel process chooses them and tells the launcher over
 * a socket; it is never rewritten. Source: jupyter_client, "Connection files" and "Registration
 * file format"; JEP 66; JEP 106.
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>

enum channel {
    CHANNEL_SHELL,
    CHANNEL_IOPUB,
    CHANNEL_STDIN,
    CHANNEL_CONTROL,
    CHANNEL_HEARTBEAT,
    CHANNEL_COUNT
};

struct port_range {
    int first, last; /* both 0: any port */
};

struct connection_file {
    char *path;     /* NULL: there is no file (gateway_file.h) */
    json_t *object; /* as read */
    char *transport;        /* "tcp" or "ipc" */
    char *ip;               /* address, or the path prefix of ipc */
    char *signature_scheme;
    char *key;
    int ports[CHANNEL_COUNT];
    char *curve_public; /* CurveZMQ keys of this end in Z85; both NULL: nothing is encrypted */
    char *curve_secret;
    char *registration_ip; /* NULL: an ordinary connection file */
    int registration_port;
    char *kernel_id;   /* what the launcher calls this kernel; with registration_ip or response_ip */
    char *response_ip; /* where a gateway waits for its letter, as the next two; NULL: none does */
    int response_port;
    char *response_key;
    struct port_range port_range; /* where ports that are 0 are chosen */
};

enum { CURVE_KEY_CHARACTERS = 40 };

/* "shell", "iopub", "stdin", "control", "hb": the names in the file. */
const char *channel_name(enum channel channel);

/*
 * connection_file_read() - read and check the file
 *
 * ret_error  on failure a new sentence that names the file and the key; free()
 *
 * Returns 0; 1 when the file is missing or wrong.
 */
int connection_file_read(const char *path, struct connection_file *ret_file, char **ret_error);
void connection_file_finish(struct connection_file *file);

/* Writes the ports as they are now, atomically, mode 0600. Returns 0; -errno. */
int connection_file_write(struct connection_file *file);

/* The ZeroMQ endpoint of a channel with this port, a new string. */
char *connection_file_endpoint(const struct connection_file *file, int port);

/* Must the launcher be told which ports were chosen? */
bool connection_file_wants_registration(const struct connection_file *file);
/* Where the launcher waits for that, a new string. */
char *connection_file_registration_endpoint(const struct connection_file *file);
