/* Which cells speak to the kernel process, and which only look so. */
#include "tests/support/cmocka_tests.h"

#include "kernel/execution/session_command.h"

#include <string.h>

static struct session_command_found find(const char *code)
{
    return session_command_find((struct bytes){code, strlen(code)});
}

static void rewind_counts_cells(void **state)
{
    (void)state;
    assert_int_equal(find("%rewind").command, COMMAND_REWIND);
    assert_int_equal(find("%rewind").cells, 1);
    assert_int_equal(find(" \n%rewind 12\n").cells, 12);
    assert_int_equal(find("%rewind 0").command, COMMAND_NONE);
    assert_int_equal(find("%rewind -1").command, COMMAND_NONE);
    assert_int_equal(find("%rewind 99999999999999999999").command, COMMAND_NONE);
    assert_int_equal(find("%rewind 1\nx = 2").command, COMMAND_NONE);
    assert_int_equal(find("%rewinder").command, COMMAND_NONE);
}

static void reset_stands_alone(void **state)
{
    (void)state;
    assert_int_equal(find("%guard reset").command, COMMAND_RESET);
    assert_int_equal(find("%guard  reset \n").command, COMMAND_RESET);
    assert_int_equal(find("%guard status").command, COMMAND_NONE);
    assert_int_equal(find("%guard reset now").command, COMMAND_NONE);
    assert_int_equal(find("x = 1\n%guard reset").command, COMMAND_NONE);
}

static void trials_have_a_body(void **state)
{
    struct session_command_found line = find("%trial x = 1 ");
    struct session_command_found cell = find("%%trial\nx = 1\ny = 2");

    (void)state;
    assert_int_equal(line.command, COMMAND_TRIAL);
    assert_memory_equal(line.body.data, "x = 1", line.body.size);
    assert_int_equal(line.body.size, 5);
    assert_int_equal(cell.command, COMMAND_TRIAL);
    assert_int_equal(cell.body.size, 12); /* from the end of the first line: numbers of lines stay */
    assert_memory_equal(cell.body.data, "\nx = 1\ny = 2", 12);
    assert_int_equal(find("%%trial").body.size, 0);
    assert_int_equal(find("%trials").command, COMMAND_NONE);
}

static void ordinary_cells_are_none(void **state)
{
    (void)state;
    assert_int_equal(find("").command, COMMAND_NONE);
    assert_int_equal(find("1 + 1").command, COMMAND_NONE);
    assert_int_equal(find("%").command, COMMAND_NONE);
    assert_int_equal(session_command_find((struct bytes){"\0%rewind", 8}).command, COMMAND_NONE);
}

RUN(cmocka_unit_test(rewind_counts_cells), cmocka_unit_test(reset_stands_alone),
    cmocka_unit_test(trials_have_a_body), cmocka_unit_test(ordinary_cells_are_none))
