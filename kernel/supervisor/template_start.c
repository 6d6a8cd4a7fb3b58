#include "kernel/supervisor/template_start.h"

#include "guard/link/buffer.h"
#include "kernel/supervisor/environment.h"
#include "kernel/supervisor/template_ask.h"

#include <fcntl.h>
#include <glob.h>
#include <signal.h>
#include <string.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>

enum {
    LISTEN_FD = 3, /* in the template; the lock and the keeper's program follow */
    FREE_FD = 16,
    OLD_SECONDS = 24 * 60 * 60,
    WARM_TRIES = 1200,
};

/* Its caches are its own: those of a session lie in a folder that goes with the session. */
static void make_environment(const char *folder, struct environment *made)
{
    bool has_backend = getenv("MPLBACKEND") != NULL;

    for (char **item = environ; *item != NULL; item++)
        if (template_key_has_variable(*item) && strncmp(*item, "MPLCONFIGDIR=", 13) != 0)
            environment_add(made, xstrdup(*item));
    if (!has_backend)
        environment_add(made, xstrdup("MPLBACKEND=module://matplotlib_inline.backend_inline"));
    environment_add(made, xstrdup("TERM=xterm-color")); /* as every guard has it */
    environment_add(made, xasprintf("MPLCONFIGDIR=%s/matplotlib", folder));
    environment_add(made, xasprintf("XDG_CACHE_HOME=%s/cache", folder));
    environment_add(made, xasprintf("IPYTHONDIR=%s/ipython", folder));
}

/* A list of the same kind as the environment. */
static void make_arguments(const struct template_start *start, struct environment *made)
{
    environment_add(made, xstrdup(start->kind.program));
    for (size_t i = 0; start->before[i] != NULL; i++)
        environment_add(made, xstrdup(start->before[i]));
    environment_add(made, xstrdup("--template-fd"));
    environment_add(made, xasprintf("%d", LISTEN_FD));
    environment_add(made, xstrdup("--template-path"));
    environment_add(made, xstrdup(start->path));
    environment_add(made, xstrdup("--template-shell"));
    environment_add(made, xstrdup(start->kind.shell));
    environment_add(made, xstrdup("--template-imports"));
    environment_add(made, xstrdup(start->kind.imports));
    environment_add(made, xstrdup("--template-idle"));
    environment_add(made, xasprintf("%d", start->idle_seconds));
    environment_add(made, xstrdup("--python"));
    environment_add(made, xstrdup(start->kind.python));
    environment_add(made, xstrdup("--glue"));
    environment_add(made, xstrdup(start->kind.package));
}

/* "/…/HASH.s" -> "/…/HASH.lock" */
static char *beside(const char *path, const char *ending)
{
    return xasprintf("%.*s.%s", (int)strlen(path) - 2, path, ending);
}

