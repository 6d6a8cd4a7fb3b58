#include "tests/support/cmocka_tests.h"

#include "kernel/supervisor/proc.h"

#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    CHILDREN = 1800, /* their numbers fill more than one reading of the file */
    STACK_BYTES = 8192,
};

static int compare(const void *one, const void *other)
{
    return *(const pid_t *)one - *(const pid_t *)other;
}

static int wait_for_the_end(void *unused)
{
    (void)unused;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    pause();
    return 0;
}

/* With our memory: to copy it 1,800 times takes seconds under a sanitizer. */
static pid_t start_child(char *stack)
{
    return clone(wait_for_the_end, stack + STACK_BYTES, CLONE_VM | SIGCHLD, NULL);
}

/* A number that is cut off belongs to somebody else: who looks here may be about to end it. */
static void finds_all_children_and_nobody_else(void **state)
{
    static _Alignas(16) char stacks[CHILDREN][STACK_BYTES];
    static pid_t children[CHILDREN];
    cleanup_buffer struct buffer found = BUFFER_NONE;

    (void)state;
    for (int i = 0; i < CHILDREN; i++) {
        children[i] = start_child(stacks[i]);
        assert_true(children[i] > 0);
    }
    proc_children(getpid(), &found);
    for (int i = 0; i < CHILDREN; i++) {
        kill(children[i], SIGKILL);
        waitpid(children[i], NULL, 0);
    }
    assert_int_equal(found.size, sizeof(children));
    qsort(children, CHILDREN, sizeof(pid_t), compare);
    qsort(found.data, CHILDREN, sizeof(pid_t), compare);
    assert_memory_equal(found.data, children, sizeof(children));
}

/* What limits and ends processes by these facts must not take another's for them. */
static void tells_about_a_process_until_it_is_gone(void **state)
{
    static _Alignas(16) char stack[STACK_BYTES];
    struct proc_times times = {0};
    pid_t child;

    (void)state;
    prctl(PR_SET_NAME, "a) S 1 (b");
    child = start_child(stack);
    assert_true(child > 0);
    assert_int_equal(proc_parent(child), getpid());
    assert_true(proc_times(child, &times));
    assert_true(times.started_ticks > 0);
    assert_int_equal(times.tasks, 1);
    assert_true(proc_cpu_ns(getpid()) > 0);
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    assert_int_equal(proc_parent(child), 0);
    assert_false(proc_times(child, &times));
    assert_int_equal(proc_cpu_ns(child), 0);
    assert_int_equal(proc_cpu_ns(0), 0); /* not our own */
}

RUN(cmocka_unit_test(tells_about_a_process_until_it_is_gone), cmocka_unit_test(finds_all_children_and_nobody_else))
