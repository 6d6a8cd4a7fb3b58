/*
 * The floor of a kernel: libzmq and signatures, and nothing behind them
 *
 * Answers each request on shell and control with the two status messages around it, and an execute_request with the result
 * "2" besides. No Python, no JSON reader, no checks: for the benchmark alone. Started as echo_kernel CONNECTION_FILE.
 */
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zmq.h>

enum { FRAMES_MAX = 16, TEXT_MAX = 4096 };

static char key[128];
static unsigned long sent;

struct text {
    char *data;
    size_t size;
};

static void *open_socket(void *context, int kind, const char *file, const char *name)
{
    char field[32];
    char address[64];
    const char *at;
    void *socket = zmq_socket(context, kind);

    snprintf(field, sizeof(field), "\"%s_port\": ", name);
    at = strstr(file, field);
    if (at == NULL)
        exit(2);
    snprintf(address, sizeof(address), "tcp://127.0.0.1:%d", atoi(at + strlen(field)));
    if (zmq_bind(socket, address) != 0)
        exit(2);
    return socket;
}

static void sign(const struct text parts[4], char ret_hex[65])
{
    HMAC_CTX *context = HMAC_CTX_new();
    unsigned char digest[32];
    unsigned size = 0;

    HMAC_Init_ex(context, key, (int)strlen(key), EVP_sha256(), NULL);
    for (int i = 0; i < 4; i++)
        HMAC_Update(context, (unsigned char *)parts[i].data, parts[i].size);
    HMAC_Final(context, digest, &size);
    HMAC_CTX_free(context);
    for (unsigned i = 0; i < size; i++)
        sprintf(ret_hex + 2 * i, "%02x", digest[i]);
}

static void send_message(void *socket, const struct text *address, const char *type, struct text parent, const char *content)
{
    char header[256];
    char hex[65];
    struct text parts[4] = {{header, 0}, parent, {"{}", 2}, {(char *)content, strlen(content)}};

    parts[0].size = (size_t)snprintf(header, sizeof(header),
                                     "{\"msg_id\":\"echo_%lu\",\"session\":\"echo\",\"username\":\"\",\"msg_type\":\"%s\","
                                     "\"version\":\"5.4\",\"date\":\"2026-01-01T00:00:00Z\"}",
                                     sent++, type);
    sign(parts, hex);
    if (address != NULL)
        zmq_send(socket, address->data, address->size, ZMQ_SNDMORE);
    else
        zmq_send(socket, type, strlen(type), ZMQ_SNDMORE);
    zmq_send(socket, "<IDS|MSG>", 9, ZMQ_SNDMORE);
    zmq_send(socket, hex, 64, ZMQ_SNDMORE);
    for (int i = 0; i < 4; i++)
        zmq_send(socket, parts[i].data, parts[i].size, i < 3 ? ZMQ_SNDMORE : 0);
}

static bool has(struct text text, const char *word)
{
    return memmem(text.data, text.size, word, strlen(word)) != NULL;
}

/* Identity, delimiter, signature, header, …: one identity, as Jupyter's clients send. */
static bool answer(void *socket, void *iopub, struct text frames[FRAMES_MAX])
{
    struct text header = frames[3];
    bool executes = has(header, "execute_request");
    bool ends = has(header, "shutdown_request");

    send_message(iopub, NULL, "status", header, "{\"execution_state\":\"busy\"}");
    if (executes)
        send_message(iopub, NULL, "execute_result", header,
                     "{\"execution_count\":1,\"data\":{\"text/plain\":\"2\"},\"metadata\":{}}");
    send_message(socket, &frames[0], executes ? "execute_reply" : ends ? "shutdown_reply" : "kernel_info_reply", header,
                 "{\"status\":\"ok\",\"execution_count\":1,\"user_expressions\":{},\"payload\":[]}");
    send_message(iopub, NULL, "status", header, "{\"execution_state\":\"idle\"}");
    return !ends;
}

static bool receive(void *socket, void *iopub)
{
    static char space[FRAMES_MAX][TEXT_MAX];
    struct text frames[FRAMES_MAX] = {{0}};
    int more = 1;

    for (int i = 0; more && i < FRAMES_MAX; i++) {
        size_t size = sizeof(more);
        int count = zmq_recv(socket, space[i], TEXT_MAX, i == 0 ? ZMQ_DONTWAIT : 0);

        if (count < 0)
            return true;
        frames[i] = (struct text){space[i], (size_t)count < TEXT_MAX ? (size_t)count : TEXT_MAX};
        zmq_getsockopt(socket, ZMQ_RCVMORE, &more, &size);
    }
    return answer(socket, iopub, frames);
}

int main(int argc, char **argv)
{
    char file[TEXT_MAX] = "";
    FILE *stream = argc == 2 ? fopen(argv[1], "r") : NULL;
    void *context = zmq_ctx_new();
    const char *at;
    bool goes_on = true;

    if (stream == NULL || fread(file, 1, sizeof(file) - 1, stream) == 0)
        return 2;
    at = strstr(file, "\"key\": \"");
    if (at == NULL || sscanf(at + 8, "%127[^\"]", key) != 1)
        return 2;
    zmq_pollitem_t items[] = {{open_socket(context, ZMQ_ROUTER, file, "shell"), 0, ZMQ_POLLIN, 0},
                              {open_socket(context, ZMQ_ROUTER, file, "control"), 0, ZMQ_POLLIN, 0}};
    void *iopub = open_socket(context, ZMQ_PUB, file, "iopub");

    while (goes_on) {
        zmq_poll(items, 2, -1);
        for (int i = 0; goes_on && i < 2; i++)
            if (items[i].revents != 0)
                goes_on = receive(items[i].socket, iopub);
    }
    return 0;
}
