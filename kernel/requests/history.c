#include "kernel/kernel.h"
#include "kernel/requests/requests.h"
#include "kernel/wire/json_text.h"

enum { TAIL_DEFAULT = 10 };

/* What a history_request may say, with the defaults that IPython gives. */
struct history_question {
    struct bytes access; /* the JSON string of hist_access_type */
    bool output;
    bool unique;
    long session;
    long start;
    long stop;
    long n; /* -1: all */
    struct buffer pattern;
};

struct answer {
    struct buffer content;
    const char *separator;
    bool output;
};

static void append_row(void *context, const struct history_entry *entry)
{
    struct answer *answer = context;

    buffer_append_format(&answer->content, "%s[%lld,%lld,", answer->separator,
                         (long long)entry->session, (long long)entry->line);
    if (answer->output)
        buffer_append_char(&answer->content, '[');
    json_text_append_string(&answer->content, entry->input);
    if (answer->output) {
        buffer_append_char(&answer->content, ',');
        if (entry->output.data != NULL)
            json_text_append_string(&answer->content, entry->output);
        else
            buffer_append_string(&answer->content, "null");
        buffer_append_char(&answer->content, ']');
    }
    buffer_append_char(&answer->content, ']');
    answer->separator = ",";
}

static bool read_integer(struct bytes content, const char *key, long *number)
{
    struct bytes value;

    return !json_text_member_given(content, key, &value) || json_text_integer(value, number);
}

static bool read_bool(struct bytes content, const char *key, bool *truth)
{
    struct bytes value;

    return !json_text_member_given(content, key, &value) || json_text_bool(value, truth);
}

static bool read_pattern(struct bytes content, struct buffer *pattern)
{
    struct bytes value;

    if (json_text_member_given(content, "pattern", &value))
        return json_text_string(value, pattern);
    buffer_append_char(pattern, '*');
    return true;
}

static const char *read_question(struct bytes content, struct history_question *question)
{
    if (!json_text_member_given(content, "hist_access_type", &question->access))
        return "\"hist_access_type\" is missing";
    if (!read_bool(content, "output", &question->output))
        return "\"output\" must be true or false";
    if (!read_bool(content, "unique", &question->unique))
        return "\"unique\" must be true or false";
    if (!read_integer(content, "session", &question->session) ||
        !read_integer(content, "start", &question->start) ||
        !read_integer(content, "stop", &question->stop) ||
        !read_integer(content, "n", &question->n))
        return "\"session\", \"start\", \"stop\" and \"n\" must be integers";
    if (!read_pattern(content, &question->pattern))
        return "\"pattern\" must be a string";
    return NULL;
}

/* Returns false for an access type that there is not. */
static bool ask(struct kernel *kernel, const struct history_question *question, struct answer *answer)
{
    if (bytes_equal_string(question->access, "\"tail\"")) {
        history_tail(kernel->history, question->n < 0 ? TAIL_DEFAULT : question->n, append_row,
                     answer);
        return true;
    }
    if (bytes_equal_string(question->access, "\"range\"")) {
        history_range(kernel->history, question->session, question->start, question->stop,
                      append_row, answer);
        return true;
    }
    if (!bytes_equal_string(question->access, "\"search\""))
        return false;
    history_search(kernel->history,
                   &(struct history_search){.pattern = buffer_bytes(&question->pattern),
                                            .n = question->n,
                                            .unique = question->unique},
                   append_row, answer);
    return true;
}

static int answer_question(struct kernel *kernel, struct request *request,
                           struct history_question *question)
{
    struct answer answer = {.content = BUFFER_NONE, .separator = "", .output = question->output};
    int result;

    buffer_append_string(&answer.content, "{\"status\":\"ok\",\"history\":[");
    if (ask(kernel, question, &answer)) {
        buffer_append_string(&answer.content, "]}");
        result = request_reply(request, buffer_bytes(&answer.content), BYTES_NONE);
    } else {
        result = request_refuse(request, "ValueError",
                                "\"hist_access_type\" must be \"tail\", \"range\" or \"search\"");
    }
    buffer_finish(&answer.content);
    return result;
}

static int handle(struct kernel *kernel, struct request *request)
{
    struct history_question question = {.n = -1, .start = 1, .pattern = BUFFER_NONE};
    const char *wrong = read_question(request_content(request), &question);
    int result = wrong != NULL ? request_refuse(request, "ValueError", "history_request: %s", wrong)
                               : answer_question(kernel, request, &question);

    buffer_finish(&question.pattern);
    return result;
}

const struct request_type history_request = {
    .msg_type = "history_request", /* messaging 5.6, "History" */
    .reply_type = "history_reply",
    .channels = ON_SHELL | ON_CONTROL,
    .handle = handle,
};
