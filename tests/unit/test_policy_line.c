#include "tests/support/cmocka_tests.h"

#include "guard/policy/policy_line.h"

#include <stdio.h>

static const char text[] = "# ban_defs\n"                      /* 1 */
                           "preset = \"open\"\n"               /* 2 */
                           "  ban_defs= true\n"                /* 3 */
                           "\"mode\" = 1\n"                    /* 4 */
                           "env . hide = []\n"                 /* 5 */
                           "ban_imports = [\n"                 /* 6 */
                           "    \"protect\", # ok_dests = 1\n" /* 7 */
                           "    [1, 2], 'read_roots = 3',\n"   /* 8 */
                           "\n"                                /* 9 */
                           "    \"\"\"deny_read = 1\n"         /* 10 */
                           "deny_read = 2\\\"\"\"\"\"\",\n"    /* 11 */
                           "    '''\n"                         /* 12 */
                           "deny_read = 3''']\n"               /* 13 */
                           "deny_read = 4\n"                   /* 14 */
                           "\"env.pass\" = 5\n"                /* 15 */
                           "limits = { timeout_seconds = 1, nested = { a = [1, 2] } }\n" /* 16 */
                           "[setup]\n"                         /* 17 */
                           "pass = 1\n"                        /* 18 */
                           "files = []\n"                      /* 19 */
                           "[ env ]\n"                         /* 20 */
                           "pass = []\n"                       /* 21 */
                           "[extra_globals]\r\n"               /* 22 */
                           "x = 1\r\n"                         /* 23 */
                           "preset = 1\n"                      /* 24 */
                           "v = [\"\\\" # \\\\\", 'C:\\']\n" /* 25: a quotation mark in a string; a backslash that is one */
                           "w = 1\n"                           /* 26 */
                           "[unknown.'deep.er'.\"a b\"]";      /* 27 */

static void keys_are_found(void **state)
{
    static const struct {
        const char *key;
        unsigned line;
    } cases[] = {
        {"preset", 2},
        {"ban_defs", 3},
        {"mode", 4},
        {"env", 5},
        {"env.hide", 5},
        {"ban_imports", 6},
        {"deny_read", 14},
        {"\"env.pass\"", 15},
        {"limits", 16},
        {"limits.timeout_seconds", 16},
        {"limits.nested.a", 16},
        {"setup", 17},
        {"setup.files", 19},
        {"env.pass", 21},
        {"extra_globals", 22},
        {"extra_globals.x", 23},
        {"extra_globals.preset", 24},
        {"extra_globals.w", 26},
        {"unknown", 27},
        {"unknown.\"deep.er\".a b", 27},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        if (policy_line_find(text, cases[i].key) != cases[i].line)
            fail_msg("%s: line %u", cases[i].key, policy_line_find(text, cases[i].key));
}

static void what_is_not_there_has_no_line(void **state)
{
    static const char *const absent[] = {"ban", "env.files", "protect", "ok_dests", "read_roots",
                                         "nested", "x", "extra_globals.y", "limits.a"};

    (void)state;
    for (size_t i = 0; i < sizeof(absent) / sizeof(absent[0]); i++)
        assert_int_equal(policy_line_find(text, absent[i]), 0);
    assert_int_equal(policy_line_find("", "preset"), 0);
    assert_int_equal(policy_line_find("\n\n[", "preset"), 0);
}

static void entries_of_arrays_are_found(void **state)
{
    static const unsigned lines[] = {7, 8, 8, 10, 12};

    (void)state;
    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
        assert_int_equal(policy_line_of_item(text, "ban_imports", i), lines[i]);
    assert_int_equal(policy_line_of_item(text, "ban_imports", 5), 6);
    assert_int_equal(policy_line_of_item(text, "mode", 0), 4);
    assert_int_equal(policy_line_of_item(text, "nowhere", 0), 0);
}

/* It is shown only what tomllib has taken, and still it ends on anything. */
static void any_text_comes_to_an_end(void **state)
{
    char part[sizeof(text)];

    (void)state;
    for (size_t size = 0; size < sizeof(text); size++) {
        snprintf(part, size + 1, "%s", text);
        policy_line_of_item(part, "nowhere", 3);
        policy_line_find(text + size, "nowhere");
    }
    assert_int_equal(policy_line_find("a = [[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[["
                                      "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[",
                                      "a"),
                     1);
}

RUN(cmocka_unit_test(keys_are_found), cmocka_unit_test(what_is_not_there_has_no_line),
    cmocka_unit_test(entries_of_arrays_are_found), cmocka_unit_test(any_text_comes_to_an_end))
