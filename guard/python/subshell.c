#include "guard/python/subshell.h"
#include "guard/link/aside.h"
#include "guard/python/attribution.h"
#include "guard/python/compat.h"
#include "guard/python/error.h"
#include "guard/python/event_loop.h"
#include "guard/python/link_end.h"
#include "guard/python/method_patch.h"
#include "guard/python/py_cleanup.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <time.h>
#include <unistd.h>

enum { WAIT_MS = 30000 }; /* for the main thread, which may be in the middle of a long call */
#define SLEEP_SECONDS 0.1
#define SLEEP_SECONDS_MAX 1e9

static struct {
    subshell_handler handle;
    PyObject *glue;                 /* safepyrun._subshells, once there is one */
    unsigned expected;              /* the number whose thread is about to begin; 0: none */
    int fd;                         /* and its socket */
    atomic_bool wants_threading;
    unsigned long idents[SHELLS_MAX]; /* of their threads; 0: none */
    unsigned hits[SHELLS_MAX];        /* how often KeyboardInterrupt was to come in the thread */
    unsigned settled[SHELLS_MAX];     /* of them, those that have come, or come too late */
    bool is_open[SHELLS_MAX];         /* the request at hand has begun, and what it has to tell is not settled */
    bool has_patched;
    uint32_t interrupted;             /* a request that was to be interrupted and is not open: it is over, or to come */
} subshells;

static void tell(unsigned number, const char *word)
{
    struct bytes part = bytes_of_string(word);

    link_end_post(&(struct frame){FRAME_SUBSHELL, number, 1, &part});
}

static double now_seconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static PyObject *load(void)
{
    if (subshells.glue == NULL)
        subshells.glue = PyImport_ImportModule("safepyrun._subshells");
    return subshells.glue;
}

static void raise_in(unsigned number)
{
    subshells.hits[number]++;
    PyThreadState_SetAsyncExc(subshells.idents[number], PyExc_KeyboardInterrupt);
}

/*
 * What is pending is raised, in a function that does nothing: taken back, it would leave the interpreter looking for it with
 * each byte code. Returns whether there was something.
 */
static bool settle(unsigned number)
{
    cleanup_py PyObject *done = NULL;
    bool has_raised = false;

    if (subshells.hits[number] != subshells.settled[number] && load() != NULL) {
        done = PyObject_CallMethod(subshells.glue, "settle", NULL);
        has_raised = done == NULL;
    }
    PyErr_Clear();
    subshells.settled[number] = subshells.hits[number];
    return has_raised;
}

void subshell_end_request(void)
{
    unsigned number = attribution_shell();

    subshells.is_open[number] = false;
    settle(number);
}

void subshell_hold(void)
{
    unsigned number = attribution_shell();

    subshells.is_open[number] = false;
    if (settle(number))
        subshells.interrupted = attribution_cell();
}

/* An interrupt that came too late for the request before has hit no other; one that came too early is not lost. */
int subshell_begin_cell(void)
{
    subshells.is_open[attribution_shell()] = true;
    if (attribution_cell() != subshells.interrupted)
        return 0;
    subshells.interrupted = 0;
    PyErr_SetNone(PyExc_KeyboardInterrupt);
    return -1;
}

/*
 * time.sleep() in the thread of a subshell: no signal ends it there, so it is done in pieces. When an interrupt has come, it
 * returns, and the exception is raised right behind the call.
 */
static PyObject *sleep_in_pieces(const struct method_call *call, void *data)
{
    unsigned number = attribution_shell();
    PyObject *seconds = call->positional == 1 ? call->args[0] : NULL;
    unsigned hits = subshells.hits[number];
    double left;

    (void)data;
    if (number == 0 || seconds == NULL || !(PyFloat_CheckExact(seconds) || PyLong_CheckExact(seconds)))
        return method_call_next(call);
    left = PyFloat_AsDouble(seconds);
    if (!(left > SLEEP_SECONDS && left < SLEEP_SECONDS_MAX)) {
        PyErr_Clear();
        return method_call_next(call); /* which knows what is wrong with it */
    }
    for (double end = now_seconds() + left; left > 0 && hits == subshells.hits[number]; left = end - now_seconds()) {
        cleanup_py PyObject *piece = PyFloat_FromDouble(left < SLEEP_SECONDS ? left : SLEEP_SECONDS);
        cleanup_py PyObject *done = piece != NULL ? method_call_next_with(call, 0, piece) : NULL;

        if (done == NULL)
            return NULL;
    }
    return py_own(Py_None);
}

