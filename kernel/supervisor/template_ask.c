#include "kernel/supervisor/template_ask.h"

#include "guard/link/buffer.h"
#include "guard/link/seals.h"
#include "guard/link/write_all.h"

#include <poll.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>

enum {
    ANSWER_MS = 2000, /* fifty kernels at once are served in turn; fifty cold starts would take all of them longer */
    QUESTION_MS = 2000,
};

/* A connected socket, or -errno. */
static int connect_to(const char *path, int limit_ms)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    struct timeval limit = {limit_ms / 1000, limit_ms % 1000 * 1000};
    cleanup_close int connection = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (connection < 0)
        return -errno;
    if (strlen(path) >= sizeof(address.sun_path))
        return -ENAMETOOLONG;
    strcpy(address.sun_path, path);
    setsockopt(connection, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
    setsockopt(connection, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
    if (connect(connection, (struct sockaddr *)&address, sizeof(address)) < 0)
        return -errno;
    return seals_peer_is_ours(connection) ? steal_fd(&connection) : -EPERM;
}

static bool send_request(int connection, const struct template_request *request, const struct passed *fds)
{
    return passing_send(connection, (struct bytes){request, sizeof(*request)}, fds, 0) == 0;
}

static bool receive_answer(int connection, struct template_answer *ret_answer, int *ret_pidfd)
{
    cleanup_passed struct passed passed = PASSED_NONE;

    if (passing_receive(connection, ret_answer, sizeof(*ret_answer), MSG_WAITALL, &passed) !=
            (ssize_t)sizeof(*ret_answer) ||
        ret_answer->pid <= 0)
        return false;
    *ret_pidfd = passed_steal_one(&passed);
    return *ret_pidfd >= 0;
}

static mode_t current_umask(void)
{
    mode_t mask = umask(0);

    umask(mask);
    return mask;
}

int template_ask(const char *path, const struct passed *fds, char *const *environment)
{
    cleanup_close int connection = connect_to(path, ANSWER_MS);
    cleanup_buffer struct buffer text = BUFFER_NONE;
    struct template_request request = {.kind = TEMPLATE_FORK, .umask = current_umask()};

    if (connection < 0)
        return connection;
    for (size_t i = 0; environment[i] != NULL; i++)
        buffer_append(&text, (struct bytes){environment[i], strlen(environment[i]) + 1});
    if (text.size > TEMPLATE_ENVIRONMENT_BYTES_MAX)
        return -E2BIG;
    request.environment_bytes = (uint32_t)text.size;
    if (!send_request(connection, &request, fds) || write_all(connection, buffer_bytes(&text)) < 0)
        return -EIO;
    return steal_fd(&connection);
}

int template_take(int connection, struct template_guard *ret_guard)
{
    cleanup_close int owned = connection;
    struct template_answer answer;
    int pidfd = -1;

    if (!receive_answer(owned, &answer, &pidfd))
        return -EIO;
    *ret_guard = (struct template_guard){answer.pid, pidfd, answer.keeper, steal_fd(&owned)};
    return 0;
}

char *template_question(const char *path, enum template_kind kind)
{
    cleanup_close int connection = connect_to(path, QUESTION_MS);
    cleanup_buffer struct buffer text = BUFFER_NONE;
    struct template_request request = {.kind = kind};
    char bytes[4096];
    ssize_t count;

    if (connection < 0 || !send_request(connection, &request, &PASSED_NONE))
        return NULL;
    while ((count = recv(connection, bytes, sizeof(bytes), 0)) > 0)
        buffer_append(&text, (struct bytes){bytes, (size_t)count});
    return text.size > 0 ? buffer_steal_string(&text) : NULL;
}

bool template_hear(int keeper, int limit_ms, struct template_answer *ret_news)
{
    struct pollfd source = {keeper, POLLIN, 0};

    return poll(&source, 1, limit_ms) > 0 &&
           recv(keeper, ret_news, sizeof(*ret_news), MSG_WAITALL) == (ssize_t)sizeof(*ret_news);
}
