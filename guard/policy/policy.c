#include "guard/policy/policy.h"

#include <string.h>

/* What a preset fills in. A list ends with NULL. */
struct preset_values {
    const char *name;
    bool guards_writes;
    bool ban_defs;
    const char *ok_dests[2];
    const char *ban_imports[20];
    const char *protect[8];
};

/* safepyrun and fastaudit are banned with socket and importlib: their mk_audit and allow() belong to
   hosts, a cell that imports them wants to change its own guard. */
#define BANNED_EVERYWHERE "socket", "importlib", "safepyrun", "fastaudit"
#define BANNED_IN_STRICT                                                                           \
    "subprocess", "multiprocessing", "ctypes", "_ctypes", "cffi", "pty", "http", "urllib.request", \
        "ftplib", "smtplib", "webbrowser", "signal"
#define PROTECTED ".git", ".hg", ".venv", ".safepyrun.toml", ".jupyter", ".vscode"

static const struct preset_values presets[] = {
    [POLICY_READ_ONLY] = {.name = "read-only",
                          .guards_writes = true,
                          .ban_defs = true,
                          .ban_imports = {BANNED_EVERYWHERE},
                          .protect = {PROTECTED}},
    [POLICY_WORKSPACE] = {.name = "workspace",
                          .guards_writes = true,
                          .ban_defs = true,
                          .ok_dests = {"."},
                          .ban_imports = {BANNED_EVERYWHERE},
                          .protect = {PROTECTED}},
    [POLICY_STRICT] = {.name = "strict",
                       .guards_writes = true,
                       .ban_defs = true,
                       .ban_imports = {BANNED_EVERYWHERE, BANNED_IN_STRICT},
                       .protect = {PROTECTED}},
    [POLICY_OPEN] = {.name = "open"},
};
#define PRESET_COUNT (sizeof(presets) / sizeof(presets[0]))

