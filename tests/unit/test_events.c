/* The table of events: complete, without doubles, and found by name. */
#include "guard/audit/events.h"
#include "tests/support/cmocka_tests.h"

#include <string.h>

static void every_row_is_found_and_has_words(void **state)
{
    size_t count;
    const struct event_row *rows = events_all(&count);

    (void)state;
    for (size_t i = 0; i < count; i++) {
        const struct event_row *found = events_find(rows[i].name);

        print_message("%s\n", rows[i].name);
        assert_non_null(rows[i].check);
        assert_true(rows[i].words != NULL && rows[i].words[0] != '\0');
        if (!rows[i].is_prefix)
            assert_ptr_equal(found, &rows[i]);
    }
}

static void no_name_stands_twice(void **state)
{
    size_t count;
    const struct event_row *rows = events_all(&count);

    (void)state;
    for (size_t i = 0; i < count; i++)
        for (size_t j = i + 1; j < count; j++)
            assert_true(strcmp(rows[i].name, rows[j].name) != 0 ||
                        rows[i].is_prefix != rows[j].is_prefix);
}

static void a_name_is_compared_by_its_text(void **state)
{
    char name[] = "os.remove";

    (void)state;
    assert_string_equal(events_find(name)->name, "os.remove");
    memcpy(name, "os.rename", sizeof(name));
    assert_string_equal(events_find(name)->name, "os.rename");
}

static void what_no_table_knows_has_no_row(void **state)
{
    static const char *const unknown[] = {
        "",      "os",    "os.", "os.remov", "os.removed", "OPEN", "pyrun.testevent",
        "socke", "ctype", NULL};

    (void)state;
    for (size_t i = 0; unknown[i] != NULL; i++)
        assert_null(events_find(unknown[i]));
}

static void a_family_has_one_row(void **state)
{
    (void)state;
    assert_ptr_equal(events_find("socket.connect")->check, check_network);
    assert_ptr_equal(events_find("socket.of_a_later_python")->check, check_network);
    assert_ptr_equal(events_find("socket.gethostname")->check, check_always);
    assert_ptr_equal(events_find("ctypes.dlsym")->check, check_native);
    assert_ptr_equal(events_find("ctypes.cdata")->check, check_never);
}

static int set_up(void **state)
{
    (void)state;
    events_init();
    events_init(); /* may be called again */
    return 0;
}

#define TABLE(test) cmocka_unit_test_setup(test, set_up)

RUN(TABLE(every_row_is_found_and_has_words), TABLE(no_name_stands_twice),
    TABLE(a_name_is_compared_by_its_text), TABLE(what_no_table_knows_has_no_row),
    TABLE(a_family_has_one_row))
