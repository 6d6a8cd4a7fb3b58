#include "kernel/commands/run_request.h"

#include <ctype.h>
#include <jansson.h>

#define cleanup_json __attribute__((cleanup(json_decrefp)))

/* The field of a RunnerPolicy, and the key of a policy file that says the same. */
static const struct {
    const char *field;
    const char *key;
} lists[] = {
    {"blocked_imports", "ban_imports"},       {"allowed_imports", "allowed_imports"},
    {"blocked_builtins", "ban_builtins"},     {"allowed_builtins", "allowed_builtins"},
    {"allowed_globals", "allowed_globals"},   {"ok_dests", "ok_dests"},
};

static bool is_name(const char *text)
{
    if (!isalpha((unsigned char)text[0])) /* "_x" and "__builtins__" are not for input */
        return false;
    for (; *text != '\0'; text++)
        if (!isalnum((unsigned char)*text) && *text != '_')
            return false;
    return true;
}

static bool is_blocked(const json_t *policy, const char *name)
{
    const json_t *blocked = json_object_get(policy, "blocked_globals");
    const char *mode = json_string_value(json_object_get(policy, "mode"));
    size_t index;
    json_t *item;

    if (mode != NULL && strcmp(mode, "allow") == 0) /* the list of the other mode */
        return false;
    json_array_foreach(blocked, index, item)
        if (json_is_string(item) && strcmp(json_string_value(item), name) == 0)
            return true;
    return false;
}

/* The names of `from` that may be variables, where nothing stronger has them already. */
static void add_names(json_t *names, json_t *from, const json_t *policy)
{
    const char *name;
    json_t *value;

    json_object_foreach(from, name, value)
        if (is_name(name) && strcmp(name, "result") != 0 && !is_blocked(policy, name) &&
            json_object_get(names, name) == NULL)
            json_object_set(names, name, value);
}

static void write_names(json_t *input, json_t *extra_globals, const json_t *policy,
                        struct buffer *ret_names)
{
    cleanup_json json_t *names = json_object();
    cleanup_json json_t *content = json_pack("{sO}", "names", names);
    cleanup_free char *text = NULL;

    json_object_set(names, "input_data", input);
    add_names(names, extra_globals, policy);
    add_names(names, input, policy);
    text = json_dumps(content, JSON_COMPACT);
    buffer_append_string(ret_names, text);
}

static json_t *parse(struct bytes text, const char *what, char **ret_error)
{
    json_error_t error;
    json_t *json = json_loadb(text.data, text.size, JSON_DECODE_ANY | JSON_ALLOW_NUL, &error);

    if (json == NULL)
        *ret_error = xasprintf("%s is not JSON: %s", what, error.text);
    return json;
}

int run_request_read_input(struct bytes text, struct buffer *ret_names, char **ret_error)
{
    cleanup_json json_t *input = parse(text, "--input", ret_error);

    if (input == NULL)
        return -1;
    write_names(input, NULL, NULL, ret_names);
    return 0;
}

static bool is_list_of_names(const json_t *value)
{
    size_t index;
    json_t *item;

    json_array_foreach(value, index, item)
        if (!json_is_string(item))
            return false;
    return json_is_array(value);
}

/* A JSON string of printable text is a TOML string as well. */
static void append_list(struct buffer *text, const char *key, const json_t *value)
{
    cleanup_json json_t *copy = json_copy((json_t *)value);
    cleanup_free char *list = NULL;

    if (strcmp(key, "ban_imports") == 0) /* no run has a use for the guard's own package */
        json_array_append_new(copy, json_string("safepyrun"));
    list = json_dumps(copy, JSON_ENCODE_ANY);
    buffer_append_format(text, "%s = %s\n", key, list);
}

static int write_policy(const json_t *policy, struct buffer *text, char **ret_error)
{
    const char *mode = json_string_value(json_object_get(policy, "mode"));

    if (mode != NULL && strcmp(mode, "allow") != 0 && strcmp(mode, "restrict") != 0) {
        *ret_error = xstrdup("mode must be 'allow' or 'restrict'");
        return -1;
    }
    buffer_append_format(text, "preset = \"workspace\"\nban_defs = false\nmode = \"%s\"\n",
                         mode != NULL ? mode : "restrict");
    if (json_object_get(policy, "ok_dests") == NULL)
        buffer_append_string(text, "ok_dests = []\n");
    buffer_append_string(text, "warm.templates = true\n"); /* --serve asks for one */
    for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
        const json_t *value = json_object_get(policy, lists[i].field);

        if (value == NULL)
            continue;
        if (!is_list_of_names(value)) {
            *ret_error = xasprintf("'%s' must be a list of strings", lists[i].field);
            return -1;
        }
        append_list(text, lists[i].key, value);
    }
    return 0;
}

