#include "tests/support/cmocka_tests.h"

#include "kernel/execution/queue.h"

static void requests_come_out_in_order(void **state)
{
    struct queue queue = {NULL, NULL, NULL};
    struct request requests[3] = {0};

    (void)state;
    assert_null(queue_pop(&queue));
    for (int i = 0; i < 3; i++)
        queue_push(&queue, &requests[i]);
    for (int i = 0; i < 3; i++)
        assert_ptr_equal(queue_pop(&queue), &requests[i]);
    assert_null(queue_pop(&queue));
    queue_push(&queue, &requests[1]);
    assert_ptr_equal(queue_pop(&queue), &requests[1]);
}

static void any_request_can_be_taken_out(void **state)
{
    struct queue queue = {NULL, NULL, NULL};
    struct request requests[3] = {0};

    (void)state;
    for (int i = 0; i < 3; i++)
        queue_push(&queue, &requests[i]);
    queue_remove(&queue, &requests[1]);
    assert_null(requests[1].next);
    queue_remove(&queue, &requests[2]);
    queue_push(&queue, &requests[1]); /* behind the new last one */
    assert_ptr_equal(queue_pop(&queue), &requests[0]);
    assert_ptr_equal(queue_pop(&queue), &requests[1]);
    assert_null(queue_pop(&queue));
    queue_push(&queue, &requests[0]);
    queue_remove(&queue, &requests[0]);
    assert_null(queue_pop(&queue));
}

static void requests_are_put_where_they_arrived(void **state)
{
    struct queue queue = {NULL, NULL, NULL};
    struct request requests[4] = {{.arrival = 1}, {.arrival = 2}, {.arrival = 3}, {.arrival = 4}};

    (void)state;
    queue_insert(&queue, &requests[1]);
    queue_insert(&queue, &requests[3]);
    queue_insert(&queue, &requests[0]);
    queue_insert(&queue, &requests[2]);
    assert_ptr_equal(queue.last, &requests[3]);
    for (int i = 0; i < 4; i++)
        assert_ptr_equal(queue_pop(&queue), &requests[i]);
    assert_null(queue.last);
}

static void aborting_an_empty_queue_is_nothing(void **state)
{
    struct queue queue = {NULL, NULL, NULL};

    (void)state;
    assert_int_equal(queue_abort_executes(&queue), 0);
    assert_null(queue.first);
}

RUN(cmocka_unit_test(requests_come_out_in_order),
    cmocka_unit_test(any_request_can_be_taken_out),
    cmocka_unit_test(requests_are_put_where_they_arrived),
    cmocka_unit_test(aborting_an_empty_queue_is_nothing))
