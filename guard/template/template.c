#include "guard/template/template.h"

#include "guard/frozen/threads.h"
#include "guard/link/buffer.h"
#include "guard/link/cleanup.h"
#include "guard/link/seals.h"
#include "guard/python/py_cleanup.h"
#include "guard/python/stream_type.h"
#include "guard/template/folders.h"
#include "guard/template/holes.h"
#include "guard/template/keeper.h"

#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

enum { CONNECTIONS_MAX = 256 };

static struct {
    PyObject *glue; /* safepyrun._template */
    PyObject *imported; /* names, as text */
    unsigned forks;
    time_t started;
} template;

/*
 * Of the 4,096 looked-up names that Python remembers most are of the imports, and who replaces one of those writes to
 * the page of the old name as well: so they are forgotten.
 */
static int rehearse(void)
{
    cleanup_py PyObject *done = PyObject_CallMethod(template.glue, "rehearse", NULL);

    if (done == NULL || stream_type_prepare() < 0)
        return -1;
    PyType_ClearCache();
    holes_fill();
    return 0;
}

int template_warm_up(const struct template_settings *settings)
{
    if (threads_start() < 0)
        return -1; /* unheard of: memory for one pointer */
    template.started = time(NULL);
    template.glue = PyImport_ImportModule("safepyrun._template");
    if (template.glue == NULL || folders_note() < 0)
        return -1;
    template.imported =
        PyObject_CallMethod(template.glue, "warm_up", "ss", settings->shell, settings->imports);
    return template.imported != NULL ? rehearse() : -1;
}

/* ---- in the guard ------------------------------------------------------------------------------ */

static void read_all(int connection, char *data, size_t size)
{
    while (size > 0) {
        ssize_t count = recv(connection, data, size, 0);

        if (count <= 0)
            _exit(1);
        data += count;
        size -= (size_t)count;
    }
}

/* As of a guard that was started cold: what is secret in it goes when the policy is known. */
static void take_environment(int connection, unsigned size)
{
    char *text = xmalloc(size + 1);
    cleanup_py PyObject *done = NULL;

    read_all(connection, text, size);
    close(connection);
    done = PyObject_CallMethod(template.glue, "begin", "y#", text, (Py_ssize_t)size);
    explicit_bzero(text, size);
    free(text);
    if (done != NULL)
        return;
    PyErr_Print(); /* the kernel process repeats the last line of it */
    _exit(1);
}

/* ---- in the template --------------------------------------------------------------------------- */

static char *describe(void)
{
    const char *imported = PyUnicode_AsUTF8AndSize(template.imported, NULL);

    PyErr_Clear(); /* names of modules are text */
    return xasprintf("pid %d\nage %ld\nforks %u\nimports %s\n", (int)getpid(),
                     (long)(time(NULL) - template.started), template.forks, imported != NULL ? imported : "");
}

static void __attribute__((noreturn)) end(const struct template_settings *settings)
{
    unlink(settings->socket_path);
    _exit(0);
}

/* Returns the environment's connection in the guard, -1 in the template. */
static int fork_for(int connection, const struct template_settings *settings, unsigned *ret_size)
{
    cleanup_free char *description = describe();
    struct keeper_news news = {description, getpid()};
    pid_t pid;

    PyOS_BeforeFork();
    threads_count_at_fork();
    pid = fork();
    if (pid == 0) {
        if (threads_hindrance() != NULL)
            _exit(1); /* they would be missing: the kernel process hears nothing and starts a guard */
        close(settings->listen_fd);
        close(settings->listen_fd + 1);
        connection = keeper_serve(connection, &news, ret_size); /* no Python before the guard's own fork */
        PyOS_AfterFork_Child();
        return connection;
    }
    PyOS_AfterFork_Parent();
    template.forks += pid > 0;
    if (threads_hindrance() == NULL)
        return -1;
    fprintf(stderr, "no guard can be forked from here: %s\n", threads_hindrance());
    end(settings);
}

int template_wait(const struct template_settings *settings)
{
    int idle_ms = (settings->idle_seconds > 0 ? settings->idle_seconds : TEMPLATE_IDLE_SECONDS) * 1000;

    signal(SIGCHLD, SIG_IGN); /* keepers are nobody's to wait for */
    /* Who wanted it ended while it could not be asked has taken the socket away. */
    if (listen(settings->listen_fd, CONNECTIONS_MAX) < 0 || access(settings->socket_path, F_OK) < 0)
        end(settings);
    for (;;) {
        struct pollfd listener = {settings->listen_fd, POLLIN, 0};
        int ready = poll(&listener, 1, idle_ms);
        int connection;
        unsigned size = 0;

        if (ready == 0 || folders_changed())
            end(settings);
        connection = accept4(settings->listen_fd, NULL, NULL, SOCK_CLOEXEC);
        /* Another user cannot enter the folder of the socket; a cell of the same user is under seals that a
           kernel process is not, and could get here a Python without them. */
        if (connection >= 0 && seals_peer_is_ours(connection)) {
            int environment = fork_for(connection, settings, &size);

            if (environment >= 0) {
                take_environment(environment, size);
                return KEEPER_LINK_FD;
            }
        }
        if (connection >= 0)
            close(connection);
    }
}
