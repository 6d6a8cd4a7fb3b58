#include "kernel/execution/breach.h"

#include "guard/link/utf8.h"
#include "kernel/kernel.h"
#include "kernel/wire/json_text.h"

enum { LINE_BYTES_MAX = 200 };

bool breach_is(const struct kernel *kernel)
{
    return kernel->limits.breached != LIMIT_NONE;
}

bool breach_is_of(const struct request *request)
{
    return request->subshell == NULL && breach_is(request->kernel);
}

/* ---- where the cell was ---------------------------------------------------------------------- */

/* The innermost line of the stack that belongs to a cell: `  File "<cell 3>", line 2 in <module>`. */
static bool find_cell_line(const char *stack, char name[static 64], unsigned *ret_line)
{
    for (const char *line = stack; line != NULL; line = strchr(line, '\n')) {
        line += *line == '\n';
        if (sscanf(line, "  File \"<%63[^>]>\", line %u", name, ret_line) == 2)
            return true;
    }
    return false;
}

/* Whether the name is that of the request's own cell: "cell 3", "cell 3.1", "ipython-input-3-…". */
static bool is_of(const struct request *request, const char *name)
{
    const char *digit = strpbrk(name, "0123456789");

    return digit != NULL && atoi(digit) == request->execute.execution_count;
}

/* Line `number` of the source, without what surrounds it; empty when there is none. */
static struct bytes line_of(struct bytes source, unsigned number)
{
    const char *at = source.data;
    const char *end = at + source.size;
    const char *stop;

    for (unsigned i = 1; i < number && at != NULL; i++) {
        at = memchr(at, '\n', (size_t)(end - at));
        at = at != NULL ? at + 1 : NULL;
    }
    if (at == NULL)
        return BYTES_NONE;
    stop = memchr(at, '\n', (size_t)(end - at));
    stop = stop != NULL ? stop : end;
    while (at < stop && (*at == ' ' || *at == '\t'))
        at++;
    return (struct bytes){at, utf8_cut((struct bytes){at, (size_t)(stop - at)}, LINE_BYTES_MAX)};
}

char *breach_describe_place(const struct request *request)
{
    cleanup_free char *stack = guard_process_stack(&request->kernel->guard);
    cleanup_buffer struct buffer source = BUFFER_NONE;
    struct bytes text = BYTES_NONE;
    char name[64];
    unsigned line;

    if (!find_cell_line(stack, name, &line))
        return xstrdup("");
    if (!is_of(request, name))
        return xasprintf(", at line %u of %s", line, name);
    if (json_text_member_string(request_content(request), "code", &source))
        text = line_of(buffer_bytes(&source), line);
    return xasprintf(", at line %u%s%.*s", line, text.size != 0 ? ": " : "", (int)text.size,
                     text.size != 0 ? (const char *)text.data : "");
}

/* ---- the error ------------------------------------------------------------------------------- */

/* What happened, for each limit; then what was done. */
static const char *const events[] = {
    [LIMIT_TIMEOUT] = "the cell ran longer than this",
    [LIMIT_CPU] = "the cell used more CPU time than this",
    [LIMIT_MEMORY] = "the interpreter and its processes held more memory than this",
    [LIMIT_WRITES] = "the cell wrote more to files than this",
    [LIMIT_PROCESSES] = "there were more processes and threads than this",
    [LIMIT_INTERRUPT] = "native code took no notice of an interrupt for so many seconds",
};

const char *breach_ename(const struct kernel *kernel)
{
    return kernel->limits.breached == LIMIT_INTERRUPT ? "KeyboardInterrupt" : "LimitExceeded";
}

char *breach_describe(const struct request *request)
{
    const struct limits *limits = &request->kernel->limits;
    cleanup_free char *place = breach_describe_place(request);
    bool killed = limits->stage >= LIMIT_LOOKED_AT;

    return xasprintf("%s = %ld: %s and was %s%s", limits_name(limits->breached),
                     limits_value(limits, limits->breached), events[limits->breached],
                     killed ? "ended" : "interrupted", place);
}

void breach_append_content(const struct request *request, struct bytes content,
                           struct buffer *members)
{
    cleanup_free char *evalue = breach_describe(request);
    const char *ename = breach_ename(request->kernel);
    cleanup_free char *line = xasprintf("%s: %s", ename, evalue);
    struct bytes traceback;
    struct bytes lines = BYTES_NONE;

    buffer_append_format(members, "\"ename\":\"%s\",\"evalue\":", ename);
    json_text_append_string(members, bytes_of_string(evalue));
    buffer_append_string(members, ",\"traceback\":[");
    if (json_text_member(content, "traceback", &traceback) && *(const char *)traceback.data == '[')
        lines = json_text_inside(traceback);
    buffer_append(members, lines);
    if (lines.size != 0)
        buffer_append_char(members, ',');
    json_text_append_string(members, bytes_of_string(line));
    buffer_append_char(members, ']');
}
