/* safepyrun install: the options and messages of `ipykernel install`, for this kernel. */
#include "kernel/commands/command.h"
#include "kernel/commands/kernelspec.h"
#include "kernel/commands/place.h"
#include "kernel/commands/policy_question.h"

#include "guard/link/cleanup.h"
#include "kernel/config/installation.h"
#include "kernel/config/options.h"

#include <getopt.h>
#include <stdarg.h>
#include <sys/stat.h>

#define DISPLAY_NAME "Python 3 (safepyrun)"

#define PLAIN_CHARACTERS                                                                           \
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789/._+-@:,"

static const char usage[] =
    "usage: safepyrun install [options]\n\n"
    "Tell Jupyter about this kernel.\n\n" PLACE_USAGE
    "  --display-name NAME  what launchers show (default: " DISPLAY_NAME ";\n"
    "                       with --name that name)\n"
    "  --python PATH        the Python that runs the cells (default: that of the active\n"
    "                       virtual environment, else the one of this program)\n"
    "  --shell KIND         auto, ipython or plain (default: auto, IPython where it is installed)\n"
    "  --policy FILE        what cells may do, beyond the preset\n"
    "  --remote-hosts LIST  run on these hosts, over ssh: for a gateway with gateway_provisioners;\n"
    "                       names with commas between them (docs/gateway.md)\n"
    "  --env NAME VALUE     a variable of the kernel's environment; may be repeated\n"
    "  --frozen_modules     taken as ipykernel's, and always so here\n";

enum { OPTION_DISPLAY_NAME = 1, OPTION_SHELL, OPTION_POLICY, OPTION_REMOTE_HOSTS, OPTION_ENV, OPTION_FROZEN, OPTION_PROFILE };

// clang-format off
static const struct option options[] = {
    PLACE_OPTIONS,
    {"display-name", required_argument, NULL, OPTION_DISPLAY_NAME},
    {"shell",        required_argument, NULL, OPTION_SHELL},
    {"policy",       required_argument, NULL, OPTION_POLICY},
    {"remote-hosts", required_argument, NULL, OPTION_REMOTE_HOSTS},
    {"env",          required_argument, NULL, OPTION_ENV},
    {"frozen_modules", no_argument,     NULL, OPTION_FROZEN},
    {"profile",      required_argument, NULL, OPTION_PROFILE},
    {"help",         no_argument,       NULL, 'h'},
    {NULL, 0, NULL, 0},
};
// clang-format on

struct installation {
    struct place place;
    struct python_info python;
    struct kernelspec spec;
    char *program;
    char *policy_file;
};

/* The exit status of arguments that make no sense. */
__attribute__((format(printf, 1, 2))) static int complain(const char *format, ...)
{
    va_list values;

    va_start(values, format);
    fputs("safepyrun install: ", stderr);
    vfprintf(stderr, format, values);
    fputc('\n', stderr);
    va_end(values);
    return 2;
}

static int take_shell(struct installation *installation, const char *shell)
{
    if (!options_knows_shell(shell))
        return complain("--shell is auto, ipython or plain, not \"%s\"", shell);
    installation->spec.shell = strcmp(shell, "auto") == 0 ? NULL : shell;
    return 0;
}

/* Kept as an absolute path: the kernel starts in the notebook's folder. */
static int take_policy(struct installation *installation, const char *path)
{
    struct stat about;

    free(installation->policy_file);
    installation->policy_file = realpath(path, NULL);
    if (installation->policy_file == NULL || stat(installation->policy_file, &about) < 0 ||
        access(installation->policy_file, R_OK) < 0) {
        fprintf(stderr, "safepyrun install: policy file %s: %s\n", path, strerror(errno));
        return 1;
    }
    if (!S_ISREG(about.st_mode)) {
        fprintf(stderr, "safepyrun install: policy file %s: not a file\n", path);
        return 1;
    }
    installation->spec.policy_file = installation->policy_file;
    return 0;
}

static int take_remote_hosts(struct installation *installation, const char *hosts)
{
    if (hosts[strspn(hosts, ",")] == '\0')
        return complain("--remote-hosts needs at least one name");
    installation->spec.remote_hosts = hosts;
    return 0;
}

/* getopt_long() knows options with one value; the second is the argument that follows. */
static int take_env(struct installation *installation, const char *name, int argc, char **argv)
{
    if (name[0] == '\0' || strchr(name, '=') != NULL)
        return complain("--env: \"%s\" cannot name a variable", name);
    if (optind >= argc)
        return complain("--env %s needs a value", name);
    if (json_object_set_new(installation->spec.env, name, json_string(argv[optind])) < 0)
        return complain("--env %s: only UTF-8 can be written to kernel.json", name);
    optind++;
    return 0;
}

