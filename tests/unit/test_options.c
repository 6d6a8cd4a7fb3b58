#include "tests/support/cmocka_tests.h"

#include "kernel/config/options.h"

static int parse(const char **argv, struct options *options, char **error)
{
    int argc = 0;

    while (argv[argc] != NULL)
        argc++;
    return options_parse(argc, (char **)argv, options, error);
}

static void both_spellings_are_read(void **state)
{
    const char *argv[] = {"-f", "c.json", "--python=/p", "--write-root", "a", "--write-root=b",
                          "--audit-log", "none", "--log-level=debug", "--on-guard-death", "respawn", "--shell=plain", NULL};
    struct options options;
    char *error = NULL;

    (void)state;
    assert_int_equal(parse(argv, &options, &error), 0);
    assert_string_equal(options.connection_file, "c.json");
    assert_string_equal(options.python, "/p");
    assert_int_equal(options.write_root_count, 2);
    assert_string_equal(options.write_roots[1], "b");
    assert_string_equal(options.shell, "plain");
    assert_string_equal(options.audit_log, "none");
    assert_int_equal(options.log_level, LOG_DEBUG);
    assert_int_equal(options.on_guard_death, GUARD_DEATH_RESPAWN);
    options_finish(&options);
}

static void what_launchers_append_is_tolerated(void **state)
{
    const char *argv[] = {"--HistoryManager.hist_file=:memory:", "--f=c.json", "--debug", "-Xx", NULL};
    struct options options;
    char *error = NULL;

    (void)state;
    assert_int_equal(parse(argv, &options, &error), 0);
    assert_string_equal(options.history_file, ":memory:");
    assert_string_equal(options.shell, "auto");
    assert_int_equal(options.log_level, LOG_INFO);
    assert_int_equal(options.on_guard_death, GUARD_DEATH_EXIT);
    assert_true(bytes_equal_string(buffer_bytes(&options.ignored), " --debug -Xx"));
    options_finish(&options);
}

static void a_gateway_takes_the_place_of_a_file(void **state)
{
    const char *argv[] = {"--response-address=10.0.0.1:8877", "--transport-encryption=", NULL};
    struct options options;
    char *error = NULL;

    (void)state;
    assert_int_equal(parse(argv, &options, &error), 0);
    assert_string_equal(options.response_address, "10.0.0.1:8877");
    assert_string_equal(options.transport_encryption, "");
    assert_null(options.connection_file);
    options_finish(&options);
}

static void expect_error(const char **argv, const char *mention)
{
    struct options options;
    cleanup_free char *error = NULL;

    assert_int_equal(parse(argv, &options, &error), 1);
    assert_non_null(strstr(error, mention));
}

static void a_wrong_value_of_ours_is_an_error(void **state)
{
    (void)state;
    expect_error((const char *[]){"-f", "c", "--shell", "bash", NULL}, "ipython");
    expect_error((const char *[]){"-f", "c", "--on-guard-death=never", NULL}, "respawn");
    expect_error((const char *[]){"-f", "c", "--log-level", "loud", NULL}, "warning");
    expect_error((const char *[]){"-f", "c", "--shell", "debug", NULL}, "ipython"); /* what another one takes */
    expect_error((const char *[]){"-f", "c", "--on-guard-death", "plain", NULL}, "respawn");
    expect_error((const char *[]){"-f", "c", "--policy", NULL}, "--policy");
    expect_error((const char *[]){NULL}, "-f FILE");
    expect_error((const char *[]){"-f", "c", "--response-address=1.2.3.4:5", NULL}, "one or the other");
}

RUN(cmocka_unit_test(both_spellings_are_read),
    cmocka_unit_test(what_launchers_append_is_tolerated),
    cmocka_unit_test(a_gateway_takes_the_place_of_a_file),
    cmocka_unit_test(a_wrong_value_of_ours_is_an_error))
