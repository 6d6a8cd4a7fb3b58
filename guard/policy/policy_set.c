/* What the keys of a policy file make of a policy. */
#include "guard/policy/policy.h"
#include "guard/policy/policy_entries.h"

#include <string.h>

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

static int set_truth(const struct policy_value *value, bool *ret_truth)
{
    if (value->type != POLICY_BOOLEAN)
        return POLICY_E_BAD_TYPE;
    *ret_truth = value->boolean;
    return 0;
}

static int set_ban_defs(struct policy *policy, const struct policy_value *value)
{
    return set_truth(value, &policy->ban_defs);
}

static int set_templates(struct policy *policy, const struct policy_value *value)
{
    return set_truth(value, &policy->templates);
}

static int set_warm_imports(struct policy *policy, const struct policy_value *value)
{
    int outcome = set_strings(&policy->warm_imports, value);

    if (outcome == 0)
        policy->learns_imports = false;
    return outcome;
}

static int set_on_deny(struct policy *policy, const struct policy_value *value)
{
    return set_choice(value, "error", "ask", &policy->asks);
}

static int set_outputs(struct policy *policy, const struct policy_value *value)
{
    return set_choice(value, "any", "passive", &policy->passive_outputs);
}

static int set_integer(const struct policy_value *value, long least, long most, long *ret_number)
{
    if (value->type != POLICY_INTEGER)
        return POLICY_E_BAD_TYPE;
    if (value->integer < least || value->integer > most)
        return POLICY_E_BAD_VALUE;
    *ret_number = value->integer;
    return 0;
}

static int set_ask_seconds(struct policy *policy, const struct policy_value *value)
{
    return set_integer(value, 1, POLICY_ASK_SECONDS_MAX, &policy->ask_seconds);
}

static int set_ok_dests(struct policy *policy, const struct policy_value *value)
{
    return set_folders(&policy->ok_dests, &policy->guards_writes, value);
}

static int set_read_roots(struct policy *policy, const struct policy_value *value)
{
    return set_folders(&policy->read_roots, &policy->guards_reads, value);
}

static int add_protected(struct policy *policy, const struct policy_value *value)
{
    return add_denials(&policy->protect, value);
}

static int add_unreadable(struct policy *policy, const struct policy_value *value)
{
    return add_denials(&policy->deny_read, value);
}

/* Those that are more than a list of strings or a limit. */
static const struct {
    const char *key;
    int (*set)(struct policy *policy, const struct policy_value *value);
} setters[] = {
    {"preset", set_preset_by_name}, {"ok_dests", set_ok_dests},
    {"read_roots", set_read_roots}, {"protect", add_protected},
    {"deny_read", add_unreadable},  {"mode", set_mode},
    {"os_ring", set_os_ring},       {"ban_defs", set_ban_defs},
    {"on_deny", set_on_deny},       {"outputs", set_outputs},
    {"ask_seconds", set_ask_seconds}, {"warm.templates", set_templates},
    {"warm.imports", set_warm_imports},
};

static const struct {
    const char *key;
    long most;
} limits[] = {
#define POLICY_LIMIT(field, largest, usual, strict) {"limits." #field, largest},
#include "guard/policy/limits.def"
#undef POLICY_LIMIT
};

static bool entries_are_good(const char *key, const struct policy_value *value)
{
    for (size_t i = 0; value->type == POLICY_STRINGS && i < value->count; i++)
        if (!policy_entry_is_good(key, value->strings[i]))
            return false;
    return true;
}

int policy_set(struct policy *policy, const char *key, const struct policy_value *value)
{
    struct string_list *list = (struct string_list *)policy_list(policy, key);

    if (policy->sealed)
        return POLICY_E_SEALED;
    /* A program's arguments are of other systems' making as well. */
    if (!policy->of_program && !entries_are_good(key, value))
        return POLICY_E_BAD_VALUE;
    for (size_t i = 0; i < sizeof(setters) / sizeof(setters[0]); i++)
        if (strcmp(key, setters[i].key) == 0)
            return setters[i].set(policy, value);
    for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++)
        if (strcmp(key, limits[i].key) == 0)
            return set_integer(value, 0, limits[i].most, (long *)policy_limit(policy, key));
    return list != NULL ? set_strings(list, value) : POLICY_E_UNKNOWN_KEY;
}