/* A new descriptor; -EWOULDBLOCK: somebody has it, or has just removed it. */
static int take_lock(const char *path)
{
    cleanup_free char *name = beside(path, "lock");
    cleanup_close int lock = open(name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    struct stat ours;
    struct stat there;

    if (lock < 0 || flock(lock, LOCK_EX | LOCK_NB) < 0 || fstat(lock, &ours) < 0)
        return -errno;
    if (stat(name, &there) < 0 || there.st_ino != ours.st_ino)
        return -EWOULDBLOCK;
    return steal_fd(&lock);
}

/* A name is made of so much (template_key) that few come again: those of other days would stay until the machine is started anew. */
static void forget_old(const char *folder)
{
    cleanup_free char *pattern = xasprintf("%s/*.log", folder);
    time_t now = time(NULL);
    glob_t logs = {0};

    glob(pattern, 0, NULL, &logs);
    for (size_t i = 0; i < logs.gl_pathc; i++) {
        cleanup_free char *path = xasprintf("%.*s.s", (int)strlen(logs.gl_pathv[i]) - 4, logs.gl_pathv[i]);
        cleanup_free char *lock_path = beside(path, "lock");
        cleanup_close int lock = -1;
        struct stat status;

        if (stat(logs.gl_pathv[i], &status) < 0 || now - status.st_mtime < OLD_SECONDS)
            continue;
        lock = take_lock(path);
        if (lock < 0)
            continue; /* it lives */
        unlink(path);
        unlink(logs.gl_pathv[i]);
        unlink(lock_path);
    }
    globfree(&logs);
}

/* Bound here and listened to by the template when it is warm: until then whoever connects is refused. */
static int bind_socket(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    cleanup_close int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (listener < 0)
        return -errno;
    if (strlen(path) >= sizeof(address.sun_path))
        return -ENAMETOOLONG;
    strcpy(address.sun_path, path);
    unlink(path); /* of a template that was killed */
    if (fchmod(listener, 0600) < 0 || bind(listener, (struct sockaddr *)&address, sizeof(address)) < 0)
        return -errno;
    return steal_fd(&listener);
}

struct image {
    char **arguments;
    char **environment;
    int listener; /* above FREE_FD, as all of these */
    int lock;
    int keeper;
    int null;
    int log;
};

/* Between fork and exec: system calls alone. */
static void __attribute__((noreturn)) become_template(const struct image *image)
{
    sigset_t none;
    struct sigaction usual = {.sa_handler = SIG_DFL};

    setsid();
    for (int number = 1; number < NSIG; number++)
        sigaction(number, &usual, NULL);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    if (dup2(image->null, 0) < 0 || dup2(image->log, 1) < 0 || dup2(image->log, 2) < 0 ||
        dup2(image->listener, LISTEN_FD) < 0 || dup2(image->lock, LISTEN_FD + 1) < 0 ||
        dup2(image->keeper, LISTEN_FD + 2) < 0 || chdir("/") < 0)
        _exit(1);
    syscall(SYS_close_range, LISTEN_FD + 3, ~0U, 0);
    execve(image->arguments[0], image->arguments, image->environment);
    _exit(1);
}

/*
 * Everything below a kernel process ends with it, so the template must not be there: its parent is gone at once,
 * and while we are no subreaper it is adopted by whoever is above us.
 */
static int launch(const struct image *image)
{
    int was_subreaper = 0;
    pid_t middle;

    prctl(PR_GET_CHILD_SUBREAPER, &was_subreaper);
    prctl(PR_SET_CHILD_SUBREAPER, 0);
    middle = fork();
    if (middle == 0) {
        if (fork() == 0)
            become_template(image);
        _exit(0);
    }
    if (middle > 0)
        waitpid(middle, NULL, 0);
    prctl(PR_SET_CHILD_SUBREAPER, was_subreaper);
    return middle > 0 ? 0 : -errno;
}

static int high(int fd)
{
    return fd >= 0 ? fcntl(fd, F_DUPFD_CLOEXEC, FREE_FD) : -1;
}

int template_start(const struct template_start *start, bool *ret_is_new)
{
    cleanup_free char *log_path = beside(start->path, "log");
    cleanup_close int keeper = open(start->keeper, O_PATH | O_CLOEXEC);
    cleanup_close int lock = keeper >= 0 ? take_lock(start->path) : -errno;
    cleanup_close int listener = lock >= 0 ? bind_socket(start->path) : -1;
    cleanup_close int log = -1;
    cleanup_close int null = -1;
    cleanup_environment struct environment arguments = ENVIRONMENT_NONE;
    cleanup_environment struct environment environment = ENVIRONMENT_NONE;
    struct image image;
    int result;

    *ret_is_new = false;
    if (lock == -EWOULDBLOCK)
        return 0;
    if (lock < 0 || listener < 0)
        return lock < 0 ? lock : listener;
    forget_old(start->kind.folder);
    log = open(log_path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    null = open("/dev/null", O_RDONLY | O_CLOEXEC);
    make_arguments(start, &arguments);
    make_environment(start->kind.folder, &environment);
    image = (struct image){arguments.items, environment.items, high(listener), high(lock), high(keeper), high(null), high(log)};
    result = launch(&image);
    close(image.listener);
    close(image.lock);
    close(image.keeper);
    close(image.null);
    close(image.log);
    *ret_is_new = result == 0;
    return result;
}

/* Whether there is a process behind it, warm or not. */
static bool lives(const char *path)
{
    cleanup_close int lock = take_lock(path);

    return lock == -EWOULDBLOCK;
}

static bool is_warm(const char *path)
{
    static const struct timespec pause = {.tv_nsec = 50 * 1000 * 1000};

    for (int i = 0; i < WARM_TRIES; i++) {
        cleanup_free char *status = template_question(path, TEMPLATE_STATUS);

        if (status != NULL || !lives(path))
            return status != NULL;
        nanosleep(&pause, NULL);
    }
    return false;
}

/* "numpy" in "pandas,numpy" */
static bool names_have(const char *names, struct bytes name)
{
    while (*names != '\0') {
        size_t size = strcspn(names, ",");

        if (bytes_equal((struct bytes){names, size}, name))
            return true;
        names += size + (names[size] == ',');
    }
    return false;
}

char *template_left_out(const char *path, const char *names)
{
    static const char words[] = " is left out: ";
    cleanup_free char *log_path = beside(path, "log");
    cleanup_free char *line = NULL;
    struct buffer lines = BUFFER_NONE;
    size_t capacity = 0;
    FILE *log;

    if (!is_warm(path))
        return NULL;
    log = fopen(log_path, "re");
    while (log != NULL && getline(&line, &capacity, log) > 0) {
        const char *end = strstr(line, words);

        if (end != NULL && names_have(names, (struct bytes){line, (size_t)(end - line)}))
            buffer_append_string(&lines, line);
    }
    if (log != NULL)
        fclose(log);
    return buffer_steal_string(&lines);
}

/*
 * Who is not warm yet refuses connections, and looks for its socket when it begins to listen. So the socket is put
 * out of its place, and who refuses after that will not find it.
 */
char *template_stop(const char *path)
{
    cleanup_free char *aside = beside(path, "x");
    char *answer = template_question(path, TEMPLATE_STOP);
    cleanup_close int lock = -1;

    if (answer != NULL) {
        unlink(path);
        return answer;
    }
    lock = take_lock(path);
    if (lock != -EWOULDBLOCK || rename(path, aside) < 0)
        return NULL;
    answer = template_question(aside, TEMPLATE_STOP);
    unlink(aside);
    return answer != NULL ? answer : xstrdup("stopped\n");
}
