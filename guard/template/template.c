#include "guard/template/template.h"

#include "guard/frozen/threads.h"
#include "guard/link/buffer.h"
#include "guard/link/cleanup.h"
#include "guard/link/seals.h"
#include "guard/python/py_cleanup.h"
#include "guard/python/stream_type.h"
#include "guard/template/folders.h"
#include "guard/template/holes.h"
#include "guard/template/huge_pages.h"
#include "guard/template/keeper.h"

#include <fcntl.h>
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
    huge_pages_collapse();
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

/*
 * Libraries stop their threads in fork handlers, which vfork() does not run: so they are stopped now. Nothing
 * that comes later starts any, or there would be no copies.
 */
static const char *stop_threads(void)
{
    pid_t pid;

    threads_count_at_fork();
    pid = fork();
    if (pid == 0)
        _exit(0);
    return pid > 0 ? threads_hindrance() : "fork() failed";
}

static void end_for(const struct template_settings *settings, const char *hindrance)
{
    if (hindrance == NULL)
        return;
    fprintf(stderr, "no guard can be forked from here: %s\n", hindrance);
    end(settings);
}

/*
 * Returns the environment's connection in the guard, -1 in the template. The keeper runs on this very stack below
 * us, while we stand still in vfork(): nothing of ours may be written by it.
 */
static int __attribute__((noinline)) fork_for(int connection, const struct template_settings *settings,
                                              const char *description, unsigned *ret_size)
{
    const struct keeper_news news = {description, getpid(), settings->listen_fd + TEMPLATE_KEEPER};
    pid_t pid;

    PyOS_BeforeFork();
    pid = vfork();
    if (pid == 0) {
        int environment = keeper_serve(connection, &news, ret_size); /* no Python before the guard's own fork */

        PyOS_AfterFork_Child();
        return environment;
    }
    PyOS_AfterFork_Parent();
    template.forks += pid > 0;
    return -1;
}

/* What only a template has is not for a keeper; a guard closes all that is not its own. */
static void keep_descriptors(const struct template_settings *settings)
{
    for (int next = 0; next < TEMPLATE_DESCRIPTORS; next++)
        fcntl(settings->listen_fd + next, F_SETFD, FD_CLOEXEC);
}

int template_wait(const struct template_settings *settings)
{
    int idle_ms = (settings->idle_seconds > 0 ? settings->idle_seconds : TEMPLATE_IDLE_SECONDS) * 1000;

    signal(SIGCHLD, SIG_IGN); /* keepers are nobody's to wait for */
    keep_descriptors(settings);
    end_for(settings, stop_threads());
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
            cleanup_free char *description = describe();
            int environment;

            end_for(settings, threads_now());
            environment = fork_for(connection, settings, description, &size);

            if (environment >= 0) {
                take_environment(environment, size);
                return KEEPER_LINK_FD;
            }
        }
        if (connection >= 0)
            close(connection);
    }
}
