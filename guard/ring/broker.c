#include "guard/ring/broker.h"

#include "guard/link/passing.h"
#include "guard/link/socket_fork.h"
#include "guard/ring/capabilities.h"
#include "guard/ring/metadata.h"
#include "guard/ring/proxy.h"

#include <fcntl.h>
#include <limits.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

/* What is handed over: a letter for the kind of each text, all ended by NUL. */
enum { MESSAGE_MAX = 128 * 1024 };
#define KIND_ROOT 'w'
#define KIND_READ_ONLY 'r'
#define KIND_NAME 'p'
#define KIND_HOST 'n'

struct rules {
    struct metadata_rules metadata;
    struct string_list hosts;
};

/* ---- the broker's side ----------------------------------------------------------------------- */

static int receive(int socket, char *bytes, size_t *ret_size)
{
    cleanup_passed struct passed passed = PASSED_NONE;
    ssize_t size = passing_receive(socket, bytes, MESSAGE_MAX - 1, 0, &passed);

    if (size <= 0)
        return -1;
    *ret_size = (size_t)size;
    bytes[size] = '\0';
    return passed_steal_one(&passed);
}

static void read_rules(const char *bytes, size_t size, struct rules *rules)
{
    for (const char *at = bytes; at < bytes + size; at += strlen(at) + 1) {
        if (*at == KIND_ROOT)
            string_list_add(&rules->metadata.roots, at + 1);
        else if (*at == KIND_READ_ONLY)
            string_list_add(&rules->metadata.read_only, at + 1);
        else if (*at == KIND_NAME)
            string_list_add(&rules->metadata.names, at + 1);
        else if (*at == KIND_HOST)
            string_list_add(&rules->hosts, at + 1);
    }
}

/* One question. False when nobody is left who could ask. */
static bool serve_one(int listener, const struct rules *rules,
                      const struct seccomp_notif_sizes *sizes)
{
    cleanup_free struct seccomp_notif *asked = xcalloc(1, sizes->seccomp_notif);
    cleanup_free struct seccomp_notif_resp *answer = xcalloc(1, sizes->seccomp_notif_resp);
    struct pollfd ready = {listener, POLLIN, 0};
    int result;

    if (poll(&ready, 1, -1) < 0)
        return errno == EINTR;
    if ((ready.revents & POLLIN) == 0)
        return false;
    if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, asked) < 0)
        return errno == EINTR || errno == ENOENT;
    answer->id = asked->id;
    result = asked->data.nr == SYS_socket ? proxy_answer(&rules->hosts, listener, asked)
                                          : metadata_answer(&rules->metadata, listener, asked);
    answer->error = result < 0 ? result : 0;
    answer->val = result > 0 ? result : 0;
    ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, answer); /* fails when the asker is gone */
    return true;
}

static void __attribute__((noreturn)) serve(int socket)
{
    char *bytes = xmalloc(MESSAGE_MAX);
    struct seccomp_notif_sizes sizes;
    struct rules rules = {.hosts = {NULL, 0}};
    size_t size;
    int listener = receive(socket, bytes, &size);

    if (listener < 0 || syscall(SYS_seccomp, SECCOMP_GET_NOTIF_SIZES, 0, &sizes) < 0)
        _exit(0);
    close(socket);
    read_rules(bytes, size, &rules);
    while (serve_one(listener, &rules, &sizes))
        continue;
    _exit(0);
}

/* A session of its own: what ends the guard's process group must not end it, since a copy of the
   guard may go on. Nothing stays open that the kernel process or a cell waits for. */
static void __attribute__((noreturn)) be_broker(int socket)
{
    sigset_t none;

    prctl(PR_SET_PDEATHSIG, 0);
    prctl(PR_SET_NAME, "safepyrun-brk");
    prctl(PR_SET_DUMPABLE, 0);
    setsid();
    sigemptyset(&none);
    for (int number = 1; number < SIGRTMIN; number++)
        signal(number, number == SIGPIPE ? SIG_IGN : SIG_DFL);
    sigprocmask(SIG_SETMASK, &none, NULL);
    if (dup2(socket, 3) < 0)
        _exit(1);
    syscall(SYS_close_range, 4, INT_MAX, 0);
    for (int fd = 0; fd < 3; fd++) {
        close(fd);
        if (open("/dev/null", O_RDWR) < 0)
            _exit(1);
    }
    if (chdir("/") < 0 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
        capabilities_drop(capabilities_last()) < 0)
        _exit(1);
    serve(3);
}

/* ---- the guard's side ------------------------------------------------------------------------ */

int broker_start(struct broker *ret_broker)
{
    int end;
    pid_t pid = socket_fork(&end);

    if (pid < 0)
        return (int)pid;
    if (pid == 0)
        be_broker(end);
    *ret_broker = (struct broker){pid, end};
    prctl(PR_SET_PTRACER, pid, 0, 0, 0); /* where Yama guards: it reads the paths that we ask about */
    return 0;
}

static void add_texts(struct buffer *message, char kind, const struct string_list *texts)
{
    for (size_t i = 0; i < texts->count; i++) {
        buffer_append_char(message, kind);
        buffer_append(message, (struct bytes){texts->items[i], strlen(texts->items[i]) + 1});
    }
}

int broker_hand_over(struct broker *broker, int listener, const struct ring_paths *paths,
                     const struct string_list *names, const struct string_list *hosts)
{
    cleanup_buffer struct buffer text = BUFFER_NONE;
    cleanup_close int socket = steal_fd(&broker->socket);
    cleanup_close int given = listener;

    buffer_append_char(&text, '\0'); /* never empty */
    add_texts(&text, KIND_ROOT, &paths->roots);
    add_texts(&text, KIND_READ_ONLY, &paths->read_only);
    add_texts(&text, KIND_NAME, names);
    add_texts(&text, KIND_HOST, hosts);
    if (text.size >= MESSAGE_MAX)
        return -E2BIG;
    return passing_send(socket, buffer_bytes(&text), &(struct passed){{given}, 1}, 0);
}
