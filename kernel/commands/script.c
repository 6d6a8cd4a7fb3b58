/*
 * safepyrun FILE, safepyrun -: a script under the guard; safepyrun containers
 *
 * Becomes the Python of this installation, with the guard as a module: what runs there is RunPython, as in any
 * program that imports it. A process of its own for each script, with limits and answers in JSON, is `safepyrun run`.
 */
#include "kernel/commands/command.h"

#include "guard/link/buffer.h"
#include "kernel/config/installation.h"

static bool is_script(const char *word)
{
    size_t size = strlen(word);

    return strcmp(word, "-") == 0 || strchr(word, '/') != NULL ||
           (size > 3 && strcmp(word + size - 3, ".py") == 0) ||
           (word[0] != '-' && access(word, F_OK) == 0);
}

/* Becomes main.py with `option` and the words after it; returns an exit status when that cannot be. */
static int become_python(const char *option, int argc, char **argv)
{
    cleanup_free char *python = installation_python();
    cleanup_free char *main_file = installation_file("main.py");
    cleanup_free char *glue = installation_package_folder();
    const char *const first[] = {python, "-P", "-X", "utf8", main_file, "--glue", glue, option};
    const size_t count = sizeof(first) / sizeof(first[0]);
    cleanup_free const char **words = xcalloc(count + (size_t)argc + 1, sizeof(*words));

    memcpy(words, first, sizeof(first));
    for (int i = 0; i < argc; i++)
        words[count + (size_t)i] = argv[i];
    execv(python, (char **)words);
    fprintf(stderr, "Error: cannot start %s: %s\n", python, strerror(errno));
    return 1;
}

int script_run(int argc, char **argv)
{
    return argc == 1 && is_script(argv[0]) ? become_python("--script", 1, argv) : -1;
}

static int run_containers(int argc, char **argv)
{
    return become_python("--containers", argc - 1, argv + 1);
}

const struct command containers_command = {
    "containers", "list, stop, kill and clean up the containers of runs", run_containers};
