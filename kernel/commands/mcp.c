/* safepyrun mcp: a guarded Python session for an agent, over standard input and output. */
#include "kernel/commands/command.h"

#include "kernel/mcp/server.h"

#include <string.h>

static const char usage[] =
    "usage: safepyrun mcp [--policy FILE] [--python PATH] [--shell auto|ipython|plain]\n"
    "\n"
    "Serve one guarded Python session over standard input and output (Model Context Protocol) to the\n"
    "agent that starts this program. The session works in the current directory.\n"
    "\n"
    "  --policy FILE  what the session may do; see `safepyrun policy`\n"
    "  --python PATH  the Python of a virtual environment, for its packages\n"
    "  --shell NAME   with IPython's magics or without; auto: with, where it is installed\n";

static int run(int argc, char **argv)
{
    struct backend_options options = {.shell = NULL};
    const struct {
        const char *name;
        const char **value;
    } known[] = {{"--policy", &options.policy_file},
                 {"--python", &options.python},
                 {"--shell", &options.shell}};

    for (int i = 1; i < argc; i++) {
        const char **value = NULL;

        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
            fputs(usage, stdout);
            return 0;
        }
        for (size_t k = 0; k < sizeof(known) / sizeof(known[0]); k++)
            if (strcmp(argv[i], known[k].name) == 0)
                value = known[k].value;
        if (value == NULL || i + 1 == argc) {
            fprintf(stderr, "safepyrun mcp: %s %s\n\n%s", argv[i],
                    value == NULL ? "is not known" : "needs a value", usage);
            return 2;
        }
        *value = argv[++i];
    }
    return mcp_serve(&options);
}

const struct command mcp_command = {"mcp", "serve a guarded Python session to an agent (MCP)", run};