static int read_number(const json_t *policy, const char *field, long *ret_number, char **ret_error)
{
    const json_t *value = json_object_get(policy, field);

    *ret_number = -1;
    if (value == NULL)
        return 0;
    if (!json_is_integer(value) || json_integer_value(value) < 0 ||
        json_integer_value(value) > 1000000000) {
        *ret_error = xasprintf("'%s' must be a whole number, 0 for no limit", field);
        return -1;
    }
    *ret_number = (long)json_integer_value(value);
    return 0;
}

/* Whoever mistypes "blocked_imports" must hear of it: without it the run may do more. */
static int check_members(const json_t *object, const char *what, const char *const *known, char **ret_error)
{
    const char *name;
    json_t *value;

    if (object != NULL && !json_is_object(object)) {
        *ret_error = xasprintf("the %s must be an object", what);
        return -1;
    }
    json_object_foreach((json_t *)object, name, value) {
        size_t i = 0;

        while (known[i] != NULL && strcmp(known[i], name) != 0)
            i++;
        if (known[i] == NULL) {
            *ret_error = xasprintf("the %s has no '%s'", what, name);
            return -1;
        }
    }
    return 0;
}

static int check_policy(const json_t *policy, char **ret_error)
{
    static const char *const known[] = {"mode", "timeout_seconds", "memory_limit_mb", "max_output_kb",
                                        "allowed_imports", "blocked_imports", "allowed_builtins", "blocked_builtins",
                                        "allowed_globals", "blocked_globals", "extra_globals", "ok_dests", NULL};
    const json_t *mode = json_object_get(policy, "mode");
    const json_t *blocked = json_object_get(policy, "blocked_globals");
    const json_t *extra = json_object_get(policy, "extra_globals");

    if (check_members(policy, "policy", known, ret_error) < 0)
        return -1;
    if (mode != NULL && !json_is_string(mode))
        *ret_error = xstrdup("mode must be 'allow' or 'restrict'");
    else if (blocked != NULL && !is_list_of_names(blocked))
        *ret_error = xstrdup("'blocked_globals' must be a list of strings");
    else if (extra != NULL && !json_is_object(extra))
        *ret_error = xstrdup("'extra_globals' must be an object");
    return *ret_error == NULL ? 0 : -1;
}

static int read_policy(const json_t *policy, struct run_request *request, char **ret_error)
{
    cleanup_buffer struct buffer text = BUFFER_NONE;

    if (read_number(policy, "timeout_seconds", &request->timeout_seconds, ret_error) < 0 ||
        read_number(policy, "memory_limit_mb", &request->memory_mb, ret_error) < 0 ||
        read_number(policy, "max_output_kb", &request->output_kb, ret_error) < 0 ||
        write_policy(policy, &text, ret_error) < 0)
        return -1;
    policy_sources_of_text("RunnerPolicy", buffer_steal_string(&text), &request->sources);
    return 0;
}

int run_request_read(struct bytes text, struct run_request *ret_request, char **ret_error)
{
    static const char *const known[] = {"code", "input_data", "policy", NULL};
    cleanup_json json_t *request = NULL;
    const json_t *code;
    json_t *policy;

    *ret_request = (struct run_request){.code = BUFFER_NONE};
    request = parse(text, "the request", ret_error);
    if (request == NULL)
        return -1;
    if (check_members(request, "request", known, ret_error) < 0)
        return -1;
    code = json_object_get(request, "code");
    policy = json_object_get(request, "policy");
    if (!json_is_string(code)) {
        *ret_error = xstrdup("the request has no \"code\"");
        return -1;
    }
    if (check_policy(policy, ret_error) < 0)
        return -1;
    buffer_append(&ret_request->code,
                  (struct bytes){json_string_value(code), json_string_length(code)});
    write_names(json_object_get(request, "input_data"), json_object_get(policy, "extra_globals"), policy,
                &ret_request->names);
    return read_policy(policy, ret_request, ret_error);
}

void run_request_finish(struct run_request *request)
{
    buffer_finish(&request->code);
    buffer_finish(&request->names);
    policy_sources_finish(&request->sources);
}

void run_request_apply(const struct run_request *request, struct run_settings *settings)
{
    settings->code = buffer_bytes(&request->code);
    settings->names = buffer_bytes(&request->names);
    settings->timeout_seconds = request->timeout_seconds;
    settings->memory_mb = request->memory_mb;
    settings->output_kb = request->output_kb;
}
