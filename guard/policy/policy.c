#include "guard/policy/policy.h"

#include "guard/policy/policy_entries.h"
#include "guard/policy/read_rules.h"

#include <stddef.h>
#include <string.h>

struct list_row {
    const char *key;
    size_t offset; /* of a struct string_list in struct policy */
};

static const struct list_row lists[] = {
#define POLICY_LIST(field, key) {key, offsetof(struct policy, field)},
#include "guard/policy/lists.def"
#undef POLICY_LIST
};
#define LIST_COUNT (sizeof(lists) / sizeof(lists[0]))

static const struct limit_row {
    const char *key;
    size_t offset; /* of a long in struct policy */
    long most;
} limits[] = {
#define POLICY_LIMIT(field, largest, usual, strict)                                                \
    {"limits." #field, offsetof(struct policy, limits.field), largest},
#include "guard/policy/limits.def"
#undef POLICY_LIMIT
};
#define LIMIT_COUNT (sizeof(limits) / sizeof(limits[0]))

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

static struct string_list *list_at(struct policy *policy, size_t index)
{
    return (struct string_list *)((char *)policy + lists[index].offset);
}

static struct string_list *find_list(struct policy *policy, const char *key)
{
    for (size_t i = 0; i < LIST_COUNT; i++)
        if (lists[i].key[0] != '\0' && strcmp(lists[i].key, key) == 0)
            return list_at(policy, i);
    return NULL;
}

const struct string_list *policy_list(const struct policy *policy, const char *key)
{
    return find_list((struct policy *)policy, key);
}

static const struct limit_row *find_limit(const char *key)
{
    for (size_t i = 0; i < LIMIT_COUNT; i++)
        if (strcmp(limits[i].key, key) == 0)
            return &limits[i];
    return NULL;
}

const long *policy_limit(const struct policy *policy, const char *key)
{
    const struct limit_row *row = find_limit(key);

    return row != NULL ? (const long *)((const char *)policy + row->offset) : NULL;
}

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
    for (size_t i = 0; i < LIST_COUNT; i++)
        string_list_finish(list_at(policy, i));
    string_list_finish(&policy->readable);
    string_list_finish(&policy->read_free);
    free(policy->private_directory);
    write_roots_free(policy->write_roots);
    write_roots_free(policy->read_denied);
    write_roots_free(policy->read_allowed);
    write_roots_free(policy->never_asked);
    free(policy);
}

int policy_set_private_directory(struct policy *policy, const char *path)
{
    if (policy->sealed)
        return POLICY_E_SEALED;
    free(policy->private_directory);
    policy->private_directory = path != NULL ? xstrdup(path) : NULL;
    return 0;
}

static int add(struct policy *policy, struct string_list *list, const char *path)
{
    if (policy->sealed)
        return POLICY_E_SEALED;
    string_list_add(list, path);
    return 0;
}

bool policy_is_package_folder(const char *folder)
{
    const char *name = strrchr(folder, '/');

    return folder[0] == '/' && (strcmp(name, "/site-packages") == 0 || strcmp(name, "/dist-packages") == 0);
}

int policy_add_read_only(struct policy *policy, const char *path)
{
    return add(policy, &policy->read_only, path);
}

int policy_add_readable(struct policy *policy, const char *path)
{
    return add(policy, &policy->readable, path);
}

int policy_add_secret(struct policy *policy, const char *path)
{
    return add(policy, &policy->secrets, path);
}

