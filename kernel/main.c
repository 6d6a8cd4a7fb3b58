/* safepyrun: one program, a table of commands. */
#include "kernel/commands/command.h"
#include "kernel/config/installation.h"
#include "kernel/config/options.h"
#include "kernel/crypto/openssl.h"
#include "kernel/kernel.h"

#include <sys/stat.h>

static int enter_directory(const char *path)
{
    return mkdir(path, 0700) < 0 && errno != EEXIST ? -1 : chdir(path);
}

static int run_kernel(int argc, char **argv)
{
    struct options options;
    cleanup_free char *error = NULL;
    int status;

    if (argc == 2 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)) {
        fputs(options_usage, stdout);
        return 0;
    }
    if (options_parse(argc - 1, argv + 1, &options, &error) != 0) {
        fprintf(stderr, "safepyrun kernel: %s\nTry `safepyrun kernel --help`.\n", error);
        return 2;
    }
    if (options.directory != NULL && enter_directory(options.directory) < 0) {
        fprintf(stderr, "safepyrun kernel: --directory %s: %s\n", options.directory,
                strerror(errno));
        options_finish(&options);
        return 2;
    }
    if (options.log_file != NULL && log_open(options.log_file, options.log_level) < 0) {
        fprintf(stderr, "safepyrun kernel: cannot write the log %s: %s\n", options.log_file,
                strerror(errno));
        options_finish(&options);
        return 2;
    }
    openssl_find_with(installation_file);
    status = kernel_run(&options);
    log_close();
    return status;
}

static const struct command kernel_command = {
    "kernel", "be a Jupyter kernel; launchers start it through the kernelspec", run_kernel};

static const struct command *const commands[] = {&kernel_command, &install_command,
                                                 &uninstall_command, &policy_command, &run_command, &containers_command, &mcp_command,
                                                 &doctor_command, &template_command};

static void print_usage(FILE *out)
{
    fputs("usage: safepyrun COMMAND [arguments]\n"
          "       safepyrun FILE|-             run a script under the guard, print its last value\n"
          "\ncommands:\n",
          out);
    for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
        fprintf(out, "  %-10s %s\n", commands[i]->name, commands[i]->summary);
    fputs("\nsafepyrun COMMAND --help tells more; safepyrun --version the version.\n", out);
}

static const struct command *find_command(const char *name)
{
    for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
        if (strcmp(name, commands[i]->name) == 0)
            return commands[i];
    return NULL;
}

static int complain(const char *name)
{
    fprintf(stderr, "safepyrun: no command %s\n", name);
    print_usage(stderr);
    return 2;
}

/* `safepyrun help`, `safepyrun help COMMAND` */
static int help(int argc, char **argv)
{
    const struct command *command = argc > 1 ? find_command(argv[1]) : NULL;
    char *arguments[] = {argc > 1 ? argv[1] : NULL, (char *)"--help", NULL};

    if (argc > 1 && command == NULL)
        return complain(argv[1]);
    if (command != NULL)
        return command->run(2, arguments);
    print_usage(stdout);
    return 0;
}

/* Who keeps what a command prints has to know when it is not all there. */
static int finish_output(int status)
{
    bool is_flushed = fflush(stdout) == 0; /* if it was an earlier write that failed, errno is of something else by now */

    if (is_flushed && !ferror(stdout))
        return status;
    fprintf(stderr, "safepyrun: the output cannot be written%s%s\n", is_flushed ? "" : ": ",
            is_flushed ? "" : strerror(errno));
    return status != 0 ? status : 1;
}

static int run_main(int argc, char **argv)
{
    const struct command *command = argc > 1 ? find_command(argv[1]) : NULL;

    if (argc == 2 && strcmp(argv[1], "--version") == 0) {
        puts("safepyrun " SAFEPYRUN_VERSION);
        return 0;
    }
    if (argc == 2 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0))
        return help(1, argv);
    if (argc > 1 && strcmp(argv[1], "help") == 0)
        return help(argc - 1, argv + 1);
    if (command != NULL)
        return command->run(argc - 1, argv + 1);
    if (argc > 1 && script_run(argc - 1, argv + 1) >= 0)
        return 1; /* it would have become the script */
    if (argc > 1)
        return complain(argv[1]);
    print_usage(stderr);
    return 2;
}

int main(int argc, char **argv)
{
    return finish_output(run_main(argc, argv));
}
