#include "kernel/supervisor/spawn.h"

#include "guard/link/buffer.h"
#include "guard/link/descriptors.h"
#include "guard/policy/write_roots.h"
#include "kernel/config/installation.h"
#include "kernel/records/log.h"
#include "kernel/supervisor/environment.h"
#include "kernel/supervisor/template_ask.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/syscall.h>

enum {
    LINK_FD = 3,  /* in the guard */
    FREE_FD = 16, /* what is above is given to no guard */
};

/* What ipykernel sets for user code, and where caches and settings go: never into the home directory. */
static const struct {
    const char *name;
    const char *value; /* with "%s" for the private directory */
    bool replaces;     /* false: the user's own setting wins */
} environment[] = {
    {"TERM", "xterm-color", true},
    {"CLICOLOR", "1", true},
    {"CLICOLOR_FORCE", "1", true},
    {"FORCE_COLOR", "1", true},
    {"PAGER", "cat", true},
    {"GIT_PAGER", "cat", true},
    {"MPLBACKEND", "module://matplotlib_inline.backend_inline", false},
    {"TMPDIR", "%s", true},
    {"IPYTHONDIR", "%s/ipython", true},
    {"MPLCONFIGDIR", "%s/matplotlib", true},
    {"XDG_CACHE_HOME", "%s/cache", true},
    {"JPY_PARENT_PID", NULL, true}, /* ours, not the guard's */
};

static bool has_name(const char *item, const char *name)
{
    size_t length = strlen(name);

    return strncmp(item, name, length) == 0 && item[length] == '=';
}

static bool is_replaced(const char *item)
{
    for (size_t i = 0; i < sizeof(environment) / sizeof(environment[0]); i++)
        if (environment[i].replaces && has_name(item, environment[i].name))
            return true;
    return false;
}

/* Where Python would look for its very first modules: guard/start_path takes them back. */
static const char *const set_aside[] = {"PYTHONPATH", "PYTHONPYCACHEPREFIX"};

static bool is_set_aside(const char *item)
{
    for (size_t i = 0; i < sizeof(set_aside) / sizeof(set_aside[0]); i++)
        if (has_name(item, set_aside[i]))
            return strchr(item, '=')[1] != '\0';
    return false;
}

static void make_environment(const char *private_directory, struct environment *made)
{
    for (char **item = environ; *item != NULL; item++)
        if (is_set_aside(*item))
            environment_add(made, xasprintf("SAFEPYRUN_%s", *item));
        else if (!is_replaced(*item))
            environment_add(made, xstrdup(*item));
    for (size_t i = 0; i < sizeof(environment) / sizeof(environment[0]); i++) {
        const char *value = environment[i].value;
        const char *place = value != NULL ? strstr(value, "%s") : NULL;

        if (value == NULL || (!environment[i].replaces && getenv(environment[i].name) != NULL))
            continue;
        if (place != NULL)
            environment_add(made, xasprintf("%s=%s%s", environment[i].name, private_directory,
                                            place + 2));
        else
            environment_add(made, xasprintf("%s=%s", environment[i].name, value));
    }
}

struct command {
    char *arguments[14]; /* owned */
};

static void command_finish(struct command *command)
{
    for (int i = 0; command->arguments[i] != NULL; i++)
        free(command->arguments[i]);
}

char *spawn_python(const char *asked)
{
    return installation_python_for(asked);
}

static int make_command(const char *asked_python, struct command *command, char **ret_error)
{
    char **argument = command->arguments;
    cleanup_free char *python = spawn_python(asked_python);

    if (access(python, X_OK) != 0) {
        *ret_error = xasprintf("the Python for cells, %s, cannot be run: %s. Name one that exists with "
                               "--python; a notebook's kernel is installed again with it",
                               python, strerror(errno));
        return 1;
    }
    if (installation_embeds(python)) {
        *argument++ = installation_file("safepyrun-guard");
    } else {
        *argument++ = xstrdup(python);
        for (int i = 0; installation_main_options[i] != NULL; i++)
            *argument++ = xstrdup(installation_main_options[i]);
        *argument++ = installation_file("main.py");
    }
    *argument++ = xstrdup("--link-fd");
    *argument++ = xasprintf("%d", LINK_FD);
    *argument++ = xstrdup("--python");
    *argument++ = xstrdup(python);
    *argument++ = xstrdup("--glue");
    *argument++ = installation_package_folder();
    return 0;
}

/* The other ends of what the guard gets, until they are given to it. */
struct far_ends {
    int link;
    int outputs[2];
    int last_line; /* a copy, above the numbers that the guard's get */
    int copies;    /* so is this */
    int aside;     /* and this */
    int tool_records; /* and this */
};

