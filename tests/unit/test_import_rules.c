#include "tests/support/cmocka_tests.h"

#include "guard/policy/import_rules.h"

static enum import_answer ask(const struct policy *policy, const char *module)
{
    const char *banned = NULL;
    enum import_answer answer = import_rules_ask(policy, bytes_of_string(module), &banned);

    assert_int_equal(answer == IMPORT_BANNED, banned != NULL);
    return answer;
}

static void restrict_mode_bans_what_is_listed(void **state)
{
    cleanup_policy struct policy *policy = policy_new(POLICY_WORKSPACE);

    (void)state;
    string_list_add(&policy->allowed_imports, "socket"); /* of the other mode: not looked at */
    assert_int_equal(ask(policy, "socket"), IMPORT_BANNED);
    assert_int_equal(ask(policy, "socket.x"), IMPORT_BANNED);
    assert_int_equal(ask(policy, "socketserver"), IMPORT_ALLOWED);
    assert_int_equal(ask(policy, "json"), IMPORT_ALLOWED);
}

static void allow_mode_takes_what_is_listed(void **state)
{
    cleanup_policy struct policy *policy = policy_new(POLICY_STRICT);

    (void)state;
    assert_int_equal(ask(policy, "numpy"), IMPORT_ALLOWED);
    assert_int_equal(ask(policy, "numpy.linalg"), IMPORT_ALLOWED);
    assert_int_equal(ask(policy, "numpyx"), IMPORT_NOT_LISTED);
    assert_int_equal(ask(policy, "os"), IMPORT_NOT_LISTED);
    assert_int_equal(ask(policy, "xml.etree.ElementTree"), IMPORT_ALLOWED);
    assert_int_equal(ask(policy, "xml.sax"), IMPORT_NOT_LISTED);
}

static void importlib_is_refused_in_both(void **state)
{
    cleanup_policy struct policy *policy = policy_new(POLICY_WORKSPACE);

    (void)state;
    string_list_finish(&policy->ban_imports);
    assert_int_equal(ask(policy, "importlib.util"), IMPORT_BANNED);
    assert_int_equal(ask(policy, "importlib_metadata"), IMPORT_ALLOWED);
    policy->allow_mode = true;
    string_list_add(&policy->allowed_imports, "importlib");
    assert_int_equal(ask(policy, "importlib"), IMPORT_BANNED);
}

RUN(cmocka_unit_test(restrict_mode_bans_what_is_listed),
    cmocka_unit_test(allow_mode_takes_what_is_listed),
    cmocka_unit_test(importlib_is_refused_in_both))
