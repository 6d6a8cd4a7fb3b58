#include "tests/support/cmocka_tests.h"

#include "kernel/supervisor/proc.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>

enum { CHILDREN = 1800 }; /* their numbers fill more than one reading of the file */

static int compare(const void *one, const void *other)
{
    return *(const pid_t *)one - *(const pid_t *)other;
}

static pid_t start_child(void)
{
    pid_t pid = fork();

    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        pause();
        _exit(0);
    }
    return pid;
}

/* A number that is cut off belongs to somebody else: who looks here may be about to end it. */
static void finds_all_children_and_nobody_else(void **state)
{
    static pid_t children[CHILDREN];
    cleanup_buffer struct buffer found = BUFFER_NONE;

    (void)state;
    for (int i = 0; i < CHILDREN; i++) {
        children[i] = start_child();
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

RUN(cmocka_unit_test(finds_all_children_and_nobody_else))