/* Returns 0, an exit status, or -1 for --help. "+": a value of --env is not moved by getopt. */
static int read_options(struct installation *installation, int argc, char **argv)
{
    static char name[] = "safepyrun install";
    int option, status = 0;

    argv[0] = name; /* what getopt_long() begins its complaints with */
    optind = 0;     /* scan anew, as glibc has it */
    while (status == 0 && (option = getopt_long(argc, argv, "+h", options, NULL)) != -1) {
        if (place_take_option(&installation->place, option, optarg))
            continue;
        if (option == OPTION_DISPLAY_NAME)
            installation->spec.display_name = optarg;
        else if (option == OPTION_SHELL)
            status = take_shell(installation, optarg);
        else if (option == OPTION_POLICY)
            status = take_policy(installation, optarg);
        else if (option == OPTION_REMOTE_HOSTS)
            status = take_remote_hosts(installation, optarg);
        else if (option == OPTION_ENV)
            status = take_env(installation, optarg, argc, argv);
        else if (option == OPTION_PROFILE)
            status = complain("there are no IPython profiles here: what --profile %s sets belongs into a set-up "
                              "file, [setup] files in the policy",
                              optarg);
        else if (option == OPTION_FROZEN)
            continue;
        else
            status = option == 'h' ? -1 : 2;
    }
    if (status == 0 && optind < argc)
        return complain("unexpected argument %s", argv[optind]);
    if (status == 0 && place_check(&installation->place) < 0)
        return 2;
    return status;
}

static int report_failure(const struct installation *installation, int error, const char *path)
{
    fprintf(stderr, "safepyrun install: cannot write %s: %s\n", path, strerror(-error));
    if (error == -EACCES || error == -EPERM || error == -EROFS)
        fputs(installation->place.user ? "Perhaps you want --prefix?\n"
                                       : "Perhaps you want `sudo` or `--user`?\n",
              stderr);
    return 1;
}

/* A kernel with a wrong policy file would refuse every cell: better told now than there. */
static int check_policy(const char *path)
{
    if (path == NULL || policy_question_check(path) == 0)
        return 0;
    fputs("safepyrun install: nothing was installed, because of the policy file\n", stderr);
    return 1;
}

/* A shell on the other machine reads these words, and nobody quotes them. */
static int check_words(const struct kernelspec *spec)
{
    const char *const words[] = {spec->program, spec->python, spec->policy_file};

    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (spec->remote_hosts != NULL && words[i] != NULL &&
            words[i][strspn(words[i], PLAIN_CHARACTERS)] != '\0')
            return complain("--remote-hosts: the path %s would not pass through a shell as it is",
                            words[i]);
    return 0;
}

static int install(struct installation *installation)
{
    cleanup_free char *python = place_python(&installation->place);
    cleanup_free char *folder = NULL;
    cleanup_free char *path = NULL;
    int error;

    if (python_info_ask(python, &installation->python) < 0)
        return 1;
    if (check_policy(installation->spec.policy_file) != 0)
        return 1;
    folder = place_folder(&installation->place, &installation->python);
    installation->program = installation_program();
    if (folder == NULL || installation->program == NULL)
        return 1;
    installation->spec.program = installation->program;
    installation->spec.python = installation->python.executable;
    if (installation->spec.display_name == NULL)
        installation->spec.display_name = strcmp(installation->place.key, KERNELSPEC_NAME) == 0
                                              ? DISPLAY_NAME
                                              : installation->place.name;
    if (check_words(&installation->spec) != 0)
        return 1;
    error = kernelspec_write(folder, &installation->spec, &path);
    if (error < 0)
        return report_failure(installation, error, path);
    printf("Installed kernelspec %s in %s\n", installation->place.key, folder);
    printf("Cells run in Python %s, %s (%s)\n", installation->python.version,
           installation->python.executable,
           installation->python.is_embedded ? "the one built in" : "through its module");
    return 0;
}

static int run(int argc, char **argv)
{
    struct installation installation = {.place = PLACE_NONE, .spec = {.env = json_object()}};
    int status = read_options(&installation, argc, argv);

    if (status == -1)
        fputs(usage, stdout);
    else if (status == 2)
        fputs("Try `safepyrun install --help`.\n", stderr);
    else if (status == 0)
        status = install(&installation);
    json_decref(installation.spec.env);
    python_info_finish(&installation.python);
    place_finish(&installation.place);
    free(installation.program);
    free(installation.policy_file);
    return status == -1 ? 0 : status;
}

const struct command install_command = {
    .name = "install", .summary = "tell Jupyter about this kernel", .run = run};
