#include "guard/audit/policy_files.h"

#include "guard/audit/policy_file.h"
#include "guard/audit/policy_problem.h"
#include "guard/python/py_cleanup.h"

#include <assert.h>
#include <string.h>

enum { FILES_MAX = 8 };

static size_t index_of(const char *key)
{
    size_t count;
    const struct policy_key *keys = policy_keys(&count);
    size_t index = 0;

    assert(count <= POLICY_KEYS_MAX);
    while (index < count && strcmp(keys[index].name, key) != 0)
        index++;
    assert(index < count);
    return index;
}

static void note(void *context, const char *key, const char *path)
{
    struct policy_result *result = context;
    char **origin = &result->origins[index_of(key)];

    free(*origin);
    *origin = xstrdup(path);
}

const char *policy_result_origin(const struct policy_result *result, const char *key)
{
    return result->origins[index_of(key)];
}

void policy_result_finish(struct policy_result *result)
{
    Py_CLEAR(result->extra_globals);
    for (size_t i = 0; i < POLICY_KEYS_MAX; i++)
        free(steal(result->origins[i]));
    free(steal(result->paths));
    free(steal(result->left_out));
}

/* A cell gets its own tomllib, should it want one: nothing that we used stays reachable. */
static void forget_tomllib(void)
{
    static const char *const modules[] = {"tomllib", "tomllib._parser", "tomllib._re",
                                          "tomllib._types"};
    PyObject *loaded = PySys_GetObject("modules");

    for (size_t i = 0; loaded != NULL && i < sizeof(modules) / sizeof(modules[0]); i++)
        if (PyDict_DelItemString(loaded, modules[i]) < 0)
            PyErr_Clear();
}

/* Fills `files` with those that count, parsed. */
static int open_files(const struct policy_text *texts, size_t count,
                      struct policy_file files[FILES_MAX], size_t *ret_opened,
                      struct policy_result *result, char **ret_problem)
{
    for (size_t i = 0; i < count; i++) {
        struct policy_file *file = &files[*ret_opened];
        int outcome;

        if (strcmp(texts[i].kind, "project") == 0 && !result->uses_project) {
            free(result->left_out);
            result->left_out = xstrdup(texts[i].path);
            continue;
        }
        if (texts[i].problem[0] != '\0') {
            policy_problem_add(ret_problem, xasprintf("policy file %s: it %s", texts[i].path, texts[i].problem));
            return POLICY_E_BAD_VALUE;
        }
        *file = (struct policy_file){texts[i].kind, texts[i].path, texts[i].text, NULL};
        outcome = policy_file_parse(file, ret_problem);
        if (outcome != 0)
            return outcome;
        (*ret_opened)++;
        if (strcmp(texts[i].kind, "user") == 0)
            result->uses_project = policy_file_wants_project(file);
    }
    return 0;
}

static int apply(const struct policy_file *files, size_t count, const struct policy_target *target,
                 char **ret_problem)
{
    int outcome = 0;

    /* The presets first, wherever they stand: the other keys change what they say. */
    for (size_t i = 0; i < count; i++)
        if (policy_file_apply_preset(&files[i], target, ret_problem) != 0)
            outcome = POLICY_E_BAD_VALUE;
    for (size_t i = 0; i < count; i++)
        if (policy_file_apply_keys(&files[i], target, ret_problem) != 0)
            outcome = POLICY_E_BAD_VALUE;
    return outcome;
}

/* A cell must not write the policy or the trusted code of its next session. */
static void protect(struct policy *policy, const struct policy_file *files, size_t count)
{
    for (size_t i = 0; i < count; i++)
        policy_add_read_only(policy, files[i].path);
    for (size_t i = 0; i < policy->setup_files.count; i++)
        policy_add_read_only(policy, policy->setup_files.items[i]);
}

static char *join_paths(const struct policy_file *files, size_t count)
{
    struct buffer joined = BUFFER_NONE;

    for (size_t i = 0; i < count; i++)
        buffer_append_format(&joined, "%s%s", i > 0 ? ", " : "", files[i].path);
    return buffer_steal_string(&joined);
}

int policy_files_apply(struct policy *policy, const struct policy_text *texts, size_t count,
                       struct policy_result *ret_result, char **ret_problem)
{
    struct policy_file files[FILES_MAX];
    struct policy_target target = {policy, PyDict_New(), note, ret_result};
    size_t opened = 0;
    int outcome;

    *ret_result = (struct policy_result){.extra_globals = target.extra_globals};
    if (target.extra_globals == NULL || count > FILES_MAX) {
        PyErr_Clear();
        policy_problem_add(ret_problem, xstrdup("policy files: there are too many"));
        return POLICY_E_BAD_VALUE;
    }
    outcome = open_files(texts, count, files, &opened, ret_result, ret_problem);
    if (outcome == 0)
        outcome = apply(files, opened, &target, ret_problem);
    if (outcome == 0)
        protect(policy, files, opened);
    ret_result->paths = join_paths(files, opened);
    for (size_t i = 0; i < opened; i++)
        policy_file_finish(&files[i]);
    forget_tomllib();
    return outcome;
}
