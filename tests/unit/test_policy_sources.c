/* Which policy files a session has, and what no file can give away. */
#include "tests/support/cmocka_tests.h"

#include "kernel/config/session_policy.h"

#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>

static char directory[] = "/tmp/test_policy_sources.XXXXXX";

static void put(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");

    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static int make_home(void **state)
{
    (void)state;
    if (mkdtemp(directory) == NULL || chdir(directory) < 0 || mkdir("safepyrun", 0700) < 0)
        return -1;
    setenv("XDG_CONFIG_HOME", directory, 1);
    unsetenv("SAFEPYRUN_POLICY");
    return 0;
}

static int remove_home(void **state)
{
    cleanup_free char *command = xasprintf("rm -rf %s", directory);

    (void)state;
    return system(command);
}

static void none(void **state)
{
    struct policy_sources sources;

    (void)state;
    policy_sources_read(NULL, &sources);
    assert_int_equal(sources.count, 0);
    policy_sources_finish(&sources);
}

static void all_of_them_in_their_order(void **state)
{
    struct policy_sources sources;
    struct bytes parts[POLICY_SOURCES_MAX * POLICY_SOURCE_PARTS];

    (void)state;
    put("safepyrun/policy.toml", "a = 1");
    put(POLICY_PROJECT_FILE, "b = 1");
    put("named.toml", "c = 1");
    put("given.toml", "");
    setenv("SAFEPYRUN_POLICY", "named.toml", 1);
    policy_sources_read("given.toml", &sources);
    unsetenv("SAFEPYRUN_POLICY");
    assert_int_equal(sources.count, 4);
    assert_string_equal(sources.items[0].kind, "user");
    assert_string_equal(sources.items[1].kind, "project");
    assert_string_equal(sources.items[2].kind, "environment");
    assert_string_equal(sources.items[3].kind, "argument");
    assert_int_equal(sources.items[2].path[0], '/');
    assert_int_equal(policy_sources_parts(&sources, parts), 16);
    assert_true(bytes_equal_string(parts[2], "a = 1"));
    assert_true(bytes_equal_string(parts[14], ""));
    policy_sources_finish(&sources);
    unlink("safepyrun/policy.toml");
    unlink(POLICY_PROJECT_FILE);
}

static void a_file_that_was_named_must_be_there(void **state)
{
    struct policy_sources sources;

    (void)state;
    setenv("SAFEPYRUN_POLICY", "/nowhere/policy.toml", 1);
    policy_sources_read(NULL, &sources);
    unsetenv("SAFEPYRUN_POLICY");
    assert_int_equal(sources.count, 1);
    assert_non_null(strstr(policy_sources_problem(&sources, "environment"), "No such file"));
    assert_null(policy_sources_problem(&sources, "argument"));
    policy_sources_finish(&sources);
}

static void what_is_no_text_is_told(void **state)
{
    struct policy_sources sources;

    (void)state;
    assert_int_equal(mkdir("safepyrun/policy.toml", 0700), 0);
    policy_sources_read(NULL, &sources);
    assert_int_equal(sources.count, 1);
    assert_non_null(strstr(policy_sources_problem(&sources, "user"), "no regular file"));
    policy_sources_finish(&sources);
    rmdir("safepyrun/policy.toml");
    policy_sources_read_one("/dev/zero", &sources);
    assert_non_null(policy_sources_problem(&sources, "argument"));
    policy_sources_finish(&sources);
}

static void keys_of_all_kernels_stay_secret(void **state)
{
    struct policy_sources sources = {.count = 0};
    const char *roots[] = {"/asked/for"};
    struct options options = {
        .connection_file = "kernel.json", .write_roots = roots, .write_root_count = 1};
    cleanup_policy struct policy *policy = NULL;
    cleanup_free char *config = xasprintf("%s/safepyrun", directory);

    (void)state;
    put("kernel.json", "{}");
    setenv("JUPYTER_RUNTIME_DIR", "/run/jupyter", 1);
    policy = session_policy_new(&options, &sources, "/tmp/private");
    assert_true(string_list_has(&policy->secrets, "/run/jupyter"));
    assert_true(string_list_has(&policy->secrets, "~/.local/share/jupyter/runtime"));
    assert_true(string_list_has(&policy->extra_roots, "/asked/for"));
    assert_true(string_list_has(&policy->read_only, config));
    policy_seal(policy);
    assert_true(write_roots_cover(policy->read_denied, policy->secrets.items[0]));
}

/* None of these is there yet. */
static void what_starts_unguarded_is_not_written(void **state)
{
    static const char *const paths[] = {".local/lib/python3.99/site-packages/usercustomize.py",
                                        ".local/share/jupyter/labextensions/x/package.json", ".bashrc", ".gitconfig",
                                        ".local/etc/jupyter/jupyter_server_config.py", ".vimrc",
                                        ".ipython/profile_default/ipython_config.py", "python"};
    struct policy_sources sources = {.count = 0};
    const char *roots[] = {directory};
    cleanup_free char *python = xasprintf("%s/python", directory);
    struct options options = {.write_roots = roots, .write_root_count = 1, .python = python};
    cleanup_policy struct policy *policy = NULL;
    cleanup_free char *old = xstrdup(getenv("HOME"));
    cleanup_free char *other = xasprintf("%s/.local/share/other", directory);
    char resolved[PATH_MAX];

    (void)state;
    setenv("HOME", directory, 1);
    policy = session_policy_new(&options, &sources, "/tmp/private");
    setenv("HOME", old, 1);
    policy_seal(policy);
    for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
        cleanup_free char *path = xasprintf("%s/%s", directory, paths[i]);

        assert_int_equal(write_roots_ask(policy->write_roots, bytes_of_string(path), AT_FDCWD, PATH_FOLLOW_LAST, resolved),
                         ROOTS_PROTECTED);
    }
    assert_int_equal(write_roots_ask(policy->write_roots, bytes_of_string(other), AT_FDCWD, PATH_FOLLOW_LAST, resolved),
                     ROOTS_INSIDE);
}

static void without_home_it_is_that_of_the_user(void **state)
{
    struct policy_sources sources = {.count = 0};
    struct options options = {.connection_file = NULL};
    cleanup_policy struct policy *policy = NULL;
    cleanup_free char *old = xstrdup(getenv("HOME"));
    cleanup_free char *bashrc = NULL;

    (void)state;
    unsetenv("HOME");
    policy = session_policy_new(&options, &sources, "/tmp/private");
    bashrc = write_roots_expand_home("~/.bashrc");
    setenv("HOME", old, 1);
    assert_int_equal(bashrc[0], '/');
    assert_true(string_list_has(&policy->read_only, bashrc));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(none),
        cmocka_unit_test(all_of_them_in_their_order),
        cmocka_unit_test(a_file_that_was_named_must_be_there),
        cmocka_unit_test(what_is_no_text_is_told),
        cmocka_unit_test(keys_of_all_kernels_stay_secret),
        cmocka_unit_test(what_starts_unguarded_is_not_written),
        cmocka_unit_test(without_home_it_is_that_of_the_user),
    };
    return cmocka_run_group_tests(tests, make_home, remove_home);
}