static const struct policy_key keys[] = {
#define POLICY_KEY(key, takes, default_words, words)                                               \
    {.name = #key, .accepts = takes, .otherwise = default_words, .meaning = words},
#include "guard/policy/keys.def"
#undef POLICY_KEY
};

const struct policy_key *policy_keys(size_t *ret_count)
{
    *ret_count = sizeof(keys) / sizeof(keys[0]);
    return keys;
}

const struct policy_key *policy_key_find(const char *name)
{
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
        if (strcmp(keys[i].name, name) == 0)
            return &keys[i];
    return NULL;
}

static void fill_list(struct string_list *list, const char *const *texts, size_t limit)
{
    string_list_finish(list);
    for (size_t i = 0; i < limit && texts[i] != NULL; i++)
        string_list_add(list, texts[i]);
}

#define FILL(list, texts) fill_list((list), (texts), sizeof(texts) / sizeof((texts)[0]))

struct policy *policy_new(enum policy_preset preset)
{
    struct policy *policy = xcalloc(1, sizeof(*policy));

    policy_set_preset(policy, preset);
    return policy;
}

void policy_free(struct policy *policy)
{
    if (policy == NULL)
        return;
    string_list_finish(&policy->ok_dests);
    string_list_finish(&policy->ban_imports);
    string_list_finish(&policy->deny_read);
    string_list_finish(&policy->protect);
    string_list_finish(&policy->read_only);
    free(policy->private_directory);
    write_roots_free(policy->write_roots);
    write_roots_free(policy->read_denied);
    free(policy);
}

int policy_preset_find(const char *name, enum policy_preset *ret_preset)
{
    for (size_t i = 0; i < PRESET_COUNT; i++) {
        if (strcmp(presets[i].name, name) == 0) {
            *ret_preset = (enum policy_preset)i;
            return 0;
        }
    }
    return POLICY_E_UNKNOWN_PRESET;
}

const char *policy_preset_name(enum policy_preset preset)
{
    return presets[preset].name;
}

int policy_set_preset(struct policy *policy, enum policy_preset preset)
{
    const struct preset_values *values = &presets[preset];

    if (policy->sealed)
        return POLICY_E_SEALED;
    policy->preset = preset;
    policy->guards_writes = values->guards_writes;
    policy->ban_defs = values->ban_defs;
    FILL(&policy->ok_dests, values->ok_dests);
    FILL(&policy->ban_imports, values->ban_imports);
    FILL(&policy->protect, values->protect);
    string_list_finish(&policy->deny_read);
    return 0;
}

int policy_set_private_directory(struct policy *policy, const char *path)
{
    if (policy->sealed)
        return POLICY_E_SEALED;
    free(policy->private_directory);
    policy->private_directory = path != NULL ? xstrdup(path) : NULL;
    return 0;
}

int policy_add_read_only(struct policy *policy, const char *path)
{
    if (policy->sealed)
        return POLICY_E_SEALED;
    string_list_add(&policy->read_only, path);
    return 0;
}

static int set_strings(struct string_list *list, const struct policy_value *value)
{
    if (value->type != POLICY_STRINGS)
        return POLICY_E_BAD_TYPE;
    for (size_t i = 0; i < value->count; i++)
        if (value->strings[i][0] == '\0')
            return POLICY_E_BAD_VALUE;
    string_list_finish(list);
    for (size_t i = 0; i < value->count; i++)
        string_list_add(list, value->strings[i]);
    return 0;
}

static int set_ok_dests(struct policy *policy, const struct policy_value *value)
{
    int outcome;

    if (value->type == POLICY_STRING) {
        if (strcmp(value->string, "any") != 0)
            return POLICY_E_BAD_VALUE;
        string_list_finish(&policy->ok_dests);
        policy->guards_writes = false;
        return 0;
    }
    outcome = set_strings(&policy->ok_dests, value);
    if (outcome == 0)
        policy->guards_writes = true;
    return outcome;
}

static int set_protect(struct policy *policy, const struct policy_value *value)
{
    /* A name, not a path: it is compared with each component below a write root. */
    if (value->type == POLICY_STRINGS)
        for (size_t i = 0; i < value->count; i++)
            if (strchr(value->strings[i], '/') != NULL)
                return POLICY_E_BAD_VALUE;
    return set_strings(&policy->protect, value);
}

static int set_preset_by_name(struct policy *policy, const struct policy_value *value)
{
    enum policy_preset preset;

    if (value->type != POLICY_STRING)
        return POLICY_E_BAD_TYPE;
    if (policy_preset_find(value->string, &preset) != 0)
        return POLICY_E_BAD_VALUE;
    return policy_set_preset(policy, preset);
}

int policy_set(struct policy *policy, const char *key, const struct policy_value *value)
{
    if (policy->sealed)
        return POLICY_E_SEALED;
    if (strcmp(key, "preset") == 0)
        return set_preset_by_name(policy, value);
    if (strcmp(key, "ok_dests") == 0)
        return set_ok_dests(policy, value);
    if (strcmp(key, "ban_imports") == 0)
        return set_strings(&policy->ban_imports, value);
    if (strcmp(key, "deny_read") == 0)
        return set_strings(&policy->deny_read, value);
    if (strcmp(key, "protect") == 0)
        return set_protect(policy, value);
    if (strcmp(key, "ban_defs") == 0) {
        if (value->type != POLICY_BOOLEAN)
            return POLICY_E_BAD_TYPE;
        policy->ban_defs = value->boolean;
        return 0;
    }
    return POLICY_E_UNKNOWN_KEY;
}

/* The private directory is a write root unless the preset writes nothing at all. */
static struct write_roots *roots_of(const struct policy *policy)
{
    struct string_list paths = {NULL, 0};
    struct write_roots *roots;

    string_list_copy(&paths, &policy->ok_dests);
    if (policy->private_directory != NULL && policy->preset != POLICY_READ_ONLY)
        string_list_add(&paths, policy->private_directory);
    roots = write_roots_new(&paths);
    write_roots_protect(roots, &policy->protect);
    write_roots_exclude(roots, &policy->read_only);
    string_list_finish(&paths);
    return roots;
}

void policy_seal(struct policy *policy)
{
    if (policy->sealed)
        return;
    if (policy->guards_writes)
        policy->write_roots = roots_of(policy);
    if (policy->deny_read.count > 0)
        policy->read_denied = write_roots_new(&policy->deny_read);
    policy->sealed = true;
}
