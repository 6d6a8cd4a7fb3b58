#include "tests/support/cmocka_tests.h"

#include "guard/policy/policy_line.h"

static const char text[] = "# ban_defs\n"
                           "preset = \"open\"\n"
                           "  ban_defs= true\n"
                           "\"mode\" = 1\n"
                           "env.hide = []\n"
                           "[setup]\n"
                           "pass = 1\n"
                           "files = []\n"
                           "[ env ]\n"
                           "pass = []\n"
                           "[extra_globals]\r\n"
                           "x = 1";

static void keys_are_found(void **state)
{
    (void)state;
    assert_int_equal(policy_line_find(text, "preset"), 2);
    assert_int_equal(policy_line_find(text, "ban_defs"), 3);
    assert_int_equal(policy_line_find(text, "mode"), 4);
    assert_int_equal(policy_line_find(text, "env.hide"), 5);
    assert_int_equal(policy_line_find(text, "setup.files"), 8);
    assert_int_equal(policy_line_find(text, "env.pass"), 10);
    assert_int_equal(policy_line_find(text, "extra_globals"), 11);
}

static void what_is_not_there_has_no_line(void **state)
{
    (void)state;
    assert_int_equal(policy_line_find(text, "ban"), 0);
    assert_int_equal(policy_line_find(text, "env.files"), 0);
    assert_int_equal(policy_line_find("", "preset"), 0);
    assert_int_equal(policy_line_find("\n\n[", "preset"), 0);
}

RUN(cmocka_unit_test(keys_are_found), cmocka_unit_test(what_is_not_there_has_no_line))
