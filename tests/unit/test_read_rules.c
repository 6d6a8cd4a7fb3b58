/* Reading: what is denied stays denied by every way to it, also after the quick answer was learnt.
 */
#include "tests/support/cmocka_tests.h"

#include "guard/policy/read_rules.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>

static char directory[] = "/tmp/test_read_rules.XXXXXX";

static const char *at(const char *name)
{
    static char paths[4][PATH_MAX];
    static unsigned next;
    char *path = paths[next++ % 4];

    snprintf(path, PATH_MAX, "%s/%s", directory, name);
    return path;
}

static void put(const char *name)
{
    FILE *file = fopen(at(name), "w");

    assert_non_null(file);
    fclose(file);
}

static int make_files(void **state)
{
    (void)state;
    if (mkdtemp(directory) == NULL || mkdir(at("secret"), 0700) < 0 ||
        mkdir(at("open"), 0700) < 0 || mkdir(at("home"), 0700) < 0)
        return -1;
    put("secret/key");
    put("open/key");
    put("home/.netrc");
    put("home/notes");
    return chdir(directory);
}

static int remove_files(void **state)
{
    cleanup_free char *command = xasprintf("rm -rf %s", directory);

    (void)state;
    return system(command);
}

static struct policy *denying(void)
{
    struct policy *policy = policy_new(POLICY_WORKSPACE);

    string_list_finish(&policy->deny_read);
    string_list_add(&policy->deny_read, at("secret"));
    string_list_add(&policy->deny_read, at("home/.netrc"));
    policy_seal(policy);
    return policy;
}

static enum read_answer ask(const struct policy *policy, const char *path)
{
    char resolved[PATH_MAX];
    enum read_answer first = read_rules_ask(policy, bytes_of_string(path), AT_FDCWD, resolved);

    /* The second answer may come from what the first has taught. */
    assert_int_equal(read_rules_ask(policy, bytes_of_string(path), AT_FDCWD, resolved), first);
    return first;
}

static void denied_and_allowed(void **state)
{
    cleanup_policy struct policy *policy = denying();

    (void)state;
    assert_int_equal(ask(policy, at("secret/key")), READ_DENIED);
    assert_int_equal(ask(policy, "secret/key"), READ_DENIED);
    assert_int_equal(ask(policy, at("open/../secret/key")), READ_DENIED);
    assert_int_equal(ask(policy, at("secret")), READ_DENIED);
    assert_int_equal(ask(policy, at("home/.netrc")), READ_DENIED);
    assert_int_equal(ask(policy, at("home/notes")), READ_ALLOWED);
    assert_int_equal(ask(policy, at("open/key")), READ_ALLOWED);
    assert_int_equal(ask(policy, "open/key"), READ_ALLOWED);
    assert_int_equal(ask(policy, at("open/missing")), READ_ALLOWED);
}

static void links_are_followed(void **state)
{
    cleanup_policy struct policy *policy = denying();

    (void)state;
    assert_int_equal(ask(policy, at("open/key")), READ_ALLOWED); /* the folder is known now */
    assert_int_equal(symlink("../secret/key", at("open/link")), 0);
    assert_int_equal(symlink("../secret", at("open/folder")), 0);
    assert_int_equal(ask(policy, at("open/link")), READ_DENIED);
    assert_int_equal(ask(policy, at("open/folder")), READ_DENIED);
    assert_int_equal(ask(policy, at("open/folder/key")), READ_DENIED);
}

static void a_folder_that_is_exchanged_is_looked_at_again(void **state)
{
    cleanup_policy struct policy *policy = denying();

    (void)state;
    assert_int_equal(ask(policy, at("open/key")), READ_ALLOWED);
    assert_int_equal(ask(policy, "open/key"), READ_ALLOWED);
    assert_int_equal(rename(at("open"), at("moved")), 0);
    assert_int_equal(symlink("secret", at("open")), 0);
    assert_int_equal(ask(policy, at("open/key")), READ_DENIED);
    assert_int_equal(ask(policy, "open/key"), READ_DENIED);
    assert_int_equal(unlink(at("open")), 0);
    assert_int_equal(rename(at("moved"), at("open")), 0);
}

