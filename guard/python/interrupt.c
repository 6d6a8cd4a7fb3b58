#include "guard/python/interrupt.h"
#include "guard/python/attribution.h"
#include "guard/python/link_end.h"
#include "guard/python/py_cleanup.h"
#include "guard/python/subshell.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <unistd.h>

/* Written by the signal handler in C. */
static struct {
    int link_fd;
    int wake_fd; /* eventfd */
    volatile sig_atomic_t frame_taken;
    volatile sig_atomic_t meant_for_next;
    volatile uint32_t over; /* the last request for which an interrupt comes too late; 0: none */
    struct sigaction python; /* Python's own handler, which notes that ours in Python is due */
} arrival = {.link_fd = -1, .wake_fd = -1};

static struct {
    enum interrupt_state state;
    bool has_held;    /* one came while it was to wait */
    PyObject *canceller;
    PyObject *handler;
    PyObject *get_handler; /* _signal.getsignal and _signal.signal as they were at start */
    PyObject *set_handler;
} interrupt;

static PyObject *handle(PyObject *self, PyObject *args)
{
    cleanup_py PyObject *answer = NULL;

    (void)self;
    (void)args;
    if (interrupt.state == INTERRUPT_IGNORED)
        return py_own(Py_None);
    if (!link_end_is_detached())
        link_end_post(&(struct frame){FRAME_INTERRUPTED, 0, 0, NULL});
    if (interrupt.state == INTERRUPT_HELD) {
        interrupt.has_held = true;
        return py_own(Py_None);
    }
    if (interrupt.state == INTERRUPT_CANCELS && interrupt.canceller != NULL) {
        answer = PyObject_CallFunctionObjArgs(interrupt.canceller, NULL);
        if (answer == NULL)
            return NULL;
        if (!PyObject_IsTrue(answer))
            return py_own(Py_None);
    }
    PyErr_SetNone(PyExc_KeyboardInterrupt);
    return NULL;
}

void interrupt_watch_link(int link_fd)
{
    arrival.link_fd = link_fd;
}

void interrupt_frame_taken(bool taken)
{
    arrival.frame_taken = taken;
}

int interrupt_wake_fd(void)
{
    return arrival.wake_fd;
}

void interrupt_clear_wake(void)
{
    uint64_t count;

    (void)!read(arrival.wake_fd, &count, sizeof(count));
}

void interrupt_wake(void)
{
    (void)!write(arrival.wake_fd, &(uint64_t){1}, sizeof(uint64_t));
}

/* The kernel process says for which request; on a crowded machine the next one may be there before the signal is. */
static bool is_too_late(const siginfo_t *info)
{
    return info->si_code == SI_QUEUE && arrival.over != 0 && (uint32_t)info->si_value.sival_int == arrival.over;
}

/* Nothing here but what a signal handler may do: poll() and write() are on the list. */
static void note_arrival(int number, siginfo_t *info, void *context)
{
    struct pollfd poll_fd = {.fd = arrival.link_fd, .events = POLLIN};
    int error = errno;

    (void)context;
    if (is_too_late(info))
        return;
    if (interrupt.state == INTERRUPT_IGNORED && (arrival.frame_taken || poll(&poll_fd, 1, 0) > 0))
        arrival.meant_for_next = true;
    arrival.python.sa_handler(number);
    interrupt_wake(); /* after Python knows */
    errno = error;
}

static PyMethodDef handler_method = {"interrupt", handle, METH_VARARGS, NULL};

static int install(void)
{
    cleanup_py PyObject *before =
        PyObject_CallFunction(interrupt.set_handler, "iO", SIGINT, interrupt.handler);
    struct sigaction ours;

    if (before == NULL || sigaction(SIGINT, NULL, &arrival.python) < 0)
        return -1;
    ours = arrival.python;
    ours.sa_sigaction = note_arrival;
    ours.sa_flags |= SA_SIGINFO;
    return sigaction(SIGINT, &ours, NULL);
}

int interrupt_start(void)
{
    cleanup_py PyObject *module = PyImport_ImportModule("_signal");
    sigset_t interrupts;

    if (module == NULL)
        return -1;
    arrival.wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (arrival.wake_fd < 0) {
        PyErr_SetFromErrno(PyExc_OSError);
        return -1;
    }
    interrupt.get_handler = PyObject_GetAttrString(module, "getsignal");
    interrupt.set_handler = PyObject_GetAttrString(module, "signal");
    interrupt.handler = PyCFunction_NewEx(&handler_method, NULL, NULL);
    if (interrupt.get_handler == NULL || interrupt.set_handler == NULL || interrupt.handler == NULL)
        return -1;
    sigemptyset(&interrupts);
    sigaddset(&interrupts, SIGINT);
    sigprocmask(SIG_UNBLOCK, &interrupts, NULL);
    return install();
}

int interrupt_begin_cell(void)
{
    if (attribution_shell() != 0)
        return subshell_begin_cell();
    interrupt.state = INTERRUPT_RAISES;
    if (!arrival.meant_for_next)
        return 0;
    arrival.meant_for_next = false;
    PyErr_SetNone(PyExc_KeyboardInterrupt);
    return -1;
}

void interrupt_end_request(void)
{
    if (attribution_shell() != 0) {
        subshell_end_request();
        return;
    }
    interrupt.state = INTERRUPT_IGNORED;
    if (attribution_running_cell() != 0)
        arrival.over = attribution_running_cell();
    arrival.frame_taken = false;
    arrival.meant_for_next = false;
}

void interrupt_begin_request(void)
{
    cleanup_py PyObject *current = NULL;

    if (PyErr_CheckSignals() < 0)
        PyErr_Clear(); /* a handler of an earlier cell: its cell is over */
    current = PyObject_CallFunction(interrupt.get_handler, "i", SIGINT);
    if (current == interrupt.handler)
        return;
    if (current == NULL || install() < 0)
        PyErr_Clear(); /* the cell runs all the same; the kernel process has stronger means */
}

void interrupt_take_over_exception(void)
{
    PyObject *type;
    PyObject *value;
    PyObject *traceback;

    PyErr_Fetch(&type, &value, &traceback);
    if (PyErr_CheckSignals() == 0) {
        PyErr_Restore(type, value, traceback);
        return;
    }
    Py_XDECREF(type);
    Py_XDECREF(value);
    Py_XDECREF(traceback);
}

enum interrupt_state interrupt_set(enum interrupt_state state)
{
    enum interrupt_state before = interrupt.state;

    if (attribution_shell() == 0)
        interrupt.state = state;
    return before;
}

enum interrupt_state interrupt_hold(void)
{
    if (attribution_shell() != 0)
        subshell_hold();
    else if (interrupt.state != INTERRUPT_IGNORED && attribution_is_main_thread()) /* a thread of a cell's meets no signal */
        return interrupt_set(INTERRUPT_HELD);
    return INTERRUPT_IGNORED;
}

int interrupt_release(enum interrupt_state before)
{
    if (attribution_shell() != 0)
        return subshell_begin_cell();
    if (before == INTERRUPT_IGNORED)
        return 0;
    interrupt.state = before;
    if (!interrupt.has_held)
        return 0;
    interrupt.has_held = false;
    PyErr_SetNone(PyExc_KeyboardInterrupt);
    return -1;
}

void interrupt_set_canceller(PyObject *callable)
{
    interrupt.canceller = callable;
}
