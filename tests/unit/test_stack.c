/* The end of a walk over frames: for sure only where there is memory for another frame. */
#include "guard/python/stack.h"
#include "tests/support/cmocka_tests.h"

#include <sys/resource.h>

static void the_end_is_certain_with_memory(void **state)
{
    (void)state;
    assert_true(stack_end_is_certain());
}

static void the_end_is_not_certain_without_memory(void **state)
{
    struct rlimit before;
    struct rlimit none;
    bool certain;

    (void)state;
    assert_int_equal(getrlimit(RLIMIT_AS, &before), 0);
    none = (struct rlimit){4096, before.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_AS, &none), 0);
    certain = stack_end_is_certain();
    assert_int_equal(setrlimit(RLIMIT_AS, &before), 0);
    assert_false(certain);
}

RUN(cmocka_unit_test(the_end_is_certain_with_memory), cmocka_unit_test(the_end_is_not_certain_without_memory))