static void another_policy_learns_nothing_from_the_first(void **state)
{
    cleanup_policy struct policy *policy = denying();
    cleanup_policy struct policy *other = policy_new(POLICY_WORKSPACE);

    (void)state;
    string_list_add(&other->deny_read, at("open"));
    policy_seal(other);
    assert_int_equal(ask(policy, at("open/key")), READ_ALLOWED);
    assert_int_equal(ask(other, at("open/key")), READ_DENIED);
}

static void the_current_directory_counts(void **state)
{
    cleanup_policy struct policy *policy = denying();

    (void)state;
    assert_int_equal(chdir("open"), 0);
    assert_int_equal(ask(policy, "key"), READ_ALLOWED);
    assert_int_equal(chdir("../secret"), 0);
    assert_int_equal(ask(policy, "key"), READ_DENIED);
    assert_int_equal(chdir(".."), 0);
}

/* The system joins no texts of links, and needs no path of the folder that it starts in. */
static void what_only_the_system_can_follow_is_not_read(void **state)
{
    cleanup_policy struct policy *policy = denying();
    char text[3000 + 1] = "";
    char path[PATH_MAX];
    char longest[PATH_MAX + 1];

    (void)state;
    while (strlen(text) < sizeof(text) - 2)
        strcat(text, "./");
    assert_int_equal(symlink(text, at("open/long")), 0);
    snprintf(path, sizeof(path), "open/long/%.2000s../secret/key", text);
    assert_int_equal(access(path, R_OK), 0);
    assert_int_equal(ask(policy, path), READ_UNRESOLVED);

    assert_int_equal(mkdir("gone", 0700), 0);
    assert_int_equal(chdir("gone"), 0);
    assert_int_equal(rmdir(at("gone")), 0);
    assert_int_equal(access("../secret/key", R_OK), 0);
    assert_int_equal(ask(policy, "../secret/key"), READ_UNRESOLVED);
    assert_int_equal(ask(policy, at("open/key")), READ_ALLOWED);
    assert_int_equal(chdir(directory), 0);

    memset(longest, 'x', PATH_MAX);
    longest[PATH_MAX] = '\0';
    assert_int_equal(ask(policy, longest), READ_ALLOWED); /* nobody can open it */
    assert_int_equal(ask(policy, ""), READ_ALLOWED);
}

static void only_below_read_roots(void **state)
{
    cleanup_policy struct policy *policy = policy_new(POLICY_READ_ONLY);

    (void)state;
    policy->guards_reads = true;
    string_list_add(&policy->read_roots, at("open"));
    policy_add_readable(policy, "/usr");
    policy_seal(policy);
    assert_int_equal(ask(policy, at("open/key")), READ_ALLOWED);
    assert_int_equal(ask(policy, "/usr/bin"), READ_ALLOWED);
    assert_int_equal(ask(policy, at("home/notes")), READ_OUTSIDE);
    assert_int_equal(ask(policy, "/etc/passwd"), READ_OUTSIDE);
}

static void packages_are_free(void **state)
{
    cleanup_policy struct policy *policy = policy_new(POLICY_WORKSPACE);
    cleanup_policy struct policy *writable = policy_new(POLICY_WORKSPACE);

    (void)state;
    string_list_finish(&policy->ok_dests); /* "." is where the test runs */
    string_list_finish(&policy->deny_read);
    string_list_add(&policy->deny_read, at("secret"));
    policy_add_read_only(policy, at("open"));
    policy_add_read_only(policy, at("secret"));
    policy_add_read_only(policy, directory);
    policy_seal(policy);
    assert_int_equal(policy->read_free.count, 1);
    assert_int_equal(ask(policy, at("open/key")), READ_ALLOWED);
    assert_int_equal(ask(policy, at("open/../secret/key")), READ_DENIED);
    policy_add_read_only(writable, at("open"));
    policy_seal(writable);
    assert_int_equal(writable->read_free.count, 0);
}

/* Who may make none has none to read here. */
static void a_device_is_one_wherever_it_lies(void **state)
{
    cleanup_policy struct policy *policy = denying();

    (void)state;
    put("open/plain");
    assert_int_equal(ask(policy, at("open/plain")), READ_ALLOWED); /* the folder is known now */
    if (mknod(at("open/tty"), S_IFCHR | 0600, makedev(5, 0)) < 0)
        skip();
    assert_int_equal(mknod(at("open/disk"), S_IFBLK | 0600, makedev(8, 0)), 0);
    assert_int_equal(mknod(at("open/null"), S_IFCHR | 0600, makedev(1, 3)), 0);
    assert_int_equal(symlink("tty", at("open/to_tty")), 0);
    assert_int_equal(ask(policy, at("open/tty")), READ_DEVICE);
    assert_int_equal(ask(policy, at("open/disk")), READ_DEVICE);
    assert_int_equal(ask(policy, at("open/to_tty")), READ_DEVICE);
    assert_int_equal(ask(policy, at("open/null")), READ_ALLOWED);
}

