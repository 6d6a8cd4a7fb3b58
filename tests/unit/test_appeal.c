/* What a person may let pass, and what an excuse is good for. */
#include "guard/policy/verdict.h"
#include "tests/support/cmocka_tests.h"

#include <fcntl.h>
#include <string.h>

static struct policy *policy_that(const char *on_deny)
{
    struct policy *policy = policy_new(POLICY_WORKSPACE);
    const char *roots[] = {"/tmp/root"};
    const char *denied[] = {"/tmp/denied"};

    assert_int_equal(policy_set(policy, "on_deny",
                                &(struct policy_value){.type = POLICY_STRING, .string = on_deny}),
                     0);
    policy_set(policy, "ok_dests",
               &(struct policy_value){.type = POLICY_STRINGS, .strings = roots, .count = 1});
    policy_set(policy, "deny_read",
               &(struct policy_value){.type = POLICY_STRINGS, .strings = denied, .count = 1});
    policy_add_secret(policy, "/tmp/keys/connection.json");
    policy_add_read_only(policy, "/tmp/conf/policy.toml");
    policy_seal(policy);
    return policy;
}

static void only_some_paths_are_asked_about(void **state)
{
    static const struct {
        const char *path;
        bool write;
        bool read;
    } cases[] = {
        {"/srv/x", true, true},
        {"/tmp/keys/connection.json", false, false},
        {"/tmp/keys", false, false}, /* holds one */
        {"/tmp/keys/other", true, true},
        {"/tmp/conf/policy.toml", false, false},
        {"/tmp", false, false},
        {"/", false, false},
        {"/srv/.git", false, true},
        {"/srv/.git/hooks/x", false, true},
        {"/srv/.github", true, true},
        {"/proc/self/mem", false, false},
        {"/sys/x", false, false},
        {"/dev/tty", false, false},
        {"/device", true, true},
        {"relative", false, false},
        {"", false, false},
    };
    cleanup_policy struct policy *asking = policy_that("ask");
    cleanup_policy struct policy *plain = policy_that("error");

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_int_equal(appeal_may_write(asking, cases[i].path), cases[i].write);
        assert_int_equal(appeal_may_read(asking, cases[i].path), cases[i].read);
        assert_false(appeal_may_write(plain, cases[i].path));
        assert_false(appeal_may_read(plain, cases[i].path));
    }
}

static struct facts facts_of(const char *path, const struct excuses *excuses)
{
    struct facts facts = {.event = "test", .caller = CALLER_USER, .link_fd = -1, .path_count = 1};

    facts.paths[0] = (struct path_fact){
        .text = bytes_of_string(path), .dir_fd = AT_FDCWD, .fd = -1, .excuses = excuses};
    facts.number = O_RDWR;
    facts.number_known = true;
    return facts;
}

static void an_excuse_is_for_one_rule_and_one_path(void **state)
{
    cleanup_policy struct policy *policy = policy_that("ask");
    struct excuses excuses = {.count = 1, .items = {{"ok_dests", "/tmp/denied"}}};
    struct facts facts = facts_of("/tmp/denied", NULL);
    struct denial denial;

    (void)state;
    assert_int_equal(check_open(policy, &facts, &denial), VERDICT_DENY);
    assert_string_equal(denial.rule, "ok_dests");
    assert_true(denial.may_ask);
    facts.paths[0].excuses = &excuses;
    assert_int_equal(check_open(policy, &facts, &denial), VERDICT_DENY);
    assert_string_equal(denial.rule, "deny_read"); /* to write is not to read */
    assert_true(denial.may_ask);
    excuses.items[1].rule = "deny_read";
    excuses.items[1].subject = "/tmp/denied";
    excuses.count = 2;
    assert_int_equal(check_open(policy, &facts, &denial), VERDICT_ALLOW);
    facts.paths[0].text = BYTES_LITERAL("/tmp/denied/below");
    assert_int_equal(check_open(policy, &facts, &denial), VERDICT_DENY);
}

static void every_path_needs_its_own(void **state)
{
    cleanup_policy struct policy *policy = policy_that("ask");
    const struct excuses excuses = {.count = 1, .items = {{"ok_dests", "/srv/one"}}};
    struct facts facts = facts_of("/srv/one", &excuses);
    struct denial denial;

    (void)state;
    assert_int_equal(check_write_roots(policy, &facts, &denial), VERDICT_ALLOW);
    facts.paths[1] = facts.paths[0];
    facts.paths[1].text = BYTES_LITERAL("/srv/other");
    facts.path_count = 2;
    assert_int_equal(check_write_roots(policy, &facts, &denial), VERDICT_DENY);
    assert_string_equal(denial.subject, "/srv/other");
}

static void other_denials_are_never_asked_about(void **state)
{
    static verdict_function *const checks[] = {check_never, check_program, check_network,
                                               check_native, check_chdir};
    cleanup_policy struct policy *policy = policy_that("ask");
    const struct excuses excuses = {.count = 1, .items = {{"ok_dests", "/srv"}}};

    (void)state;
    for (size_t i = 0; i < sizeof(checks) / sizeof(checks[0]); i++) {
        struct facts facts = facts_of("/srv", &excuses);
        struct denial denial = {.may_ask = true};

        assert_int_equal(checks[i](policy, &facts, &denial), VERDICT_DENY);
        assert_false(denial.may_ask);
    }
}

RUN(cmocka_unit_test(only_some_paths_are_asked_about),
    cmocka_unit_test(an_excuse_is_for_one_rule_and_one_path),
    cmocka_unit_test(every_path_needs_its_own),
    cmocka_unit_test(other_denials_are_never_asked_about))
