#include "kernel/commands/python_info.h"

#include "guard/link/buffer.h"
#include "kernel/config/installation.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>

enum { ANSWER_MAX_BYTES = 65536, VERSION_MIN = 311 };

/* A mark before the answer: a sitecustomize module may print too. */
static const char question[] =
    "import sys, os\n"
    "base = os.path.realpath(getattr(sys, '_base_executable', '') or sys.executable)\n"
    "print('\\x1e' + '\\n'.join([sys.executable, sys.prefix, base,"
    " '%d.%d.%d' % sys.version_info[:3], str(sys.version_info[0] * 100 + sys.version_info[1]),"
    " sys.implementation.name]))\n";

enum { EXECUTABLE, PREFIX, BASE, VERSION, VERSION_NUMBER, IMPLEMENTATION, FIELD_COUNT };

/* What it prints goes to `ret_answer`, up to a limit. Returns its exit status or -errno. */
static int run(const char *command, struct buffer *ret_answer)
{
    const char *const argv[] = {command, "-I", "-c", question, NULL};
    posix_spawn_file_actions_t actions;
    ssize_t got = 1;
    int ends[2], status, error;
    pid_t pid;

    if (pipe2(ends, O_CLOEXEC) < 0)
        return -errno;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, ends[1], 1);
    posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
    error = posix_spawnp(&pid, command, &actions, NULL, (char *const *)argv, environ);
    posix_spawn_file_actions_destroy(&actions);
    close(ends[1]);
    while (error == 0 && ret_answer->size < ANSWER_MAX_BYTES && (got > 0 || errno == EINTR)) {
        got = read(ends[0], buffer_reserve(ret_answer, 4096), 4096);
        if (got == 0)
            break;
        if (got > 0)
            buffer_commit(ret_answer, (size_t)got);
    }
    close(ends[0]);
    if (error != 0)
        return -error;
    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR)
            return -errno;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* Cuts the answer into its lines; false when some are missing. */
static bool split(char *answer, char *fields[static FIELD_COUNT])
{
    char *next = strrchr(answer, '\x1e');

    if (next == NULL)
        return false;
    next++;
    for (int i = 0; i < FIELD_COUNT; i++) {
        fields[i] = strsep(&next, "\n");
        if (fields[i] == NULL)
            return false;
    }
    return fields[EXECUTABLE][0] == '/' && fields[PREFIX][0] == '/';
}

static int refuse(const char *command, const char *why)
{
    fprintf(stderr, "safepyrun: --python %s: %s\n", command, why);
    return -1;
}

int python_info_ask(const char *command, struct python_info *ret_info)
{
    cleanup_buffer struct buffer output = BUFFER_NONE;
    cleanup_free char *answer = NULL;
    char *fields[FIELD_COUNT];
    int status = run(command, &output);

    if (status < 0)
        return refuse(command, strerror(-status));
    answer = buffer_steal_string(&output);
    if (status != 0 || answer == NULL || !split(answer, fields))
        return refuse(command, "not a Python that works");
    if (strcmp(fields[IMPLEMENTATION], "cpython") != 0)
        return refuse(command, "not CPython");
    if (atoi(fields[VERSION_NUMBER]) < VERSION_MIN)
        return refuse(command, "too old: the kernel needs Python 3.11 or newer");
    *ret_info = (struct python_info){
        .executable = xstrdup(fields[EXECUTABLE]),
        .prefix = xstrdup(fields[PREFIX]),
        .version = xstrdup(fields[VERSION]),
        .is_embedded = installation_embeds(fields[BASE]),
    };
    return 0;
}

void python_info_finish(struct python_info *info)
{
    free(info->executable);
    free(info->prefix);
    free(info->version);
    *info = PYTHON_INFO_NONE;
}
