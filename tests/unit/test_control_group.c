#include "tests/support/cmocka_tests.h"

#include "guard/link/buffer.h"
#include "kernel/supervisor/control_group.h"

#include <ftw.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>

/*
 * The folders and files of a cgroup file system, made by hand: what is written where is what can be shown everywhere.
 * A real one is in tests/integration/wire/test_limits.py, where the machine has one.
 */
static char mount[] = "/tmp/test-control-group-XXXXXX";

static void put(const char *folder, const char *name, const char *text)
{
    cleanup_free char *path = xasprintf("%s%s/%s", mount, folder, name);
    cleanup_file FILE *file = fopen(path, "w");

    assert_non_null(file);
    fputs(text, file);
}

static void expect(const char *folder, const char *name, const char *text)
{
    cleanup_free char *path = xasprintf("%s%s/%s", mount, folder, name);
    cleanup_file FILE *file = fopen(path, "r");
    char found[64] = "";

    assert_non_null(file);
    (void)!fread(found, 1, sizeof(found) - 1, file);
    assert_string_equal(found, text);
}

static void make(const char *folder, const char *controllers)
{
    cleanup_free char *path = xasprintf("%s%s", mount, folder);

    assert_int_equal(mkdir(path, 0755), 0);
    put(folder, "cgroup.subtree_control", controllers);
    put(folder, "cgroup.procs", "");
}

static int set_up(void **state)
{
    (void)state;
    if (mkdtemp(mount) == NULL)
        return -1;
    put("", "cgroup.subtree_control", "cpu memory pids\n");
    put("", "cgroup.procs", "");
    make("/plain", "cpu\n");
    make("/plain/scope", "");
    make("/slice", "memory pids\n");
    make("/slice/scope", "");
    return 0;
}

static int remove_one(const char *path, const struct stat *status, int kind, struct FTW *place)
{
    (void)status;
    (void)kind;
    (void)place;
    return remove(path);
}

static int tear_down(void **state)
{
    (void)state;
    return nftw(mount, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/* The mark that a service manager sets; not every file system takes it from every user. */
static bool delegate(const char *folder)
{
    cleanup_free char *path = xasprintf("%s%s", mount, folder);

    return geteuid() != 0 || setxattr(path, "user.delegate", "1", 1, 0) == 0 ||
           setxattr(path, "trusted.delegate", "1", 1, 0) == 0;
}

static void test_it_is_beside_our_own(void **state)
{
    cleanup_free char *expected = xasprintf("%s/slice", mount);
    cleanup_free char *found = NULL;
    const char *reason = NULL;

    (void)state;
    if (!delegate("/slice"))
        skip(); /* no extended attributes in /tmp */
    found = control_group_find(mount, "/slice/scope", &reason);
    assert_string_equal(found, expected);
}

static void test_the_topmost_may_hold_processes(void **state)
{
    const char *reason = NULL;
    cleanup_free char *found = control_group_find(mount, "/", &reason);

    (void)state;
    assert_string_equal(found, mount);
}

static void test_nothing_is_made_where_nothing_was_given(void **state)
{
    static const char *const rows[][2] = {
        {"/plain/scope", "the group around this process controls neither memory nor processes"},
        {"/../outside", "this process's group is outside of what can be seen here"},
        {"/gone/scope", "the group around this process controls neither memory nor processes"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const char *reason = NULL;

        assert_null(control_group_find(mount, rows[i][0], &reason));
        assert_string_equal(reason, rows[i][1]);
    }
}

static void test_root_asks_for_the_mark(void **state)
{
    const char *reason = NULL;

    (void)state;
    if (geteuid() != 0)
        skip(); /* an ordinary user may write only where he was given something */
    make("/unmarked", "memory\n");
    assert_null(control_group_find(mount, "/unmarked/scope", &reason));
    assert_string_equal(reason, "the group around this process was not delegated to this user");
}

static void test_limits_are_written(void **state)
{
    cleanup_free char *parent = xasprintf("%s/slice", mount);
    cleanup_free char *folder = xasprintf("/slice/safepyrun-%d", (int)getpid());
    cleanup_free char *path = xasprintf("%s%s", mount, folder);
    struct control_group group;

    (void)state;
    assert_int_equal(mkdir(path, 0755), 0); /* the real one comes with its files */
    put(folder, "memory.high", "");
    put(folder, "memory.max", "");
    put(folder, "pids.max", "");
    put(folder, "cgroup.procs", "");
    put(folder, "memory.events", "low 0\noom 0\noom_kill 0\n");
    assert_int_equal(control_group_make(&group, parent, 4711, 256 << 20, 40), 0);
    expect(folder, "memory.high", "285212672");
    expect(folder, "memory.max", "335544320");
    expect(folder, "pids.max", "40");
    expect(folder, "cgroup.procs", "4711");
    assert_false(control_group_has_killed(&group));
    put(folder, "memory.events", "low 0\noom 1\noom_kill 2\n");
    assert_true(control_group_has_killed(&group));
    assert_false(control_group_has_killed(&group));
    control_group_remove(&group);
    assert_null(group.folder);
    control_group_remove(&group);
}

static void test_what_cannot_be_made_is_none(void **state)
{
    cleanup_free char *parent = xasprintf("%s/gone", mount);
    struct control_group group;

    (void)state;
    assert_int_equal(control_group_make(&group, parent, 4711, 1, 1), -ENOENT);
    assert_null(group.folder);
    assert_false(control_group_has_killed(&group));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_it_is_beside_our_own),
        cmocka_unit_test(test_the_topmost_may_hold_processes),
        cmocka_unit_test(test_nothing_is_made_where_nothing_was_given),
        cmocka_unit_test(test_root_asks_for_the_mark),
        cmocka_unit_test(test_limits_are_written),
        cmocka_unit_test(test_what_cannot_be_made_is_none),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
