/* Where a path lies once '.', '..', links, a directory descriptor and a missing tail are resolved.
 */
#include "guard/policy/write_roots.h"
#include "tests/support/cmocka_tests.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A folder of the test's own: root/ (with sub/, .git/, packages/), outside/, and links between
 * them. */
struct place {
    char base[PATH_MAX];
    int start; /* where the process was */
    struct write_roots *roots;
};

static int set_up(void **state)
{
    static struct place place;
    char folder[] = "/tmp/test_write_roots.XXXXXX";
    struct string_list roots = {NULL, 0};
    struct string_list names = {NULL, 0};
    struct string_list packages = {NULL, 0};

    place.start = open(".", O_RDONLY | O_DIRECTORY);
    assert_non_null(mkdtemp(folder));
    assert_non_null(realpath(folder, place.base));
    assert_int_equal(chdir(place.base), 0);
    mkdir("root", 0700);
    mkdir("root/sub", 0700);
    mkdir("root/.git", 0700);
    mkdir("root/packages", 0700);
    mkdir("outside", 0700);
    assert_int_equal(symlink("../outside", "root/way_out"), 0);
    assert_int_equal(symlink("../outside/file", "root/dangling"), 0);
    assert_int_equal(symlink("root", "way_in"), 0);
    assert_int_equal(symlink("../root/way_out", "outside/round"), 0);
    assert_int_equal(symlink("loop", "root/loop"), 0);
    assert_int_equal(symlink(".git", "root/other_name"), 0);
    assert_int_equal(symlink("/proc/self/fd/0", "root/descriptor"), 0);
    assert_int_equal(chdir("root"), 0);
    string_list_add(&roots, ".");
    string_list_add(&names, ".git");
    string_list_add(&packages, "packages");
    place.roots = write_roots_new(&roots);
    write_roots_protect(place.roots, &names);
    write_roots_exclude(place.roots, &packages);
    string_list_finish(&roots);
    string_list_finish(&names);
    string_list_finish(&packages);
    *state = &place;
    return 0;
}

static int tear_down(void **state)
{
    struct place *place = *state;
    char command[PATH_MAX + 16];

    write_roots_free(place->roots);
    if (fchdir(place->start) < 0)
        return -1;
    close(place->start);
    snprintf(command, sizeof(command), "rm -rf '%s'", place->base);
    return system(command);
}

static enum write_roots_answer ask(const struct place *place, const char *path)
{
    char resolved[PATH_MAX];

    return write_roots_ask(place->roots, bytes_of_string(path), AT_FDCWD, PATH_FOLLOW_LAST,
                           resolved);
}

static void paths_are_resolved_before_they_are_compared(void **state)
{
    static const struct {
        const char *path;
        enum write_roots_answer answer;
    } cases[] = {
        {".", ROOTS_INSIDE},
        {"file", ROOTS_INSIDE},
        {"./sub//./file", ROOTS_INSIDE},
        {"missing/deeper/file", ROOTS_INSIDE},
        {"sub/../file", ROOTS_INSIDE},
        {"..", ROOTS_OUTSIDE},
        {"../outside/file", ROOTS_OUTSIDE},
        {"../rootless", ROOTS_OUTSIDE},
        {"sub/../../outside", ROOTS_OUTSIDE},
        {"missing/../../outside", ROOTS_OUTSIDE},
        {"../way_in/file", ROOTS_INSIDE},
        {"way_out", ROOTS_OUTSIDE},
        {"way_out/file", ROOTS_OUTSIDE},
        {"way_out/../root/file", ROOTS_INSIDE},
        {"dangling", ROOTS_OUTSIDE},
        {"/", ROOTS_OUTSIDE},
        {"/etc/passwd", ROOTS_OUTSIDE},
        {"loop", ROOTS_UNRESOLVED},
        {"", ROOTS_UNRESOLVED},
        {".git", ROOTS_PROTECTED},
        {".git/config", ROOTS_PROTECTED},
        {"sub/.git/config", ROOTS_PROTECTED},
        {"other_name/config", ROOTS_PROTECTED},
        {".github", ROOTS_INSIDE},
        {"packages/module.py", ROOTS_PROTECTED},
        {"packages.txt", ROOTS_INSIDE},
        {"/dev/null", ROOTS_DEVICE},
        {"/dev/../dev/null", ROOTS_DEVICE},
        {"/proc/self/fd/0", ROOTS_DESCRIPTOR},
        {"/dev/fd/0", ROOTS_DESCRIPTOR},
        {"/dev/stdin", ROOTS_DESCRIPTOR},
        {"/proc/self/cwd/file", ROOTS_DESCRIPTOR},
        {"/proc/self/root/etc/passwd", ROOTS_DESCRIPTOR},
        {"descriptor", ROOTS_DESCRIPTOR},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        print_message("%s\n", cases[i].path);
        assert_int_equal(ask(*state, cases[i].path), cases[i].answer);
    }
}

