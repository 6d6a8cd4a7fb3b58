#include "kernel/mcp/tools.h"

#include <string.h>

const char tools_instructions[] =
    "A Python session that keeps its variables between calls, in a guarded interpreter: code may read and "
    "compute freely and write files below the working directory, but a policy decides what else it may do: "
    "unless it says otherwise there is no def and class (lambdas and comprehensions work), no exec and eval, no "
    "program, process or network. "
    "A refused operation raises PermissionError and is listed in structuredContent.refusals with what was "
    "refused (what), the rule that decides (rule), why, and what would allow it (remedy); do not try to get "
    "around it, change the plan or tell the person. The last expression of a cell is its result; plots are "
    "returned as images; top-level await works.";

#define NO_ARGUMENTS "{\"type\":\"object\",\"properties\":{},\"additionalProperties\":false}"

/* What cell_result composes. */
#define CELL_RESULT                                                                                \
    "{\"type\":\"object\",\"properties\":{" \
    "\"status\":{\"enum\":[\"ok\",\"error\"]}," \
    "\"execution_count\":{\"type\":[\"integer\",\"null\"]}," \
    "\"stdout\":{\"type\":\"string\"},\"stderr\":{\"type\":\"string\"}," \
    "\"result\":{\"type\":[\"string\",\"null\"]}," \
    "\"error\":{\"type\":[\"object\",\"null\"]}," \
    "\"refusals\":{\"type\":\"array\",\"items\":{\"type\":\"object\"}}," \
    "\"safepyrun\":{\"type\":[\"object\",\"null\"]}}," \
    "\"required\":[\"status\",\"stdout\",\"stderr\",\"result\",\"error\",\"refusals\"]}"

static const struct {
    const char *name;
    const char *title;
    const char *description;
    const char *input;  /* JSON Schema */
    const char *output; /* the same, of structuredContent */
    int read_only;
    int destructive;
} rows[TOOL_COUNT] = {
    [TOOL_RUN_CODE] =
        {
            .name = "run_code",
            .title = "Run Python code",
            .description =
                "Run Python code in the session. Returns what it printed, the value of the last expression, "
                "plots as images, and errors with their traceback. Variables stay for the next call.",
            .input = "{\"type\":\"object\",\"properties\":{"
                     "\"code\":{\"type\":\"string\",\"description\":\"Python source, any number of lines\"},"
                     "\"timeout_seconds\":{\"type\":\"integer\",\"minimum\":1,\"maximum\":31536000,"
                     "\"description\":\"interrupt the code after this time\"},"
                     "\"trial\":{\"type\":\"boolean\",\"description\":\"run it in a copy of the session, show "
                     "what it does, and forget its variables; files that it writes stay\"}},"
                     "\"required\":[\"code\"],\"additionalProperties\":false}",
            .output = CELL_RESULT,
            .destructive = 1,
        },
    [TOOL_REWIND] =
        {
            .name = "rewind",
            .title = "Undo cells",
            .description = "Bring the variables back to what they were before the last run_code, or before the "
                           "last few. Files that were written stay.",
            .input = "{\"type\":\"object\",\"properties\":{\"cells\":{\"type\":\"integer\",\"minimum\":1,"
                     "\"maximum\":32,\"description\":\"how many to undo; 1 without it\"}},"
                     "\"additionalProperties\":false}",
            .output = CELL_RESULT,
            .destructive = 1,
        },
    [TOOL_VARIABLES] =
        {
            .name = "variables",
            .title = "List variables",
            .description = "List the variables of the session with type, size and short values. Runs no code.",
            .input = NO_ARGUMENTS,
            .output = "{\"type\":\"object\",\"properties\":{\"variables\":{\"type\":\"array\"},"
                      "\"more\":{\"type\":\"integer\"}},\"required\":[\"variables\",\"more\"]}",
            .read_only = 1,
        },
    [TOOL_STATUS] =
        {
            .name = "status",
            .title = "Session status",
            .description = "Whether the session is idle or busy and for how long. Answers also while code runs.",
            .input = NO_ARGUMENTS,
            .output = "{\"type\":\"object\",\"properties\":{\"state\":{\"type\":\"string\"}},\"required\":[\"state\"]}",
            .read_only = 1,
        },
    [TOOL_RESET] =
        {
            .name = "reset",
            .title = "Reset the session",
            .description = "Forget all variables and imports and begin a new session. Code that runs is ended.",
            .input = NO_ARGUMENTS,
            .output = "{\"type\":\"object\",\"properties\":{\"state\":{\"type\":\"string\"}},\"required\":[\"state\"]}",
            .destructive = 1,
        },
};

enum tool tools_find(const char *name)
{
    for (int tool = 0; tool < TOOL_COUNT; tool++)
        if (strcmp(rows[tool].name, name) == 0)
            return (enum tool)tool;
    return TOOL_COUNT;
}

json_t *tools_describe(void)
{
    json_t *list = json_array();

    for (int tool = 0; tool < TOOL_COUNT; tool++)
        json_array_append_new(
            list, json_pack("{ss ss ss so so s{sb sb sb}}", "name", rows[tool].name, "title",
                            rows[tool].title, "description", rows[tool].description, "inputSchema",
                            json_loads(rows[tool].input, 0, NULL), "outputSchema",
                            json_loads(rows[tool].output, 0, NULL), "annotations", "readOnlyHint",
                            rows[tool].read_only, "destructiveHint", rows[tool].destructive,
                            "openWorldHint", 0));
    return list;
}
