#include "guard/audit/frame_writes.h"

#include "guard/audit/caller.h"
#include "guard/audit/hook.h"
#include "guard/audit/slot_patch.h"
#include "guard/python/method_patch.h"
#include "guard/python/stack.h"

/* What `f_locals` is. The layout is that of 3.13 and 3.14, in C: struct _PyFrameLocalsProxy. */
struct proxy {
    PyObject_HEAD
    PyObject *frame;
};

static struct {
    objobjargproc set_item;
    binaryfunc update;
} original;

static const struct event_row write_row = {.name = "frame.f_locals",
                                           .check = check_never,
                                           .arguments = NOTHING,
                                           .words = "set a variable of a function that is not the cell's"};

/* Whose code it is, its mark says: a host's own function, judged as a user's, may be a tool. */
static int judge(PyObject *proxy)
{
    PyObject *frame = ((struct proxy *)proxy)->frame;
    cleanup_py PyObject *code = frame != NULL ? stack_code(frame) : NULL;

    if (code != NULL && caller_is_marked_user(code))
        return 0;
    return hook_judge(&write_row, NULL);
}

static int set_item(PyObject *proxy, PyObject *name, PyObject *value)
{
    return judge(proxy) < 0 ? -1 : original.set_item(proxy, name, value);
}

static PyObject *update_in_place(PyObject *proxy, PyObject *other)
{
    return judge(proxy) < 0 ? NULL : original.update(proxy, other);
}

static PyObject *change(const struct method_call *call, void *data)
{
    (void)data;
    return judge(call->self) < 0 ? NULL : method_call_next(call);
}

/* None is needed: a generator that has not begun has a frame. */
static PyObject *sample_locals(void)
{
    cleanup_py PyObject *space = PyDict_New();
    cleanup_py PyObject *code = Py_CompileString("(unused for unused in ())", "<safepyrun>", Py_eval_input);
    cleanup_py PyObject *generator = space != NULL && code != NULL ? PyEval_EvalCode(code, space, space) : NULL;
    cleanup_py PyObject *frame = generator != NULL ? PyObject_GetAttrString(generator, "gi_frame") : NULL;

    return frame != NULL ? PyObject_GetAttrString(frame, "f_locals") : NULL;
}

static int guard_methods(PyObject *type)
{
    static const char *const names[] = {"update", "setdefault", "pop"};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        cleanup_py PyObject *method = PyObject_GetAttrString(type, names[i]);

        if (method == NULL) /* not every version has pop() */
            PyErr_Clear();
        else if (method_patch(method, change, NULL) != 0)
            return -1;
    }
    return 0;
}

int frame_writes_start(void)
{
    static bool started;
    cleanup_py PyObject *locals = NULL;
    PyObject *type;
    void *old_set_item;
    void *old_update;

    if (started)
        return 0;
    locals = sample_locals();
    if (locals == NULL)
        return -1;
    started = true;
    type = (PyObject *)Py_TYPE(locals);
    if (PyDict_CheckExact(locals)) /* up to 3.12: a copy */
        return 0;
    if (slot_patch(type, SLOT_SET_ITEM, (void *)set_item, &old_set_item) == 0 &&
        slot_patch(type, SLOT_IN_PLACE_OR, (void *)update_in_place, &old_update) == 0 &&
        guard_methods(type) == 0) {
        original.set_item = (objobjargproc)old_set_item;
        original.update = (binaryfunc)old_update;
        return 0;
    }
    PyErr_SetString(PyExc_RuntimeError, "safepyrun cannot guard f_locals on this Python");
    return -1;
}