static void a_last_link_is_kept_where_the_operation_keeps_it(void **state)
{
    struct place *place = *state;
    char resolved[PATH_MAX];

    assert_int_equal(
        write_roots_ask(place->roots, BYTES_LITERAL("way_out"), AT_FDCWD, PATH_KEEP_LAST, resolved),
        ROOTS_INSIDE);
    assert_string_equal(resolved + strlen(place->base), "/root/way_out");
    /* A slash behind it asks for what it leads to. */
    assert_int_equal(write_roots_ask(place->roots, BYTES_LITERAL("way_out/"), AT_FDCWD,
                                     PATH_KEEP_LAST, resolved),
                     ROOTS_OUTSIDE);
}

static void what_cells_can_swap_is_on_the_way(void **state)
{
    static const struct {
        const char *path;
        bool on_the_way;
    } cases[] = {
        {"/etc/passwd", false},
        {"../outside/file", false},
        {"sub/x.so", true},
        {"way_out/file", true}, /* leads out now */
        {"../outside/round/file", true}, /* by way of the same link */
        {"/proc/self/cwd/x.so", true},
        {"/proc/self/fd/0", true},
        {"packages/x.so", false},
        {"/dev/fd/0", true},
        {"loop", true},
    };
    struct place *place = *state;
    char moved[PATH_MAX + 16];

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        print_message("%s\n", cases[i].path);
        assert_int_equal(
            write_roots_are_on_the_way(place->roots, bytes_of_string(cases[i].path)),
            cases[i].on_the_way);
    }
    snprintf(moved, sizeof(moved), "%s/root/file", place->base);
    assert_int_equal(chdir("sub"), 0);
    assert_int_equal(write_roots_ask(place->roots, bytes_of_string(moved), AT_FDCWD,
                                     PATH_FOLLOW_LAST, (char[PATH_MAX]){""}),
                     ROOTS_OUTSIDE);
    assert_true(write_roots_ever_cover(place->roots, moved)); /* "." was there */
}

static void a_protected_name_stays_so_for_who_steps_into_it(void **state)
{
    struct place *place = *state;

    assert_int_equal(chdir(".git"), 0);
    assert_int_equal(ask(place, "config"), ROOTS_PROTECTED);
    assert_int_equal(ask(place, "hooks/x"), ROOTS_PROTECTED);
    assert_int_equal(ask(place, "."), ROOTS_PROTECTED);
}

static void what_paths_share_is_looked_at_once(void **state)
{
    struct string_list links = {NULL, 0};
    struct path_notes notes = {.links = &links};
    struct path_notes anew = {.links = NULL};
    char first[PATH_MAX];
    char second[PATH_MAX];
    bool magic;

    (void)state;
    assert_int_equal(path_resolve_noting(BYTES_LITERAL("way_out/one"), &notes, first, &magic), 0);
    assert_int_equal(path_resolve_noting(BYTES_LITERAL("way_out/two"), &notes, second, &magic), 0);
    assert_int_equal(links.count, 2); /* a link is no place that is known */
    assert_string_equal(strrchr(first, '/'), "/one");
    assert_string_equal(strrchr(second, '/'), "/two");
    assert_int_equal(strrchr(first, '/') - first, strrchr(second, '/') - second);
    assert_int_equal(path_resolve_noting(BYTES_LITERAL("sub/one"), &notes, first, &magic), 0);
    assert_int_equal(rename("sub", "submarine"), 0);
    assert_int_equal(symlink("../outside", "sub"), 0);
    assert_int_equal(path_resolve_noting(BYTES_LITERAL("sub/two"), &notes, second, &magic), 0);
    assert_int_equal(strncmp(first, second, strlen(first) - strlen("one")), 0);
    assert_int_equal(path_resolve_noting(BYTES_LITERAL("submarine"), &notes, first, &magic), 0);
    assert_string_equal(strrchr(first, '/'), "/submarine"); /* not what it begins with */
    assert_int_equal(path_resolve_noting(BYTES_LITERAL("sub/two"), &anew, second, &magic), 0);
    assert_non_null(strstr(second, "/outside/two"));
    string_list_finish(&links);
}

static void a_relative_name_starts_at_its_directory(void **state)
{
    struct place *place = *state;
    int outside = open("../outside", O_RDONLY | O_DIRECTORY);
    int file = open("/dev/null", O_RDONLY);
    char resolved[PATH_MAX];

    assert_int_equal(
        write_roots_ask(place->roots, BYTES_LITERAL("file"), outside, PATH_FOLLOW_LAST, resolved),
        ROOTS_OUTSIDE);
    assert_int_equal(write_roots_ask(place->roots, BYTES_LITERAL("../root/file"), outside,
                                     PATH_FOLLOW_LAST, resolved),
                     ROOTS_INSIDE);
    close(outside);
    close(file);
    assert_int_equal(
        write_roots_ask(place->roots, BYTES_LITERAL("file"), outside, PATH_FOLLOW_LAST, resolved),
        ROOTS_UNRESOLVED);
}