static void far_ends_close(struct far_ends *ends)
{
    close(ends->link);
    close(ends->outputs[0]);
    close(ends->outputs[1]);
    close(ends->last_line);
    close(ends->copies);
    close(ends->aside);
    close(ends->tool_records);
}

static int make_pair(int type, int ret_ends[2])
{
    return type == 0 ? pipe2(ret_ends, O_CLOEXEC)
                     : socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, ret_ends);
}

/* A socket of records: our end, and the other one above the numbers that the guard's get. */
static int make_record_socket(int *ret_ours, int *ret_far)
{
    int ends[2];

    if (make_pair(SOCK_SEQPACKET, ends) < 0)
        return -errno;
    *ret_ours = ends[0];
    *ret_far = fcntl(ends[1], F_DUPFD_CLOEXEC, FREE_FD);
    close(ends[1]);
    return 0;
}

static int make_ends(struct spawned *spawned, struct far_ends *far)
{
    int ends[2];

    if (make_pair(SOCK_STREAM, ends) < 0)
        return -errno;
    spawned->link = ends[0];
    far->link = ends[1];
    fcntl(spawned->link, F_SETFL, O_NONBLOCK);
    if (make_record_socket(&spawned->copies_socket, &far->copies) < 0 ||
        make_record_socket(&spawned->aside_socket, &far->aside) < 0 ||
        make_record_socket(&spawned->tool_records, &far->tool_records) < 0)
        return -errno;
    fcntl(spawned->tool_records, F_SETFL, O_NONBLOCK);
    fcntl(far->link, F_SETFL, O_NONBLOCK);
    for (int i = 0; i < 2; i++) {
        if (make_pair(0, ends) < 0)
            return -errno;
        spawned->outputs[i] = ends[0];
        far->outputs[i] = ends[1];
        fcntl(spawned->outputs[i], F_SETFL, O_NONBLOCK);
    }
    return 0;
}

void spawn_attributes_init(posix_spawnattr_t *ret_attributes)
{
    sigset_t none;
    sigset_t all;

    sigemptyset(&none);
    sigfillset(&all);
    posix_spawnattr_init(ret_attributes);
    posix_spawnattr_setsigmask(ret_attributes, &none);
    posix_spawnattr_setsigdefault(ret_attributes, &all);
    posix_spawnattr_setflags(ret_attributes,
                             POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
}

/* posix_spawn(): no copy of our page tables, and nothing of ours runs between fork and exec. */
static int run(const struct command *command, char **items, const struct far_ends *far,
               pid_t *ret_pid)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    int result;

    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, far->outputs[0], 1);
    posix_spawn_file_actions_adddup2(&actions, far->outputs[1], 2);
    posix_spawn_file_actions_adddup2(&actions, far->link, LINK_FD);
    posix_spawn_file_actions_adddup2(&actions, far->copies, LINK_FD + DESCRIPTOR_COPIES);
    posix_spawn_file_actions_adddup2(&actions, far->aside, LINK_FD + DESCRIPTOR_ASIDE);
    posix_spawn_file_actions_adddup2(&actions, far->tool_records, LINK_FD + DESCRIPTOR_TOOL_RECORDS);
    if (far->last_line >= 0)
        posix_spawn_file_actions_adddup2(&actions, far->last_line, LINK_FD + DESCRIPTOR_LAST_LINE);
    posix_spawn_file_actions_addclosefrom_np(&actions, LINK_FD + DESCRIPTOR_COUNT);
    spawn_attributes_init(&attributes);
    result = posix_spawn(ret_pid, command->arguments[0], &actions, &attributes,
                         command->arguments, items);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    return result;
}

#define NO_FAR_ENDS ((struct far_ends){-1, {-1, -1}, -1, -1, -1, -1})

static void close_one(int *fd)
{
    if (*fd >= 0)
        close(steal_fd(fd));
}

void spawned_close(struct spawned *spawned)
{
    close_one(&spawned->link);
    close_one(&spawned->outputs[0]);
    close_one(&spawned->outputs[1]);
    close_one(&spawned->copies_socket);
    close_one(&spawned->aside_socket);
    close_one(&spawned->tool_records);
    close_one(&spawned->pidfd);
    close_one(&spawned->keeper);
}

static void complain(int result)
{
    if (result != -ENOENT && result != -ECONNREFUSED)
        log_warning("the template does not answer (%s): a guard is started without it", strerror(-result));
}

