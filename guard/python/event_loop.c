#include "guard/python/event_loop.h"
#include "guard/python/attribution.h"
#include "guard/python/interrupt.h"
#include "guard/python/py_cleanup.h"

static struct {
    PyObject *glue; /* safepyrun._aio, NULL until somebody wants a loop */
    PyObject *canceller;
} event_loop;

/* Half imported, asyncio stays so: Python finds its modules and misses their names in the package. */
static int import_whole(void)
{
    enum interrupt_state before = interrupt_hold();

    event_loop.glue = PyImport_ImportModule("safepyrun._aio");
    return interrupt_release(before) < 0 || event_loop.glue == NULL ? -1 : 0;
}

static int load(void)
{
    if (event_loop.glue != NULL && event_loop.canceller != NULL)
        return 0;
    if (import_whole() < 0)
        return -1;
    event_loop.canceller = PyObject_GetAttrString(event_loop.glue, "interrupt");
    if (event_loop.canceller == NULL)
        return -1;
    interrupt_set_canceller(event_loop.canceller);
    return 0;
}

static bool is_imported(void)
{
    return PyDict_GetItemString(PyImport_GetModuleDict(), "asyncio") != NULL;
}

static bool is_wanted(PyObject *source)
{
    cleanup_py PyObject *name = NULL;
    bool wanted;

    if (event_loop.glue != NULL || is_imported())
        return true;
    name = PyUnicode_FromString("asyncio");
    wanted = name != NULL && PyUnicode_Contains(source, name) == 1;
    PyErr_Clear(); /* in doubt there is no loop */
    return wanted;
}

int event_loop_enter(PyObject *source, bool *ret_entered)
{
    cleanup_py PyObject *result = NULL;

    *ret_entered = false;
    if (attribution_shell() != 0 || !is_wanted(source))
        return 0;
    if (load() < 0)
        return -1;
    result = PyObject_CallMethod(event_loop.glue, "enter", NULL);
    *ret_entered = result == Py_True;
    return result != NULL ? 0 : -1;
}

int event_loop_enter_callback(bool *ret_entered)
{
    bool is_main = attribution_shell() == 0;
    cleanup_py PyObject *result = NULL;

    *ret_entered = false;
    if (event_loop.glue == NULL && (!is_main || !is_imported()))
        return 0;
    if (load() < 0)
        return -1;
    result = PyObject_CallMethod(event_loop.glue, is_main ? "enter" : "enter_beside", NULL);
    *ret_entered = result == Py_True;
    return result != NULL ? 0 : -1;
}

/* The cell's own exception is kept over the call. */
void event_loop_leave(void)
{
    PyObject *type;
    PyObject *value;
    PyObject *traceback;
    cleanup_py PyObject *result = NULL;

    PyErr_Fetch(&type, &value, &traceback);
    result = PyObject_CallMethod(event_loop.glue, "leave", NULL);
    PyErr_Restore(type, value, traceback);
}

void event_loop_leave_subshell(void)
{
    cleanup_py PyObject *result = NULL;

    if (event_loop.glue != NULL)
        result = PyObject_CallMethod(event_loop.glue, "leave_subshell", NULL);
    PyErr_Clear(); /* a cell runs it in another thread, or has broken it */
}

PyObject *event_loop_run(PyObject *steps)
{
    enum interrupt_state before;
    PyObject *value;

    if (load() < 0)
        return NULL;
    if (attribution_shell() != 0)
        return PyObject_CallMethod(event_loop.glue, "run_in_subshell", "(O)", steps);
    before = interrupt_set(INTERRUPT_CANCELS);
    value = PyObject_CallMethod(event_loop.glue, "run_cell", "(O)", steps);
    interrupt_set(before);
    return value;
}

PyObject *event_loop_get(void)
{
    return load() < 0 ? NULL : PyObject_CallMethod(event_loop.glue, "loop", NULL);
}

bool event_loop_is_loaded(void)
{
    return event_loop.glue != NULL;
}

int event_loop_idle(int fd)
{
    cleanup_py PyObject *result = PyObject_CallMethod(event_loop.glue, "idle", "i", fd);

    return result != NULL ? 0 : -1;
}

void event_loop_thaw(void)
{
    cleanup_py PyObject *result = NULL;

    if (event_loop.glue != NULL)
        result = PyObject_CallMethod(event_loop.glue, "thaw", NULL);
    PyErr_Clear(); /* a cell has broken the loop: awaiting will tell */
}

void event_loop_finish(void)
{
    cleanup_py PyObject *result = NULL;

    if (event_loop.glue != NULL)
        result = PyObject_CallMethod(event_loop.glue, "finish", NULL);
    PyErr_Clear(); /* the process ends */
}