static void bytes_that_no_path_can_have_are_not_resolved(void **state)
{
    struct place *place = *state;
    char resolved[PATH_MAX];
    char path[2 * PATH_MAX];

    assert_int_equal(write_roots_ask(place->roots, BYTES_LITERAL("file\0.txt"), AT_FDCWD,
                                     PATH_FOLLOW_LAST, resolved),
                     ROOTS_UNRESOLVED);
    memset(path, 'x', sizeof(path));
    for (size_t i = 100; i < sizeof(path); i += 100)
        path[i] = '/';
    assert_int_equal(write_roots_ask(place->roots, (struct bytes){path, sizeof(path)}, AT_FDCWD,
                                     PATH_FOLLOW_LAST, resolved),
                     ROOTS_UNRESOLVED);
    assert_int_equal(write_roots_ask(place->roots, (struct bytes){path, PATH_MAX - 1}, AT_FDCWD,
                                     PATH_FOLLOW_LAST, resolved),
                     ROOTS_UNRESOLVED); /* fits alone, but not behind the current directory */
    memset(path, 'x', NAME_MAX + 1);
    assert_int_equal(write_roots_ask(place->roots, (struct bytes){path, NAME_MAX + 1}, AT_FDCWD,
                                     PATH_FOLLOW_LAST, resolved),
                     ROOTS_INSIDE); /* some file systems take more; the others say so */
    assert_int_equal(write_roots_ask(place->roots, BYTES_LITERAL("\xff\xfe\n"), AT_FDCWD,
                                     PATH_FOLLOW_LAST, resolved),
                     ROOTS_INSIDE);
}

static void the_dot_moves_with_the_process(void **state)
{
    struct place *place = *state;
    char outside[PATH_MAX + 16];

    assert_int_equal(chdir("../outside"), 0);
    assert_int_equal(ask(place, "file"), ROOTS_INSIDE);
    assert_int_equal(ask(place, "../root/file"), ROOTS_OUTSIDE);
    snprintf(outside, sizeof(outside), "%s/outside", place->base);
    assert_true(write_roots_is_root(place->roots, outside));
    snprintf(outside, sizeof(outside), "%s/root", place->base);
    assert_true(write_roots_cover_start(place->roots, outside));
    assert_int_equal(chdir("../root"), 0);
}

/* A link that is swapped while it is asked about leads chdir() out: one step, and not all that lies there. */
static void the_dot_of_a_guard_stays_below_its_start(void **state)
{
    struct place *place = *state;

    write_roots_stay(place->roots);
    assert_int_equal(chdir("sub"), 0);
    assert_int_equal(ask(place, "file"), ROOTS_INSIDE);
    assert_int_equal(ask(place, "../file"), ROOTS_OUTSIDE);
    assert_int_equal(chdir("../../outside"), 0);
    assert_int_equal(ask(place, "file"), ROOTS_OUTSIDE);
    assert_int_equal(chdir("../root"), 0);
    assert_int_equal(ask(place, "file"), ROOTS_INSIDE);
}

static void a_folder_above_packages_is_known(void **state)
{
    struct place *place = *state;
    char path[PATH_MAX + 32];

    snprintf(path, sizeof(path), "%s/root", place->base);
    assert_true(write_roots_hold_excluded(place->roots, path));
    snprintf(path, sizeof(path), "%s/root/sub", place->base);
    assert_false(write_roots_hold_excluded(place->roots, path));
}

static void a_description_never_runs_over(void **state)
{
    struct place *place = *state;
    char text[4] = "zzz";

    write_roots_describe(place->roots, text, sizeof(text));
    assert_string_equal(text, "'.'");
    write_roots_describe(place->roots, text, 3);
    assert_string_equal(text, "'.");
    write_roots_describe(place->roots, text, 0);
}

static void the_root_of_all_covers_everything(void **state)
{
    struct string_list paths = {NULL, 0};
    struct write_roots *roots;

    (void)state;
    string_list_add(&paths, "/");
    roots = write_roots_new(&paths);
    assert_true(write_roots_cover(roots, "/"));
    assert_true(write_roots_cover(roots, "/etc/passwd"));
    assert_true(write_roots_is_root(roots, "/"));
    write_roots_free(roots);
    string_list_finish(&paths);
    write_roots_free(NULL);
}

#define IN_PLACE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

RUN(IN_PLACE(paths_are_resolved_before_they_are_compared),
    IN_PLACE(a_last_link_is_kept_where_the_operation_keeps_it),
    IN_PLACE(what_cells_can_swap_is_on_the_way), IN_PLACE(what_paths_share_is_looked_at_once),
    IN_PLACE(a_relative_name_starts_at_its_directory),
    IN_PLACE(bytes_that_no_path_can_have_are_not_resolved),
    IN_PLACE(the_dot_moves_with_the_process), IN_PLACE(a_folder_above_packages_is_known),
    IN_PLACE(a_description_never_runs_over), IN_PLACE(the_dot_of_a_guard_stays_below_its_start),
    IN_PLACE(a_protected_name_stays_so_for_who_steps_into_it), cmocka_unit_test(the_root_of_all_covers_everything))
