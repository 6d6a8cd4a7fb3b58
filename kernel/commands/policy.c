/*
 * safepyrun policy: is this file right, what is in force, which keys are there
 *
 * Only a Python can read TOML, so the questions go to a guard in the words of a session:
 * the answer is what a kernel that starts here would do.
 */
#include "kernel/commands/command.h"

#include "guard/link/frame.h"
#include "kernel/config/session_policy.h"
#include "kernel/config/installation.h"

#include <spawn.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>

enum { LINK_FD = 3 }; /* in the guard */

static const char usage[] =
    "usage: safepyrun policy check FILE\n"
    "       safepyrun policy show [--policy FILE] [--json]\n"
    "       safepyrun policy keys\n"
    "\n"
    "  check  is this policy file right? Says file, line and key of what is not; exit status 1\n"
    "  show   what a kernel started here lets cells do, and which file each value comes from\n"
    "  keys   what may stand in a policy file\n";

extern char **environ;

static int complain(const char *problem, const char *subject)
{
    fprintf(stderr, "safepyrun policy: %s%s\n\n%s", problem, subject, usage);
    return 2;
}

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
    struct bytes parts[2 + POLICY_SOURCES_MAX * POLICY_SOURCE_PARTS];
    size_t count = 2 + policy_sources_parts(sources, parts + 2);
    struct frame_writer writer;
    int result;

    policy_encode(policy, &encoded);
    parts[0] = bytes_of_string(options.shell);
    parts[1] = buffer_bytes(&encoded);
    frame_writer_init(&writer);
    frame_writer_push(&writer, &(struct frame){FRAME_CONFIGURE, 0, count, parts});
    result = frame_writer_flush(&writer, link);
    frame_writer_finish(&writer);
    return result;
}

static int ask(const char *question, const struct policy_sources *sources)
{
    cleanup_free char *python = installation_python();
    bool embedded = installation_embeds(python);
    cleanup_free char *program = installation_file(embedded ? "safepyrun-guard" : "main.py");
    cleanup_free char *glue = installation_package_folder();
    cleanup_free char *far = xasprintf("%d", LINK_FD);
    /* -I, -S: nothing of the environment and of site-packages, as the program does it too. */
    const char *const arguments[] = {python,   "-I",     "-S", "-X",       "utf8",
                                     program,  "--glue", glue, "--link-fd", far,
                                     question, NULL};
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

static int check(int argc, char **argv)
{
    struct policy_sources sources;
    int status;

    if (argc != 2)
        return complain("check needs one FILE", "");
    policy_sources_read_one(argv[1], &sources);
    status = ask("--check-policy", &sources);
    policy_sources_finish(&sources);
    if (status == 0)
        printf("%s: right\n", argv[1]);
    return status;
}

static int show(int argc, char **argv)
{
    const char *question = "--show-policy";
    const char *file = NULL;
    struct policy_sources sources;
    int status;

    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--json") == 0)
            question = "--show-policy-json";
        else if (strncmp(argv[i], "--policy=", 9) == 0)
            file = argv[i] + 9;
        else if (strcmp(argv[i], "--policy") == 0 && i + 1 < argc)
            file = argv[++i];
        else
            return complain("show does not know ", argv[i]);
    }
    policy_sources_read(file, &sources);
    status = ask(question, &sources);
    policy_sources_finish(&sources);
    return status;
}

/* Markdown, so that the same table stands in the README. */
static int keys(int argc, char **argv)
{
    size_t count;
    const struct policy_key *rows = policy_keys(&count);

    if (argc != 1)
        return complain("keys takes no ", argv[1]);
    printf("| key | takes | without it | meaning |\n|---|---|---|---|\n");
    for (size_t i = 0; i < count; i++)
        printf("| `%s` | %s | %s | %s |\n", rows[i].name, rows[i].accepts, rows[i].otherwise,
               rows[i].meaning);
    return 0;
}

static int run(int argc, char **argv)
{
    static const struct {
        const char *word;
        int (*run)(int argc, char **argv);
    } words[] = {{"check", check}, {"show", show}, {"keys", keys}};

    if (argc == 2 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)) {
        fputs(usage, stdout);
        return 0;
    }
    for (size_t i = 0; argc > 1 && i < sizeof(words) / sizeof(words[0]); i++)
        if (strcmp(argv[1], words[i].word) == 0)
            return words[i].run(argc - 1, argv + 1);
    return argc > 1 ? complain("there is no ", argv[1]) : complain("what about it?", "");
}

const struct command policy_command = {"policy", "check, show and explain what cells may do", run};
