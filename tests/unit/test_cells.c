#include "tests/support/cmocka_tests.h"

#include "kernel/execution/cells.h"

static void a_number_finds_its_header(void **state)
{
    struct cells *cells = cells_new();
    uint32_t one = cells_add(cells, BYTES_LITERAL("{\"a\":1}"), false);
    uint32_t two = cells_add(cells, BYTES_LITERAL("{\"b\":2}"), true);

    (void)state;
    assert_int_not_equal(one, two);
    assert_true(bytes_equal_string(buffer_bytes(&cells_find(cells, one)->header), "{\"a\":1}"));
    assert_true(cells_find(cells, two)->silent);
    cells_free(cells);
}

static void a_number_never_given_out_is_unknown(void **state)
{
    struct cells *cells = cells_new();

    (void)state;
    assert_null(cells_find(cells, 1));
    assert_false(cells_is_known(cells, 0));
    cells_add(cells, BYTES_LITERAL("{}"), false);
    assert_true(cells_is_known(cells, 1));
    assert_false(cells_is_known(cells, 2));
    cells_free(cells);
}

static void output_of_a_forgotten_cell_goes_to_the_newest(void **state)
{
    struct cells *cells = cells_new();
    uint32_t first = cells_add(cells, BYTES_LITERAL("{\"first\":1}"), false);

    (void)state;
    for (int i = 0; i < CELLS_KEPT; i++)
        cells_add(cells, BYTES_LITERAL("{}"), false);
    assert_true(cells_is_known(cells, first));
    assert_int_equal(cells_find(cells, first)->number, cells->last);
    cells_free(cells);
}

RUN(cmocka_unit_test(a_number_finds_its_header),
    cmocka_unit_test(a_number_never_given_out_is_unknown),
    cmocka_unit_test(output_of_a_forgotten_cell_goes_to_the_newest))
