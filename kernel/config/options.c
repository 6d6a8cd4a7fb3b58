#include "kernel/config/options.h"

const char options_usage[] =
    "usage: safepyrun kernel -f CONNECTION_FILE [options]\n"
    "\n"
    "  -f, --connection-file FILE   where to listen and with which key; written by the launcher\n"
    "      --directory DIR          work in DIR, which is made when it is missing; other relative\n"
    "                               paths are then below it\n"
    "      --python PATH            the Python of the notebook: a virtual environment's bin/python\n"
    "      --shell KIND             ipython, plain, or auto: ipython where it is installed (auto)\n"
    "      --policy FILE            what cells may do, in TOML; the preset \"workspace\" without it\n"
    "      --write-root DIR         cells may write below DIR too; may be repeated\n"
    "      --history-file FILE      SQLite file of inputs and outputs; :memory: keeps nothing\n"
    "      --audit-log FILE         JSON lines: sessions, cells, refusals; none keeps no such record\n"
    "      --on-guard-death WHAT    exit (the launcher restarts the kernel) or respawn (exit)\n"
    "      --log FILE               write a log; - is stderr\n"
    "      --log-level LEVEL        error, warning, info or debug (info)\n"
    "\n"
    "Instead of -f, from a gateway that starts kernels on other machines (`safepyrun install\n"
    "--remote-hosts` writes these; docs/gateway.md):\n"
    "\n"
    "      --response-address IP:PORT   where the gateway waits for the chosen ports and keys\n"
    "      --public-key KEY             for its eyes only: RSA, DER in base64\n"
    "      --kernel-id ID               what the gateway calls this kernel\n"
    "      --port-range FIRST..LAST     choose ports in this range (any)\n"
    "      --transport-encryption WHAT  auto, required (CurveZMQ) or disabled (disabled)\n";

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
    OPTION_RESPONSE_ADDRESS,
    OPTION_PUBLIC_KEY,
    OPTION_KERNEL_ID,
    OPTION_PORT_RANGE,
    OPTION_TRANSPORT_ENCRYPTION,
    OPTION_DIRECTORY,
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
    {"--response-address", OPTION_RESPONSE_ADDRESS},
    {"--public-key", OPTION_PUBLIC_KEY},
    {"--kernel-id", OPTION_KERNEL_ID},
    {"--port-range", OPTION_PORT_RANGE},
    {"--transport-encryption", OPTION_TRANSPORT_ENCRYPTION},
    {"--directory", OPTION_DIRECTORY},
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

bool options_knows_shell(const char *name)
{
    static const char *const shells[] = {"auto", "ipython", "plain", NULL};

    return is_one_of(name, shells);
}

static int set_choice(struct options *options, enum option option, const char *value,
                      char **ret_error)
{
    static const char *const deaths[] = {"exit", "respawn", NULL};

    if (option == OPTION_SHELL && options_knows_shell(value)) {
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

/* Where an option goes whose value is taken as it is; NULL for the others. */
static const char **place_of(struct options *options, enum option option)
{
    const char **const places[OPTION_UNKNOWN] = {
        [OPTION_CONNECTION_FILE] = &options->connection_file,
        [OPTION_PYTHON] = &options->python,
        [OPTION_POLICY] = &options->policy_file,
        [OPTION_HISTORY_FILE] = &options->history_file,
        [OPTION_AUDIT_LOG] = &options->audit_log,
        [OPTION_LOG] = &options->log_file,
        [OPTION_RESPONSE_ADDRESS] = &options->response_address,
        [OPTION_PUBLIC_KEY] = &options->public_key,
        [OPTION_KERNEL_ID] = &options->kernel_id,
        [OPTION_PORT_RANGE] = &options->port_range,
        [OPTION_TRANSPORT_ENCRYPTION] = &options->transport_encryption,
        [OPTION_DIRECTORY] = &options->directory,
    };

    return places[option];
}

static int set_option(struct options *options, enum option option, const char *value,
                      char **ret_error)
{
    const char **place = place_of(options, option);

    if (place != NULL) {
        *place = value;
        return 0;
    }
    if (option != OPTION_WRITE_ROOT)
        return set_choice(options, option, value, ret_error);
    options->write_roots = xrealloc(options->write_roots, (options->write_root_count + 1) *
                                                              sizeof(*options->write_roots));
    options->write_roots[options->write_root_count++] = value;
    return 0;
}

/* Exactly one launcher. */
static int check_whom_to_serve(const struct options *options, char **ret_error)
{
    const struct buffer *ignored = &options->ignored;

    if (options->connection_file != NULL && options->response_address != NULL)
        *ret_error = xstrdup("-f and --response-address: one or the other");
    else if (options->connection_file == NULL && options->response_address == NULL)
        *ret_error = xasprintf("the connection file is missing: -f FILE%s%.*s; Jupyter writes one for each kernel that it "
                               "starts: jupyter console --kernel safepyrun",
                               ignored->size != 0 ? "; not known here:" : "", (int)ignored->size,
                               ignored->size != 0 ? ignored->data : "");
    else
        return 0;
    return 1;
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
    if (result == 0)
        result = check_whom_to_serve(&options, ret_error);
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