void spawn_ask(const char *template, const char *private_directory, int last_line, struct spawned *ret_asked)
{
    struct spawned asked = SPAWNED_NONE;
    struct far_ends far = NO_FAR_ENDS;
    cleanup_environment struct environment made = ENVIRONMENT_NONE;
    cleanup_close int folder = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
    int result = -EBADF;

    make_environment(private_directory, &made);
    if (folder >= 0 && make_ends(&asked, &far) == 0) {
        struct passed fds = {.count = TEMPLATE_FD_COUNT, .fds = {
            [TEMPLATE_FD_STDOUT] = far.outputs[0],
            [TEMPLATE_FD_STDERR] = far.outputs[1],
            [TEMPLATE_FD_FOLDER] = folder,
            [TEMPLATE_FD_LINK] = far.link,
            [TEMPLATE_FD_LINK + DESCRIPTOR_LAST_LINE] = last_line,
            [TEMPLATE_FD_LINK + DESCRIPTOR_COPIES] = far.copies,
            [TEMPLATE_FD_LINK + DESCRIPTOR_ASIDE] = far.aside,
            [TEMPLATE_FD_LINK + DESCRIPTOR_TOOL_RECORDS] = far.tool_records,
        }};

        result = template_ask(template, &fds, made.items);
    }
    far_ends_close(&far);
    if (result < 0) {
        spawned_close(&asked);
        complain(result);
    } else {
        asked.keeper = result;
    }
    *ret_asked = asked;
}

/* Returns whether there is a guard; nothing is left of a failed attempt. */
static bool take_asked(struct spawned *asked, struct spawned *ret_spawned)
{
    struct template_guard guard;
    int result = template_take(steal_fd(&asked->keeper), &guard);

    if (result < 0) {
        spawned_close(asked);
        complain(result);
        return false;
    }
    *ret_spawned = *asked;
    ret_spawned->pid = guard.pid;
    ret_spawned->pidfd = guard.pidfd;
    ret_spawned->keeper_pid = guard.keeper_pid;
    ret_spawned->keeper = guard.keeper;
    *asked = SPAWNED_NONE;
    return true;
}

int spawn_guard(const char *python, const char *private_directory, struct spawned *asked, int last_line,
                struct spawned *ret_spawned, char **ret_error)
{
    struct spawned spawned = SPAWNED_NONE;
    struct far_ends far = NO_FAR_ENDS;
    cleanup_environment struct environment made = ENVIRONMENT_NONE;
    struct command command = {{NULL}};
    int result;

    /* IPython would say "No such file or directory" and not which; "." would be no write root. */
    if (write_roots_here_is_gone()) {
        *ret_error = xstrdup("the folder in which it would start is gone. Start the kernel again, in a "
                             "folder that exists");
        return 1;
    }
    result = make_command(python, &command, ret_error);
    if (result == 0 && asked->keeper >= 0 && take_asked(asked, ret_spawned)) {
        command_finish(&command);
        return 0;
    }
    spawned_close(asked);

    if (result == 0) {
        make_environment(private_directory, &made);
        far.last_line = fcntl(last_line, F_DUPFD_CLOEXEC, FREE_FD);
        result = make_ends(&spawned, &far);
        if (result == 0)
            result = -run(&command, made.items, &far, &spawned.pid);
        if (result < 0)
            *ret_error = xasprintf("cannot start %s: %s", command.arguments[0], strerror(-result));
        far_ends_close(&far);
    }
    command_finish(&command);
    if (result != 0) {
        spawned_close(&spawned);
        return 1;
    }
    spawned.pidfd = (int)syscall(SYS_pidfd_open, spawned.pid, 0);
    *ret_spawned = spawned;
    return 0;
}

/* "version = 3.13.0" or "version_info = 3.13.0.final.0" in DIR/pyvenv.cfg beside DIR/bin/python. */
static char *version_of_venv(const char *python)
{
    cleanup_free char *directory = xstrdup(python);
    cleanup_free char *path = NULL;
    cleanup_file FILE *file = NULL;
    char line[256];
    char version[32];

    for (int i = 0; i < 2; i++) {
        char *slash = strrchr(directory, '/');

        if (slash == NULL)
            return NULL;
        *slash = '\0';
    }
    path = xasprintf("%s/pyvenv.cfg", directory);
    file = fopen(path, "re");
    while (file != NULL && fgets(line, sizeof(line), file) != NULL)
        if ((sscanf(line, "version = %31[0-9.]", version) == 1 ||
             sscanf(line, "version_info = %31[0-9.]", version) == 1) &&
            strchr(version, '.') != NULL)
            return xstrdup(version);
    return NULL;
}

char *spawn_python_version(const char *python)
{
    cleanup_free char *path = spawn_python(python);
    char *version = version_of_venv(path);

    return version != NULL ? version : xstrdup(SAFEPYRUN_PYTHON_VERSION);
}
