#include "kernel/config/options.h"

const char options_usage[] =
    "usage: safepyrun kernel -f CONNECTION_FILE [options]\n"
    "\n"
    "  -f, --connection-file FILE   where to listen and with which key; written by the launcher\n"
    "      --python PATH            the Python of the notebook: a virtual environment's bin/python\n"
    "      --shell KIND             ipython, plain, or auto: ipython where it is installed (auto)\n"
    "      --policy FILE            what cells may do, in TOML; the preset \"workspace\" without it\n"
    "      --write-root DIR         cells may write below DIR too; may be repeated\n"
    "      --history-file FILE      SQLite file of inputs and outputs; :memory: keeps nothing\n"
    "      --audit-log FILE         JSON lines: sessions, cells, refusals; none keeps no such record\n"
    "      --on-guard-death WHAT    exit (the launcher restarts the kernel) or respawn (exit)\n"
    "      --log FILE               write a log; - is stderr\n"
    "      --log-level LEVEL        error, warning, info or debug (info)\n";

enum option {
    OPTION_CONNECTION_FILE,
    OPTION_PYTHON,
    OPTION_SHELL,
    OPTION_POLICY,
    OPTION_WRITE_ROOT,
    OPTION_HISTORY_FILE,
    OPTION_AUDIT_LOG,
    OPTION_ON_GUARD_DEATH,
    OPTION_LOG,
    OPTION_LOG_LEVEL,
    OPTION_UNKNOWN
};

static const struct {
    const char *name;
    enum option option;
} names[] = {
    {"-f", OPTION_CONNECTION_FILE},
    {"--f", OPTION_CONNECTION_FILE},
    {"--connection-file", OPTION_CONNECTION_FILE},
    {"--python", OPTION_PYTHON},
    {"--shell", OPTION_SHELL},
    {"--policy", OPTION_POLICY},
    {"--write-root", OPTION_WRITE_ROOT},
    {"--history-file", OPTION_HISTORY_FILE},
    {"--HistoryManager.hist_file", OPTION_HISTORY_FILE}, /* nbclient's, for ipykernel */
    {"--audit-log", OPTION_AUDIT_LOG},
    {"--on-guard-death", OPTION_ON_GUARD_DEATH},
    {"--log", OPTION_LOG},
    {"--log-level", OPTION_LOG_LEVEL},
};

static enum option find_option(struct bytes name)
{
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (bytes_equal_string(name, names[i].name))
            return names[i].option;
    return OPTION_UNKNOWN;
}

static bool is_one_of(const char *value, const char *const *choices)
{
    for (; *choices != NULL; choices++)
        if (strcmp(value, *choices) == 0)
            return true;
    return false;
}

static int set_choice(struct options *options, enum option option, const char *value,
                      char **ret_error)
{
    static const char *const shells[] = {"auto", "ipython", "plain", NULL};
    static const char *const deaths[] = {"exit", "respawn", NULL};

    if (option == OPTION_SHELL && is_one_of(value, shells)) {
        options->shell = value;
        return 0;
    }
    if (option == OPTION_ON_GUARD_DEATH && is_one_of(value, deaths)) {
        options->on_guard_death =
            strcmp(value, "respawn") == 0 ? GUARD_DEATH_RESPAWN : GUARD_DEATH_EXIT;
        return 0;
    }
    if (option == OPTION_LOG_LEVEL && log_level_from_name(value, &options->log_level))
        return 0;
    *ret_error = xasprintf("%s: not one of %s", value,
                           option == OPTION_SHELL            ? "auto, ipython, plain"
                           : option == OPTION_ON_GUARD_DEATH ? "exit, respawn"
                                                             : "error, warning, info, debug");
    return 1;
}

static int set_option(struct options *options, enum option option, const char *value,
                      char **ret_error)
{
    switch (option) {
    case OPTION_CONNECTION_FILE:
        options->connection_file = value;
        return 0;
    case OPTION_PYTHON:
        options->python = value;
        return 0;
    case OPTION_POLICY:
        options->policy_file = value;
        return 0;
    case OPTION_HISTORY_FILE:
        options->history_file = value;
        return 0;
    case OPTION_AUDIT_LOG:
        options->audit_log = value;
        return 0;
    case OPTION_LOG:
        options->log_file = value;
        return 0;
    case OPTION_WRITE_ROOT:
        options->write_roots = xrealloc(options->write_roots, (options->write_root_count + 1) *
                                                                  sizeof(*options->write_roots));
        options->write_roots[options->write_root_count++] = value;
        return 0;
    default:
        return set_choice(options, option, value, ret_error);
    }
}

int options_parse(int argc, char **argv, struct options *ret_options, char **ret_error)
{
    struct options options = {.shell = "auto", .log_level = LOG_INFO};
    int result = 0;

    for (int i = 0; result == 0 && i < argc; i++) {
        const char *equals = strchr(argv[i], '=');
        struct bytes name = {argv[i], equals != NULL ? (size_t)(equals - argv[i]) : strlen(argv[i])};
        enum option option = find_option(name);

        if (option == OPTION_UNKNOWN) {
            buffer_append_char(&options.ignored, ' ');
            buffer_append_string(&options.ignored, argv[i]);
            continue;
        }
        if (equals == NULL && i + 1 == argc) {
            *ret_error = xasprintf("%s needs a value", argv[i]);
            result = 1;
            continue;
        }
        result = set_option(&options, option, equals != NULL ? equals + 1 : argv[++i], ret_error);
    }
    if (result == 0 && options.connection_file == NULL) {
        *ret_error = xasprintf("the connection file is missing: -f FILE%s%.*s",
                               options.ignored.size != 0 ? "; not known here:" : "",
                               (int)options.ignored.size,
                               options.ignored.size != 0 ? options.ignored.data : "");
        result = 1;
    }
    if (result != 0) {
        options_finish(&options);
        return result;
    }
    *ret_options = options;
    return 0;
}

void options_finish(struct options *options)
{
    free(options->write_roots);
    buffer_finish(&options->ignored);
    options->write_roots = NULL;
}
