/* safepyrun uninstall: takes away what `safepyrun install` with the same place and name wrote. */
#include "kernel/commands/command.h"
#include "kernel/commands/kernelspec.h"
#include "kernel/commands/place.h"

#include "guard/link/cleanup.h"

#include <getopt.h>
#include <string.h>

static const char usage[] =
    "usage: safepyrun uninstall [options]\n\n"
    "Remove the kernelspec that `safepyrun install` wrote with the same options.\n\n" PLACE_USAGE
    "  --python PATH        the Python whose environment --sys-prefix means\n";

// clang-format off
static const struct option options[] = {
    PLACE_OPTIONS,
    {"help", no_argument, NULL, 'h'},
    {NULL, 0, NULL, 0},
};
// clang-format on

/* Returns 0, an exit status, or -1 for --help. */
static int read_options(struct place *place, int argc, char **argv)
{
    static char name[] = "safepyrun uninstall";
    int option;

    argv[0] = name; /* what getopt_long() begins its complaints with */
    optind = 0;     /* scan anew, as glibc has it */
    while ((option = getopt_long(argc, argv, "+h", options, NULL)) != -1)
        if (!place_take_option(place, option, optarg))
            return option == 'h' ? -1 : 2;
    if (optind < argc) {
        fprintf(stderr, "safepyrun uninstall: unexpected argument %s\n", argv[optind]);
        return 2;
    }
    return place_check(place) < 0 ? 2 : 0;
}

static int remove_from(const char *folder, const char *name)
{
    cleanup_free char *path = NULL;
    int error;

    if (access(folder, F_OK) < 0) {
        fprintf(stderr, "safepyrun uninstall: no kernelspec %s in %s\n", name, folder);
        return 1;
    }
    if (!kernelspec_is_ours(folder)) {
        fprintf(stderr, "safepyrun uninstall: %s is not a kernelspec of safepyrun; left alone\n",
                folder);
        return 1;
    }
    error = kernelspec_remove(folder, &path);
    if (error == -ENOTEMPTY) {
        printf("Removed kernelspec %s; other files stay in %s\n", name, folder);
        return 0;
    }
    if (error < 0) {
        fprintf(stderr, "safepyrun uninstall: cannot remove %s: %s\n", path, strerror(-error));
        return 1;
    }
    printf("Removed kernelspec %s from %s\n", name, folder);
    return 0;
}

static int uninstall(struct place *place)
{
    struct python_info info = PYTHON_INFO_NONE;
    cleanup_free char *python = place_python(place);
    cleanup_free char *folder = NULL;
    int status = 1;

    if (place->sys_prefix && python_info_ask(python, &info) < 0)
        return 1;
    folder = place_folder(place, &info);
    if (folder != NULL)
        status = remove_from(folder, place->key);
    python_info_finish(&info);
    return status;
}

static int run(int argc, char **argv)
{
    struct place place = PLACE_NONE;
    int status = read_options(&place, argc, argv);

    if (status == -1)
        fputs(usage, stdout);
    else if (status == 2)
        fputs("Try `safepyrun uninstall --help`.\n", stderr);
    else
        status = uninstall(&place);
    place_finish(&place);
    return status == -1 ? 0 : status;
}

const struct command uninstall_command = {
    .name = "uninstall", .summary = "take back what install did", .run = run};
