/* safepyrun run: code in a guard process of its own, with limits, for programs that have no Jupyter. */
#include "kernel/commands/command.h"
#include "kernel/commands/run_request.h"
#include "kernel/commands/run_serve.h"
#include "kernel/commands/value_options.h"

#include "guard/link/cleanup.h"

#include <fcntl.h>
#include <getopt.h>

static const char usage[] =
    "usage: safepyrun run [options] FILE|-\n"
    "       safepyrun run --request [--serve] < REQUEST\n"
    "\n"
    "Run a script under the policy, in a process that ends with it; the exit status is the script's.\n"
    "Its result is the variable `result`, else the value of its last expression.\n"
    "\n"
    "  --policy FILE    what it may do; also --policy-file\n"
    "  --timeout S      seconds until it is stopped (5, or the policy's; 0: no limit)\n"
    "  --memory MB      what it may take (256, or the policy's; 0: no limit)\n"
    "  --max-output KB  with --json: what is kept of each stream (128, or the policy's; 0: all)\n"
    "  --input JSON     the variable input_data; the keys of an object are variables as well\n"
    "  --python PATH    the Python that runs it: a virtual environment's bin/python\n"
    "  --json           one JSON object: ok, result, stdout, stderr, timed_out, resource_exceeded,\n"
    "                   error, exit_code, denials\n"
    "  --request        {\"code\", \"input_data\", \"policy\"} from standard input; answers as --json does\n"
    "  --serve          a request a line until there are no more; guards come from a warm template\n"
    "  --warm A,B       with --serve: modules that the template has imported already\n";

enum { OPTION_POLICY = 1, OPTION_TIMEOUT, OPTION_MEMORY, OPTION_OUTPUT, OPTION_INPUT, OPTION_PYTHON, OPTION_WARM };

struct arguments {
    struct run_start start;
    struct run_settings settings;
    const char *policy;
    const char *input;
    const char *file;
    int json;
    int request;
    int serve;
    const char *warm;
};

static int complain(const char *problem, const char *subject)
{
    fprintf(stderr, "safepyrun run: %s%s\nTry `safepyrun run --help`.\n", problem, subject);
    return 2;
}

static int take_number(const char *option, const char *text, long *ret_number)
{
    return value_options_number(text, 1000000000, ret_number) ? 0 : complain(option, " needs a whole number");
}

/* Returns 0, an exit status, or -1 for --help. */
static int read_options(int argc, char **argv, struct arguments *arguments)
{
    static char name[] = "safepyrun run";
    const struct option options[] = {{"policy", required_argument, NULL, OPTION_POLICY},
                                     {"policy-file", required_argument, NULL, OPTION_POLICY},
                                     {"timeout", required_argument, NULL, OPTION_TIMEOUT},
                                     {"memory", required_argument, NULL, OPTION_MEMORY},
                                     {"max-output", required_argument, NULL, OPTION_OUTPUT},
                                     {"input", required_argument, NULL, OPTION_INPUT},
                                     {"python", required_argument, NULL, OPTION_PYTHON},
                                     {"json", no_argument, &arguments->json, 1},
                                     {"request", no_argument, &arguments->request, 1},
                                     {"serve", no_argument, &arguments->serve, 1},
                                     {"warm", required_argument, NULL, OPTION_WARM},
                                     {"help", no_argument, NULL, 'h'},
                                     {NULL, 0, NULL, 0}};
    int option, status = 0;

    argv[0] = name; /* what getopt_long() begins its complaints with */
    optind = 0;
    while (status == 0 && (option = getopt_long(argc, argv, "+h", options, NULL)) != -1) {
        if (option == OPTION_POLICY && arguments->policy != NULL)
            return complain("one policy only, not also ", optarg);
        if (option == OPTION_POLICY)
            arguments->policy = optarg;
        else if (option == OPTION_TIMEOUT)
            status = take_number("--timeout", optarg, &arguments->settings.timeout_seconds);
        else if (option == OPTION_MEMORY)
            status = take_number("--memory", optarg, &arguments->settings.memory_mb);
        else if (option == OPTION_OUTPUT)
            status = take_number("--max-output", optarg, &arguments->settings.output_kb);
        else if (option == OPTION_INPUT)
            arguments->input = optarg;
        else if (option == OPTION_PYTHON)
            arguments->start.python = optarg;
        else if (option == OPTION_WARM)
            arguments->warm = optarg;
        else if (option != 0)
            status = option == 'h' ? -1 : 2;
    }
    if (status != 0)
        return status;
    arguments->file = optind < argc ? argv[optind] : NULL;
    if (optind + 1 < argc)
        return complain("one FILE only, not also ", argv[optind + 1]);
    if (arguments->request && (arguments->file != NULL || arguments->policy != NULL || arguments->input != NULL))
        return complain("--request brings its code, input and policy along", "");
    if ((arguments->serve && !arguments->request) || (arguments->warm != NULL && !arguments->serve))
        return complain("--warm is for --serve, and --serve for --request", "");
    return arguments->request || arguments->file != NULL ? 0 : complain("which FILE?", "");
}