/* Exit status 2: this system does not let us. */
static int look_into_a_second_proc(void)
{
    static const char *const refused[] = {"proc/1/environ", "proc/1/task/1/environ", "proc/self/mem", "proc/kmsg",
                                          "proc/self/root/etc/passwd", "proc/self/cwd/x", "proc/self/fd/0"};
    cleanup_policy struct policy *policy = denying();

    if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 || mkdir(at("proc"), 0700) < 0 ||
        mount("proc", at("proc"), "proc", 0, NULL) < 0)
        return 2;
    if (ask(policy, at("proc/self/status")) != READ_ALLOWED || ask(policy, at("proc/1/status")) != READ_ALLOWED ||
        ask(policy, at("proc/mounts")) != READ_ALLOWED)
        return 1;
    for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++)
        if (ask(policy, at(refused[i])) == READ_ALLOWED)
            return 1;
    return 0;
}

static void processes_keep_their_secrets_in_a_second_place(void **state)
{
    pid_t child = fork();
    int status;

    (void)state;
    if (child == 0)
        _exit(look_into_a_second_proc());
    assert_int_equal(waitpid(child, &status, 0), child);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 2)
        skip();
    assert_int_equal(status, 0);
}

static void processes_keep_their_secrets(void **state)
{
    cleanup_policy struct policy *policy = denying();
    char path[64];
    int ends[2];
    pid_t child;

    (void)state;
    assert_int_equal(ask(policy, "/proc/1/environ"), READ_PROCESS);
    assert_int_equal(ask(policy, "/proc/1/task/1/environ"), READ_PROCESS);
    assert_int_equal(ask(policy, "/proc/self/mem"), READ_PROCESS);
    assert_int_equal(ask(policy, "/proc/kcore"), READ_PROCESS);
    assert_int_equal(ask(policy, "/proc/self/environ"), READ_ALLOWED);
    assert_int_equal(ask(policy, "/proc/self/status"), READ_ALLOWED);
    assert_int_equal(ask(policy, "/proc/1/environ"), READ_PROCESS);

    assert_int_equal(ask(policy, "/dev/null"), READ_ALLOWED);
    assert_int_equal(ask(policy, "/dev/ptmx"), READ_DEVICE);
    assert_int_equal(ask(policy, "/proc/kmsg"), READ_DEVICE);
    assert_int_equal(ask(policy, "/dev/shm"), READ_ALLOWED);

    /* What another process has open: a pipe, whose content whoever reads takes away. */
    assert_int_equal(pipe(ends), 0);
    snprintf(path, sizeof(path), "/proc/self/fd/%d", ends[0]);
    assert_int_equal(ask(policy, path), READ_ALLOWED);
    child = fork();
    if (child == 0) {
        pause();
        _exit(0);
    }
    snprintf(path, sizeof(path), "/proc/%d/fd/%d", child, ends[0]);
    assert_int_equal(ask(policy, path), READ_UNRESOLVED);
    snprintf(path, sizeof(path), "/proc/%d/root/etc", child);
    assert_int_equal(ask(policy, path), READ_UNRESOLVED);
    kill(child, SIGKILL);
    assert_int_equal(waitpid(child, NULL, 0), child);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(denied_and_allowed),
        cmocka_unit_test(links_are_followed),
        cmocka_unit_test(a_folder_that_is_exchanged_is_looked_at_again),
        cmocka_unit_test(another_policy_learns_nothing_from_the_first),
        cmocka_unit_test(the_current_directory_counts),
        cmocka_unit_test(what_only_the_system_can_follow_is_not_read),
        cmocka_unit_test(only_below_read_roots),
        cmocka_unit_test(packages_are_free),
        cmocka_unit_test(a_device_is_one_wherever_it_lies),
        cmocka_unit_test(processes_keep_their_secrets),
        cmocka_unit_test(processes_keep_their_secrets_in_a_second_place),
    };
    return cmocka_run_group_tests(tests, make_files, remove_files);
}
