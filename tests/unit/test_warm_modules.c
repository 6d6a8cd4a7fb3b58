/* The word of a guard is believed for the names of the table, and for no other. */
#include "tests/support/cmocka_tests.h"

#include "guard/link/warm_modules.h"

#include <string.h>

static void names_of_the_table_come_back(void **state)
{
    cleanup_buffer struct buffer names = BUFFER_NONE;
    uint32_t bits = warm_modules_read(BYTES_LITERAL("pandas,numpy"));

    (void)state;
    assert_int_not_equal(bits, 0);
    warm_modules_write(bits, &names);
    assert_int_equal(names.size, strlen("numpy,pandas"));
    assert_memory_equal(names.data, "numpy,pandas", names.size);
}

static void others_are_passed_over(void **state)
{
    (void)state;
    assert_int_equal(warm_modules_read(BYTES_LITERAL("")), 0);
    assert_int_equal(warm_modules_read(BYTES_LITERAL(",,")), 0);
    assert_int_equal(warm_modules_read(BYTES_LITERAL("antigravity,num,numpyy,numpy.linalg,../numpy")), 0);
    assert_int_equal(warm_modules_read(BYTES_LITERAL("os,numpy\n")), 0);
    assert_int_equal(warm_modules_read(BYTES_LITERAL("evil,numpy")), warm_modules_bit("numpy", 5));
}

RUN(cmocka_unit_test(names_of_the_table_come_back), cmocka_unit_test(others_are_passed_over))
