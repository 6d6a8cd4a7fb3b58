#include "guard/debug/deadline.h"

#include <Python.h>

#include <signal.h>
#include <time.h>
#include <unistd.h>

#ifndef sigev_notify_thread_id
#define sigev_notify_thread_id _sigev_un._tid /* glibc has no name for it */
#endif

static struct {
    bool exists;
    timer_t timer;
    volatile sig_atomic_t is_over;
} deadline;

/* The last real-time signal: nobody else takes it here. */
static int signal_number(void)
{
    return SIGRTMAX;
}

static void on_signal(int number)
{
    (void)number;
    deadline.is_over = true;
    PyErr_SetInterrupt();
}

static bool set_timer(long milliseconds)
{
    struct timespec time = {milliseconds / 1000, milliseconds % 1000 * 1000000};
    /* Again and again: code may catch the first one. */
    struct itimerspec setting = {.it_value = time, .it_interval = time};

    return deadline.exists && timer_settime(deadline.timer, 0, &setting, NULL) == 0;
}

/* To this very thread: what it waits in must be interrupted. */
static bool make_timer(void)
{
    struct sigevent event = {.sigev_notify = SIGEV_THREAD_ID, .sigev_signo = signal_number()};

    event.sigev_notify_thread_id = gettid();
    deadline.exists = timer_create(CLOCK_MONOTONIC, &event, &deadline.timer) == 0;
    return deadline.exists;
}

bool deadline_begin(long milliseconds)
{
    struct sigaction action = {.sa_handler = on_signal};

    deadline.is_over = false;
    if (sigaction(signal_number(), &action, NULL) < 0)
        return false;
    /* A copy of the process has no timers: what was made before the fork is gone. */
    return set_timer(milliseconds) || (make_timer() && set_timer(milliseconds));
}

bool deadline_end(void)
{
    set_timer(0);
    return deadline.is_over;
}
