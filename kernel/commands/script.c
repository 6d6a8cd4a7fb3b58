/*
 * safepyrun FILE, safepyrun -: a script under the guard
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

int script_run(int argc, char **argv)
{
    cleanup_free char *python = installation_python();
    cleanup_free char *main_file = installation_file("main.py");
    cleanup_free char *glue = installation_package_folder();

    if (argc != 1 || !is_script(argv[0]))
        return -1;
    execl(python, python, "-P", "-X", "utf8", main_file, "--glue", glue, "--script", argv[0], NULL);
    fprintf(stderr, "Error: cannot start %s: %s\n", python, strerror(errno));
    return 1;
}
