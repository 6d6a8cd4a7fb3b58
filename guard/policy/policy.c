#include "guard/policy/policy.h"

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

static const struct {
    const char *key;
    size_t offset; /* of a long in struct policy */
} limits[] = {
#define POLICY_LIMIT(field, largest, usual, strict) {"limits." #field, offsetof(struct policy, limits.field)},
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

const struct string_list *policy_list(const struct policy *policy, const char *key)
{
    for (size_t i = 0; i < LIST_COUNT; i++)
        if (lists[i].key[0] != '\0' && strcmp(lists[i].key, key) == 0)
            return list_at((struct policy *)policy, i);
    return NULL;
}

const long *policy_limit(const struct policy *policy, const char *key)
{
    for (size_t i = 0; i < LIMIT_COUNT; i++)
        if (strcmp(limits[i].key, key) == 0)
            return (const long *)((const char *)policy + limits[i].offset);
    return NULL;
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