int policy_add_write_root(struct policy *policy, const char *path)
{
    return add(policy, &policy->extra_roots, path);
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

static void take_off(struct string_list *list, const char *text)
{
    struct string_list kept = {NULL, 0};

    for (size_t i = 0; strcmp(text, "*") != 0 && i < list->count; i++)
        if (strcmp(list->items[i], text) != 0)
            string_list_add(&kept, list->items[i]);
    string_list_finish(list);
    *list = kept;
}

/* What is refused beyond what the preset and earlier files refuse: whoever names one path more does not mean to give the
   others away. "!x" takes one off, "!*" all. */
static int add_denials(struct string_list *list, const struct policy_value *value)
{
    if (value->type != POLICY_STRINGS)
        return POLICY_E_BAD_TYPE;
    for (size_t i = 0; i < value->count; i++)
        if (value->strings[i][strspn(value->strings[i], "!")] == '\0')
            return POLICY_E_BAD_VALUE;
    for (size_t i = 0; i < value->count; i++) {
        const char *text = value->strings[i];

        if (text[0] == '!')
            take_off(list, text + 1);
        else if (!string_list_has(list, text))
            string_list_add(list, text);
    }
    return 0;
}

/* A list of folders, or "any". */
static int set_folders(struct string_list *list, bool *guards, const struct policy_value *value)
{
    int outcome;

    if (value->type == POLICY_STRING) {
        if (strcmp(value->string, "any") != 0)
            return POLICY_E_BAD_VALUE;
        string_list_finish(list);
        *guards = false;
        return 0;
    }
    outcome = set_strings(list, value);
    if (outcome == 0)
        *guards = true;
    return outcome;
}

/* One of two words; the second is true. */
static int set_choice(const struct policy_value *value, const char *no, const char *yes, bool *ret_choice)
{
    bool chosen = value->type == POLICY_STRING && strcmp(value->string, yes) == 0;

    if (value->type != POLICY_STRING)
        return POLICY_E_BAD_TYPE;
    if (!chosen && strcmp(value->string, no) != 0)
        return POLICY_E_BAD_VALUE;
    *ret_choice = chosen;
    return 0;
}

static int set_mode(struct policy *policy, const struct policy_value *value)
{
    return set_choice(value, "restrict", "allow", &policy->allow_mode);
}

static const char *const os_ring_names[] = {[POLICY_OS_RING_AUTO] = "auto",
                                            [POLICY_OS_RING_REQUIRE] = "require",
                                            [POLICY_OS_RING_OFF] = "off"};

const char *policy_os_ring_name(enum policy_os_ring os_ring)
{
    return os_ring_names[os_ring];
}

static int set_os_ring(struct policy *policy, const struct policy_value *value)
{
    if (value->type != POLICY_STRING)
        return POLICY_E_BAD_TYPE;
    for (int i = 0; i <= POLICY_OS_RING_OFF; i++) {
        if (strcmp(value->string, os_ring_names[i]) == 0) {
            policy->os_ring = (enum policy_os_ring)i;
            return 0;
        }
    }
    return POLICY_E_BAD_VALUE;
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

static int set_ban_defs(struct policy *policy, const struct policy_value *value)
{
    if (value->type != POLICY_BOOLEAN)
        return POLICY_E_BAD_TYPE;
    policy->ban_defs = value->boolean;
    return 0;
}

static int set_templates(struct policy *policy, const struct policy_value *value)
{
    if (value->type != POLICY_BOOLEAN)
        return POLICY_E_BAD_TYPE;
    policy->templates = value->boolean;
    return 0;
}

static int set_warm_imports(struct policy *policy, const struct policy_value *value)
{
    int outcome = set_strings(&policy->warm_imports, value);

    if (outcome == 0)
        policy->learns_imports = false;
    return outcome;
}

static int set_limit(struct policy *policy, const struct limit_row *row,
                     const struct policy_value *value)
{
    if (value->type != POLICY_INTEGER)
        return POLICY_E_BAD_TYPE;
    if (value->integer < 0 || value->integer > row->most)
        return POLICY_E_BAD_VALUE;
    *(long *)((char *)policy + row->offset) = value->integer;
    return 0;
}

static int set_on_deny(struct policy *policy, const struct policy_value *value)
{
    return set_choice(value, "error", "ask", &policy->asks);
}

static int set_outputs(struct policy *policy, const struct policy_value *value)
{
    return set_choice(value, "any", "passive", &policy->passive_outputs);
}

static int set_ask_seconds(struct policy *policy, const struct policy_value *value)
{
    if (value->type != POLICY_INTEGER)
        return POLICY_E_BAD_TYPE;
    if (value->integer < 1 || value->integer > POLICY_ASK_SECONDS_MAX)
        return POLICY_E_BAD_VALUE;
    policy->ask_seconds = value->integer;
    return 0;
}

static bool entries_are_good(const char *key, const struct policy_value *value)
{
    for (size_t i = 0; value->type == POLICY_STRINGS && i < value->count; i++)
        if (!policy_entry_is_good(key, value->strings[i]))
            return false;
    return true;
}

int policy_set(struct policy *policy, const char *key, const struct policy_value *value)
{
    const struct limit_row *limit = find_limit(key);
    struct string_list *list = find_list(policy, key);

    if (policy->sealed)
        return POLICY_E_SEALED;
    /* A program's arguments are of other systems' making as well. */
    if (!policy->of_program && !entries_are_good(key, value))
        return POLICY_E_BAD_VALUE;
    if (limit != NULL)
        return set_limit(policy, limit, value);
    if (strcmp(key, "preset") == 0)
        return set_preset_by_name(policy, value);
    if (strcmp(key, "ok_dests") == 0)
        return set_folders(&policy->ok_dests, &policy->guards_writes, value);
    if (strcmp(key, "read_roots") == 0)
        return set_folders(&policy->read_roots, &policy->guards_reads, value);
    if (strcmp(key, "protect") == 0)
        return add_denials(&policy->protect, value);
    if (strcmp(key, "deny_read") == 0)
        return add_denials(&policy->deny_read, value);
    if (strcmp(key, "mode") == 0)
        return set_mode(policy, value);
    if (strcmp(key, "os_ring") == 0)
        return set_os_ring(policy, value);
    if (strcmp(key, "ban_defs") == 0)
        return set_ban_defs(policy, value);
    if (strcmp(key, "on_deny") == 0)
        return set_on_deny(policy, value);
    if (strcmp(key, "outputs") == 0)
        return set_outputs(policy, value);
    if (strcmp(key, "ask_seconds") == 0)
        return set_ask_seconds(policy, value);
    if (strcmp(key, "warm.templates") == 0)
        return set_templates(policy, value);
    if (strcmp(key, "warm.imports") == 0)
        return set_warm_imports(policy, value);
    return list != NULL ? set_strings(list, value) : POLICY_E_UNKNOWN_KEY;
}

/* The private directory is a write root; where the preset writes nothing it is what matplotlib cannot be imported without. */
static void add_private(const struct policy *policy, struct string_list *paths)
{
    cleanup_free char *cache = NULL;

    if (policy->private_directory == NULL)
        return;
    cache = xasprintf("%s/matplotlib", policy->private_directory);
    string_list_add(paths, policy->preset == POLICY_READ_ONLY ? cache : policy->private_directory);
}

struct write_roots *policy_roots(const struct policy *policy)
{
    struct string_list paths = {NULL, 0};
    struct write_roots *roots;

    if (!policy->guards_writes)
        return NULL;
    string_list_add_all(&paths, &policy->ok_dests);
    string_list_add_all(&paths, &policy->extra_roots);
    add_private(policy, &paths);
    roots = write_roots_new(&paths);
    write_roots_protect(roots, &policy->protect);
    write_roots_exclude(roots, &policy->read_only);
    /* What a link led to would be no secret any more, once the link is another. */
    write_roots_exclude_links(roots, &policy->deny_read);
    write_roots_exclude_links(roots, &policy->secrets);
    write_roots_drop_redirected(roots, roots);
    string_list_finish(&paths);
    return roots;
}

static struct write_roots *roots_of_lists(const struct string_list *one,
                                          const struct string_list *other)
{
    struct string_list paths = {NULL, 0};
    struct write_roots *roots;

    string_list_add_all(&paths, one);
    string_list_add_all(&paths, other);
    roots = write_roots_new(&paths);
    string_list_finish(&paths);
    return roots;
}

void policy_seal(struct policy *policy)
{
    if (policy->sealed)
        return;
    policy->write_roots = policy_roots(policy);
    if (policy->deny_read.count + policy->secrets.count > 0)
        policy->read_denied = roots_of_lists(&policy->deny_read, &policy->secrets);
    if (policy->guards_reads)
        policy->read_allowed = roots_of_lists(&policy->read_roots, &policy->readable);
    if (policy->guards_reads && policy->guards_writes)
        write_roots_drop_redirected(policy->read_allowed, policy->write_roots);
    if (policy->asks) {
        policy->never_asked = roots_of_lists(&policy->secrets, &policy->read_only);
        write_roots_protect(policy->never_asked, &policy->protect);
    }
    read_rules_prepare(policy);
    policy->sealed = true;
}