static int read_all(const char *path, struct buffer *ret_text)
{
    cleanup_close int opened = strcmp(path, "-") == 0 ? -1 : open(path, O_RDONLY | O_CLOEXEC);
    ssize_t got;

    if (opened < 0 && strcmp(path, "-") != 0)
        return -errno;
    do {
        got = read(opened >= 0 ? opened : 0, buffer_reserve(ret_text, 65536), 65536);
        if (got > 0)
            buffer_commit(ret_text, (size_t)got);
    } while (got > 0 || (got < 0 && errno == EINTR));
    return got < 0 ? -errno : 0;
}

static int print_answer(const struct run_result *result)
{
    return run_result_print(result) ? result->exit_code : 1;
}

/* What it printed is out already. */
static int print_end(const struct run_result *result)
{
    if (result->error != NULL)
        fprintf(stderr, "Error: %s\n", result->error);
    else if (result->result.size > 0 && strncmp(result->result.data, "null", result->result.size) != 0)
        printf("%.*s\n", (int)result->result.size, result->result.data);
    return fflush(stdout) == 0 ? result->exit_code : 1;
}

static int run_and_print(struct arguments *arguments)
{
    struct run_result result = RUN_RESULT_NONE;
    struct run_session *session;
    bool json = arguments->json || arguments->request;
    int status;

    arguments->settings.streams = !json;
    session = run_session_new(&arguments->start);
    run_session_run(session, &arguments->settings, &result);
    run_session_free(session);
    status = json ? print_answer(&result) : print_end(&result);
    run_result_finish(&result);
    return status;
}

static int run_script(struct arguments *arguments)
{
    cleanup_buffer struct buffer code = BUFFER_NONE;
    cleanup_buffer struct buffer names = BUFFER_NONE;
    cleanup_free char *error = NULL;
    const char *input = arguments->input != NULL ? arguments->input : "{}";
    struct policy_sources sources;
    int status = read_all(arguments->file, &code);

    if (status < 0) {
        fprintf(stderr, "Error: %s: %s\n", arguments->file, strerror(-status));
        return 1;
    }
    if (run_request_read_input(bytes_of_string(input), &names, &error) < 0)
        return complain(error, "");
    policy_sources_read(arguments->policy, &sources);
    arguments->settings.code = buffer_bytes(&code);
    arguments->settings.names = buffer_bytes(&names);
    arguments->start.sources = &sources;
    status = run_and_print(arguments);
    policy_sources_finish(&sources);
    return status;
}

static int run_requested(struct arguments *arguments)
{
    cleanup_buffer struct buffer text = BUFFER_NONE;
    cleanup_free char *error = NULL;
    struct run_request request;
    int status = read_all("-", &text);

    if (status < 0) {
        fprintf(stderr, "Error: the request: %s\n", strerror(-status));
        return 1;
    }
    if (run_request_read(buffer_bytes(&text), &request, &error) < 0) {
        status = complain(error, "");
    } else {
        run_request_apply(&request, &arguments->settings);
        arguments->start.sources = &request.sources;
        status = run_and_print(arguments);
    }
    run_request_finish(&request);
    return status;
}

static int run(int argc, char **argv)
{
    struct arguments arguments = {
        .settings = {.timeout_seconds = -1, .memory_mb = -1, .output_kb = -1}};
    int status = read_options(argc, argv, &arguments);

    if (status == -1) {
        fputs(usage, stdout);
        return 0;
    }
    if (status != 0)
        return status;
    if (arguments.serve)
        return run_serve(arguments.start.python, arguments.warm);
    return arguments.request ? run_requested(&arguments) : run_script(&arguments);
}

const struct command run_command = {"run", "run a script in a guarded process of its own", run};