/* Where it cannot be patched, a cell that sleeps is not interrupted. */
static void patch_sleep(void)
{
    cleanup_py PyObject *module = PyImport_ImportModule("time");
    cleanup_py PyObject *function = module != NULL ? PyObject_GetAttrString(module, "sleep") : NULL;

    if (function != NULL)
        method_patch(function, sleep_in_pieces, NULL);
    PyErr_Clear();
    subshells.has_patched = true;
}

/* The thread's whole life. Nobody but subshell_open() can begin one: a cell that finds this function cannot. */
static PyObject *serve(PyObject *self, PyObject *unused)
{
    unsigned number = subshells.expected;

    (void)self;
    (void)unused;
    if (number == 0 || number >= SHELLS_MAX) {
        PyErr_SetString(PyExc_RuntimeError, "no subshell is to be made");
        return NULL;
    }
    subshells.expected = 0;
    attribution_enter_shell(number);
    link_end_enter_thread(subshells.fd);
    subshells.idents[number] = compat_thread_ident();
    tell(number, "open");
    while (!link_end_is_over()) {
        struct frame frame;

        if (link_end_receive(&frame) == 0)
            subshells.handle(&frame);
        else if (link_end_is_over())
            PyErr_Clear();
        else
            error_print("waiting for the next request of a subshell");
    }
    event_loop_leave_subshell();
    subshells.idents[number] = 0;
    link_end_leave_thread();
    attribution_enter_shell(0);
    return py_own(Py_None);
}

static PyMethodDef serve_method = {"serve", serve, METH_NOARGS, NULL};

/* `threading` takes the thread that imports it for the main one. IPython has it from the start. */
void subshell_prepare(void)
{
    cleanup_py PyObject *done = NULL;

    if (!atomic_exchange(&subshells.wants_threading, false))
        return;
    if (load() != NULL)
        done = PyObject_CallMethod(subshells.glue, "prepare", NULL);
    PyErr_Clear(); /* starting will fail, and say so */
}

/* Whole: while it is being imported it stands among the modules, too. */
static bool has_threading(void)
{
    PyObject *module = PyDict_GetItemString(PyImport_GetModuleDict(), "threading");
    cleanup_py PyObject *last = module != NULL ? PyObject_GetAttrString(module, "_main_thread") : NULL;

    PyErr_Clear();
    return last != NULL;
}

static void wait_for_threading(void)
{
    static const struct timespec pause = {.tv_nsec = 1000000};

    for (int i = 0; i < WAIT_MS && !has_threading(); i++) {
        if (!atomic_exchange(&subshells.wants_threading, true))
            kill(getpid(), ASIDE_SIGNAL);
        Py_BEGIN_ALLOW_THREADS
        nanosleep(&pause, NULL);
        Py_END_ALLOW_THREADS
    }
}

void subshell_open(unsigned number, int fd)
{
    cleanup_py PyObject *function = PyCFunction_NewEx(&serve_method, NULL, NULL);
    cleanup_py PyObject *done = NULL;

    wait_for_threading();
    if (!subshells.has_patched)
        patch_sleep();
    subshells.expected = number;
    subshells.fd = fd;
    if (function != NULL && load() != NULL)
        done = PyObject_CallMethod(subshells.glue, "start", "IO", number, function);
    if (done != NULL)
        return;
    PyErr_Clear(); /* no memory, or a limit of threads */
    subshells.expected = 0;
    close(fd);
    tell(number, "failed");
}

void subshell_close(unsigned number)
{
    cleanup_py PyObject *done = NULL;

    if (load() != NULL)
        done = PyObject_CallMethod(subshells.glue, "join", "I", number);
    PyErr_Clear(); /* it never was */
    tell(number, "closed");
}

unsigned subshell_count(void)
{
    unsigned count = 0;

    for (unsigned i = 1; i < SHELLS_MAX; i++)
        count += subshells.idents[i] != 0;
    return count;
}

bool subshell_is_working(void)
{
    return attribution_works_beside();
}

/* The threads stay behind; their sockets are the copy's to lose. */
static void after_fork_in_child(void)
{
    memset(subshells.idents, 0, sizeof(subshells.idents));
    memset(subshells.is_open, 0, sizeof(subshells.is_open));
    subshells.expected = 0;
}

void subshell_set_handler(subshell_handler handler)
{
    pthread_atfork(NULL, NULL, after_fork_in_child);
    subshells.handle = handler;
}

void subshell_interrupt(uint32_t cell)
{
    int shell = attribution_find_shell(cell);

    if (shell < 0 || (shell > 0 && !subshells.is_open[shell]))
        subshells.interrupted = cell;
    else if (shell > 0 && subshells.idents[shell] != 0)
        raise_in((unsigned)shell);
}
