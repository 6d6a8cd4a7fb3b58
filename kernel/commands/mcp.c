/* safepyrun mcp: a guarded Python session for an agent, over standard input and output. */
#include "kernel/commands/command.h"

#include "guard/link/cleanup.h"
#include "kernel/commands/value_options.h"
#include "kernel/config/installation.h"
#include "kernel/config/options.h"
#include "kernel/config/policy_sources.h"
#include "kernel/mcp/server.h"

#include <stdio.h>

static const char usage[] =
    "usage: safepyrun mcp [--policy FILE] [--python PATH] [--shell auto|ipython|plain]\n"
    "\n"
    "Serve one guarded Python session over standard input and output (Model Context Protocol) to the\n"
    "agent that starts this program. The session works in the current directory.\n"
    "\n"
    "  --policy FILE  what the session may do; see `safepyrun policy`\n"
    "  --python PATH  the Python of a virtual environment, for its packages\n"
    "  --shell NAME   with IPython's magics or without; auto: with, where it is installed\n";

/* An agent would hear of it with each call; whoever wrote its settings is told now. */
static bool can_read_policy(const char *path)
{
    struct policy_sources sources;
    const char *problem;

    if (path == NULL)
        return true;
    policy_sources_read_one(path, &sources);
    problem = policy_sources_problem(&sources, "argument");
    if (problem != NULL)
        fprintf(stderr, "safepyrun mcp: the policy file %s %s\n", path, problem);
    policy_sources_finish(&sources);
    return problem == NULL;
}

static int run(int argc, char **argv)
{
    cleanup_free char *program = installation_program();
    struct backend_options options = {.program = program};
    const struct value_option known[] = {{"--policy", &options.policy_file},
                                         {"--python", &options.python},
                                         {"--shell", &options.shell},
                                         {NULL, NULL}};
    int status = value_options_read("safepyrun mcp", usage, known, argc, argv);

    if (status >= 0)
        return status;
    if (options.shell != NULL && !options_knows_shell(options.shell))
        return fprintf(stderr, "safepyrun mcp: --shell is auto, ipython or plain, not %s\n\n%s", options.shell, usage), 2;
    return can_read_policy(options.policy_file) ? mcp_serve(&options) : 1;
}

const struct command mcp_command = {"mcp", "serve a guarded Python session to an agent (MCP)", run};
