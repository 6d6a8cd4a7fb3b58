/* Every key of keys.def can be set, wrong types are told, and the link carries all of it. */
#include "tests/support/cmocka_tests.h"

#include "guard/policy/policy.h"

#include <string.h>

static int set_list(struct policy *policy, const char *key, const char *one)
{
    const char *strings[] = {one};

    return policy_set(
        policy, key,
        &(struct policy_value){.type = POLICY_STRINGS, .strings = strings, .count = 1});
}

static int set_text(struct policy *policy, const char *key, const char *text)
{
    return policy_set(policy, key, &(struct policy_value){.type = POLICY_STRING, .string = text});
}

static struct policy *through_the_link(const struct policy *policy)
{
    cleanup_buffer struct buffer encoded = BUFFER_NONE;
    struct policy *decoded = NULL;

    policy_encode(policy, &encoded);
    assert_int_equal(policy_decode(buffer_bytes(&encoded), &decoded), 0);
    return decoded;
}

static void every_list_is_set_and_carried(void **state)
{
    size_t count;
    const struct policy_key *keys = policy_keys(&count);
    unsigned lists = 0;

    (void)state;
    for (size_t i = 0; i < count; i++) {
        cleanup_policy struct policy *policy = policy_new(POLICY_STRICT);
        cleanup_policy struct policy *decoded = NULL;
        const char *entry = strcmp(keys[i].name, "network.allow") == 0 ? "one:1" : "one";

        if (policy_list(policy, keys[i].name) == NULL)
            continue;
        lists++;
        if (strcmp(keys[i].name, "deny_read") == 0 || strcmp(keys[i].name, "protect") == 0)
            set_list(policy, keys[i].name, "!*");
        assert_int_equal(set_list(policy, keys[i].name, entry), 0);
        decoded = through_the_link(policy);
        assert_int_equal(policy_list(decoded, keys[i].name)->count, 1);
        assert_string_equal(policy_list(decoded, keys[i].name)->items[0], entry);
        assert_int_equal(set_list(policy, keys[i].name, ""), POLICY_E_BAD_VALUE);
        assert_int_not_equal(set_text(policy, keys[i].name, "nothing"), 0);
    }
    assert_int_equal(lists, 14);
}

static void the_mode_is_one_of_two(void **state)
{
    cleanup_policy struct policy *policy = policy_new(POLICY_WORKSPACE);
    cleanup_policy struct policy *decoded = NULL;

    (void)state;
    assert_false(policy->allow_mode);
    assert_int_equal(set_text(policy, "mode", "allow"), 0);
    decoded = through_the_link(policy);
    assert_true(decoded->allow_mode);
    assert_int_equal(set_text(policy, "mode", "restrict"), 0);
    assert_false(policy->allow_mode);
    assert_int_equal(set_text(policy, "mode", "maybe"), POLICY_E_BAD_VALUE);
    assert_int_equal(set_list(policy, "mode", "allow"), POLICY_E_BAD_TYPE);
}

static int set_number(struct policy *policy, const char *key, long number)
{
    return policy_set(policy, key,
                      &(struct policy_value){.type = POLICY_INTEGER, .integer = number});
}

static void every_limit_is_set_and_carried(void **state)
{
    size_t count;
    const struct policy_key *keys = policy_keys(&count);
    unsigned limits = 0;

    (void)state;
    for (size_t i = 0; i < count; i++) {
        cleanup_policy struct policy *policy = policy_new(POLICY_STRICT);
        cleanup_policy struct policy *decoded = NULL;

        if (policy_limit(policy, keys[i].name) == NULL)
            continue;
        limits++;
        assert_int_equal(set_number(policy, keys[i].name, 7), 0);
        decoded = through_the_link(policy);
        assert_int_equal(*policy_limit(decoded, keys[i].name), 7);
        assert_int_equal(set_number(policy, keys[i].name, -1), POLICY_E_BAD_VALUE);
        assert_int_equal(set_number(policy, keys[i].name, 1L << 40), POLICY_E_BAD_VALUE);
        assert_int_equal(set_text(policy, keys[i].name, "7"), POLICY_E_BAD_TYPE);
        assert_int_equal(*policy_limit(policy, keys[i].name), 7);
    }
    assert_int_equal(limits, 13);
}

