/* Of what a keeper tells, only the guard's end is waited for, and not for long. */
#include "guard/link/template_request.h"
#include "kernel/supervisor/keeper.h"
#include "tests/support/cmocka_tests.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { GUARD = 1000000, OTHER, KEEPER, STATUS = 3 << 8 };

/* Tells of processes that end, one in ten milliseconds and for ever; of the guard first, or never. */
static pid_t start_keeper(int fd, bool tells_of_guard)
{
    static const struct timespec pause = {.tv_nsec = 10 * 1000 * 1000};
    struct template_answer news = {.pid = tells_of_guard ? GUARD : OTHER, .wait_status = STATUS, .keeper = KEEPER};
    pid_t pid = fork();

    if (pid != 0)
        return pid;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    while (write(fd, &news, sizeof(news)) == sizeof(news)) {
        news.pid = OTHER;
        nanosleep(&pause, NULL);
    }
    _exit(0);
}

static int wait_beside_others(bool tells_of_guard)
{
    struct loop *loop = loop_new();
    struct keeper keeper;
    int ends[2];
    int status;
    pid_t pid;

    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    pid = start_keeper(ends[1], tells_of_guard);
    close(ends[1]);
    keeper_open(&keeper, loop, ends[0], KEEPER);
    keeper_watch(&keeper, GUARD);
    status = keeper_wait_status(&keeper);
    keeper_close(&keeper);
    loop_free(loop);
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    return status;
}

static void the_guards_end_is_found(void **state)
{
    (void)state;
    assert_int_equal(wait_beside_others(true), STATUS);
}

/* Whoever has control of a guard can have processes end all the time. */
static void other_ends_are_not_waited_for(void **state)
{
    int64_t began = loop_now_ms();

    (void)state;
    alarm(60);
    assert_int_equal(wait_beside_others(false), SIGKILL);
    assert_true(loop_now_ms() - began < 30000);
}

RUN(cmocka_unit_test(the_guards_end_is_found), cmocka_unit_test(other_ends_are_not_waited_for))
