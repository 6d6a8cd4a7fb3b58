#include "kernel/commands/policy_question.h"

#include "guard/link/frame.h"
#include "kernel/config/installation.h"
#include "kernel/config/session_policy.h"

#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>

enum { LINK_FD = 3 }; /* in the guard */

/* Returns 0 or -errno; the child has the far end of the pair as its descriptor 3. */
static int start(char **arguments, pid_t *ret_pid, int *ret_link)
{
    posix_spawn_file_actions_t actions;
    int ends[2];
    int result;

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
        return -errno;
    if (ends[1] == LINK_FD) { /* dup2() to itself would keep it closed on exec */
        int moved = dup(ends[1]);

        close(ends[1]);
        ends[1] = moved;
    }
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, ends[1], LINK_FD);
    result = -posix_spawn(ret_pid, arguments[0], &actions, NULL, arguments, environ);
    posix_spawn_file_actions_destroy(&actions);
    close(ends[1]);
    if (result < 0)
        close(ends[0]);
    else
        *ret_link = ends[0];
    return result;
}

static int send_configuration(int link, const struct policy_sources *sources)
{
    struct options options = {.shell = "plain"};
    cleanup_policy struct policy *policy = session_policy_new(&options, sources, NULL);
    cleanup_buffer struct buffer encoded = BUFFER_NONE;
    struct frame_writer writer;
    int result;

    policy_encode(policy, &encoded);
    frame_writer_init(&writer);
    session_policy_push(&writer, options.shell, buffer_bytes(&encoded), sources);
    result = frame_writer_flush(&writer, link);
    frame_writer_finish(&writer);
    return result;
}

int policy_question_ask(const char *question, const struct policy_sources *sources)
{
    cleanup_free char *python = installation_python();
    bool embedded = installation_embeds(python);
    cleanup_free char *program = installation_file(embedded ? "safepyrun-guard" : "main.py");
    cleanup_free char *glue = installation_package_folder();
    cleanup_free char *far = xasprintf("%d", LINK_FD);
    /* -I, -S: nothing of the environment and of site-packages, as the program does it too. */
    const char *const arguments[] = {python,   "-I", "-S",        "-X", "utf8",   program,
                                     "--glue", glue, "--link-fd", far,  question, NULL};
    const char *const *first = embedded ? &arguments[5] : arguments;
    cleanup_close int link = -1;
    pid_t pid;
    int status;
    int result = start((char **)first, &pid, &link);

    if (result < 0) {
        fprintf(stderr, "safepyrun policy: cannot start %s: %s\n", first[0], strerror(-result));
        return 2;
    }
    fflush(stdout);
    send_configuration(link, sources); /* a guard that is gone has said why */
    if (waitpid(pid, &status, 0) < 0 || !WIFEXITED(status)) {
        fprintf(stderr, "safepyrun policy: %s was killed\n", first[0]);
        return 2;
    }
    return WEXITSTATUS(status);
}

int policy_question_check(const char *path)
{
    struct policy_sources sources;
    int status;

    policy_sources_read_one(path, &sources);
    status = policy_question_ask("--check-policy", &sources);
    policy_sources_finish(&sources);
    return status;
}