static void each_preset_has_its_limits(void **state)
{
    cleanup_policy struct policy *policy = policy_new(POLICY_STRICT);

    (void)state;
    assert_int_equal(policy->limits.timeout_seconds, 60);
    assert_int_equal(policy_set_preset(policy, POLICY_WORKSPACE), 0);
    assert_int_equal(policy->limits.timeout_seconds, 0);
    assert_int_equal(policy->limits.processes, 1024);
    assert_int_equal(policy_set_preset(policy, POLICY_OPEN), 0);
    assert_int_equal(policy->limits.processes, 0);
}

static void which_outputs_are_shown(void **state)
{
    cleanup_policy struct policy *policy = policy_new(POLICY_WORKSPACE);
    cleanup_policy struct policy *decoded = NULL;

    (void)state;
    assert_false(policy->passive_outputs);
    assert_int_equal(set_text(policy, "outputs", "passive"), 0);
    decoded = through_the_link(policy);
    assert_true(decoded->passive_outputs);
    assert_int_equal(set_text(policy, "outputs", "none"), POLICY_E_BAD_VALUE);
    assert_int_equal(set_number(policy, "outputs", 1), POLICY_E_BAD_TYPE);
}

static void whether_and_how_long_to_ask(void **state)
{
    cleanup_policy struct policy *policy = policy_new(POLICY_WORKSPACE);
    cleanup_policy struct policy *decoded = NULL;

    (void)state;
    assert_false(policy->asks);
    assert_int_equal(policy->ask_seconds, 120);
    assert_int_equal(set_text(policy, "on_deny", "ask"), 0);
    assert_int_equal(set_number(policy, "ask_seconds", 7), 0);
    decoded = through_the_link(policy);
    assert_true(decoded->asks);
    assert_int_equal(decoded->ask_seconds, 7);
    assert_int_equal(set_text(policy, "on_deny", "allow"), POLICY_E_BAD_VALUE);
    assert_int_equal(set_number(policy, "on_deny", 1), POLICY_E_BAD_TYPE);
    assert_int_equal(set_number(policy, "ask_seconds", 0), POLICY_E_BAD_VALUE);
    assert_int_equal(set_number(policy, "ask_seconds", 3601), POLICY_E_BAD_VALUE);
    assert_int_equal(set_text(policy, "ask_seconds", "7"), POLICY_E_BAD_TYPE);
    assert_int_equal(set_text(policy, "preset", "strict"), 0);
    assert_false(policy->asks);
}

static void denials_are_added(void **state)
{
    cleanup_policy struct policy *policy = policy_new(POLICY_WORKSPACE);
    size_t usual = policy->deny_read.count;

    (void)state;
    assert_int_equal(set_list(policy, "deny_read", "/data/private"), 0);
    assert_int_equal(set_list(policy, "deny_read", "/data/private"), 0);
    assert_int_equal(policy->deny_read.count, usual + 1);
    assert_int_equal(set_list(policy, "deny_read", "!~/.aws"), 0);
    assert_false(string_list_has(&policy->deny_read, "~/.aws"));
    assert_true(string_list_has(&policy->deny_read, "~/.ssh"));
    assert_int_equal(set_list(policy, "protect", "vault"), 0);
    assert_true(string_list_has(&policy->protect, ".git"));
    assert_int_equal(set_list(policy, "protect", "!*"), 0);
    assert_int_equal(policy->protect.count, 0);
    assert_int_equal(set_list(policy, "protect", "!"), POLICY_E_BAD_VALUE);
    assert_int_equal(set_list(policy, "deny_read", "!!"), POLICY_E_BAD_VALUE);
}

static void any_lifts_a_limit(void **state)
{
    cleanup_policy struct policy *policy = policy_new(POLICY_WORKSPACE);

    (void)state;
    assert_false(policy->guards_reads);
    assert_int_equal(set_list(policy, "read_roots", "/data"), 0);
    assert_true(policy->guards_reads);
    assert_int_equal(set_text(policy, "read_roots", "any"), 0);
    assert_false(policy->guards_reads);
    assert_int_equal(set_text(policy, "ok_dests", "any"), 0);
    assert_false(policy->guards_writes);
}

static void templates_are_wanted_and_learn_unless_modules_are_named(void **state)
{
    cleanup_policy struct policy *policy = policy_new(POLICY_WORKSPACE);
    cleanup_policy struct policy *decoded = NULL;
    struct policy_value yes = {.type = POLICY_BOOLEAN, .boolean = true};

    (void)state;
    assert_true(policy->learns_imports);
    assert_int_equal(policy_set(policy, "warm.templates", &yes), 0);
    assert_int_equal(set_text(policy, "warm.templates", "yes"), POLICY_E_BAD_TYPE);
    assert_int_equal(set_list(policy, "warm.imports", "numpy,os"), POLICY_E_BAD_VALUE);
    assert_int_equal(set_list(policy, "warm.imports", "a/b"), POLICY_E_BAD_VALUE);
    assert_int_equal(set_list(policy, "warm.imports", "numpy"), 0);
    decoded = through_the_link(policy);
    assert_true(decoded->templates);
    assert_false(decoded->learns_imports);
}

static void what_no_file_may_change_stays(void **state)
{
    cleanup_policy struct policy *policy = policy_new(POLICY_WORKSPACE);
    cleanup_policy struct policy *decoded = NULL;

    (void)state;
    policy_add_secret(policy, "/run/connection.json");
    policy_add_write_root(policy, "/asked/for");
    policy_add_read_only(policy, "/policy.toml");
    assert_int_equal(set_text(policy, "preset", "read-only"), 0);
    decoded = through_the_link(policy);
    assert_true(string_list_has(&decoded->secrets, "/run/connection.json"));
    assert_true(string_list_has(&decoded->extra_roots, "/asked/for"));
    assert_true(string_list_has(&decoded->read_only, "/policy.toml"));
    policy_seal(decoded);
    assert_true(write_roots_cover(decoded->write_roots, "/asked/for/file"));
    assert_true(write_roots_cover(decoded->read_denied, "/run/connection.json"));
    assert_int_equal(policy_add_secret(decoded, "/x"), POLICY_E_SEALED);
}

static void presets_hide_the_usual_secrets(void **state)
{
    static const enum policy_preset guarded[] = {POLICY_READ_ONLY, POLICY_WORKSPACE, POLICY_STRICT,
                                                 POLICY_OPEN};

    (void)state;
    for (size_t i = 0; i < 4; i++) {
        cleanup_policy struct policy *policy = policy_new(guarded[i]);

        assert_true(string_list_has(&policy->deny_read, "~/.ssh"));
        assert_true(string_list_has(&policy->deny_read, "~/.aws"));
        assert_int_equal(policy->allow_mode, guarded[i] == POLICY_STRICT);
    }
}

RUN(cmocka_unit_test(templates_are_wanted_and_learn_unless_modules_are_named),
    cmocka_unit_test(every_list_is_set_and_carried), cmocka_unit_test(the_mode_is_one_of_two),
    cmocka_unit_test(every_limit_is_set_and_carried), cmocka_unit_test(each_preset_has_its_limits),
    cmocka_unit_test(which_outputs_are_shown), cmocka_unit_test(whether_and_how_long_to_ask), cmocka_unit_test(any_lifts_a_limit), cmocka_unit_test(denials_are_added),
    cmocka_unit_test(what_no_file_may_change_stays),
    cmocka_unit_test(presets_hide_the_usual_secrets))
