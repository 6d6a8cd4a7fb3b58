#include "guard/audit/finalizers.h"

#include "guard/audit/class_parts.h"
#include "guard/audit/slot_patch.h"
#include "guard/audit/tools.h"
#include "guard/link/bytes.h"
#include "guard/link/cleanup.h"

#include <stdint.h>
#include <stdlib.h>

typedef void (*release_function)(PyObject *self, Py_buffer *buffer);

/* What stood in a slot of a class. A class that is gone leaves its row behind, for the next one at its place. */
struct row {
    PyTypeObject *type; /* compared only */
    destructor finalize;
    release_function release;
};

static struct {
    bool started;
    struct row *rows; /* open addressing; `room` is a power of two */
    size_t count;
    size_t room;
} state;

/* ---- what stood there ------------------------------------------------------------------------ */

static struct row *place_of(PyTypeObject *type)
{
    size_t at = ((uintptr_t)type >> 4) * 0x9E3779B97F4A7C15u;

    for (at &= state.room - 1; state.rows[at].type != NULL && state.rows[at].type != type;)
        at = (at + 1) & (state.room - 1);
    return &state.rows[at];
}

static void grow(void)
{
    struct row *old = state.rows;
    size_t room = state.room;

    state.room = room > 0 ? 2 * room : 256;
    state.rows = xcalloc(state.room, sizeof(*state.rows));
    for (size_t i = 0; i < room; i++)
        if (old[i].type != NULL)
            *place_of(old[i].type) = old[i];
    free(old);
}

static struct row *row_of(PyTypeObject *type)
{
    struct row *row;

    if (2 * (state.count + 1) > state.room)
        grow();
    row = place_of(type);
    state.count += row->type == NULL;
    row->type = type;
    return row;
}

static void finalize_apart(PyObject *self);
static void release_apart(PyObject *self, Py_buffer *buffer);

/* Slots are inherited in the order of the classes above. A row counts while the slot is ours: one that is left of a class
   that is gone knows nothing of the class at its place, and what it names takes another layout for granted. */
static struct row inherited(PyTypeObject *type)
{
    cleanup_py PyObject *mro = class_mro(type);
    struct row found = {.type = type};

    for (Py_ssize_t i = 0; mro != NULL && i < PyTuple_Size(mro); i++) {
        PyTypeObject *above = (PyTypeObject *)PyTuple_GetItem(mro, i);
        const struct row *row = place_of(above);

        if (found.finalize == NULL && PyType_GetSlot(above, Py_tp_finalize) == (void *)finalize_apart)
            found.finalize = row->finalize;
        if (found.release == NULL && PyType_GetSlot(above, Py_bf_releasebuffer) == (void *)release_apart)
            found.release = row->release;
    }
    return found;
}

/* ---- what stands there now ------------------------------------------------------------------- */

static void finalize_apart(PyObject *self)
{
    destructor original = place_of(Py_TYPE(self))->finalize;
    const void *before;

    if (original == NULL)
        original = inherited(Py_TYPE(self)).finalize;
    if (original == NULL)
        return;
    before = tools_begin_apart();
    original(self);
    tools_end_apart(before);
}

static void release_apart(PyObject *self, Py_buffer *buffer)
{
    release_function original = place_of(Py_TYPE(self))->release;
    const void *before;

    if (original == NULL)
        original = inherited(Py_TYPE(self)).release;
    if (original == NULL)
        return;
    before = tools_begin_apart();
    original(self, buffer);
    tools_end_apart(before);
}

/* ---- classes --------------------------------------------------------------------------------- */

/* Whoever defines the slot, or has inherited it. 0, or -1 for a layout that we do not know. */
static int see_one(PyTypeObject *type)
{
    void *finalize = PyType_GetSlot(type, Py_tp_finalize);
    void *release = class_is_open((PyObject *)type) ? PyType_GetSlot(type, Py_bf_releasebuffer) : NULL;
    struct row *row;

    PyErr_Clear(); /* a class without the table of a slot */
    if (finalize == NULL && release == NULL)
        return 0;
    row = row_of(type);
    *row = (struct row){.type = type};
    *row = inherited(type);
    if (finalize != NULL && finalize != (void *)finalize_apart) {
        row->finalize = (destructor)finalize;
        if (slot_patch_one((PyObject *)type, SLOT_FINALIZE, (void *)finalize_apart) < 0)
            return -1;
    }
    if (release != NULL && release != (void *)release_apart) {
        row->release = (release_function)release;
        if (slot_patch_one((PyObject *)type, SLOT_RELEASE_BUFFER, (void *)release_apart) < 0)
            return -1;
    }
    return 0;
}

static int see_below(PyObject *type, int (*each)(PyObject *type))
{
    cleanup_py PyObject *derived = NULL;

    if (see_one((PyTypeObject *)type) < 0) {
        PyErr_SetString(PyExc_RuntimeError, "safepyrun cannot guard finalizers on this Python");
        return -1;
    }
    if (each != NULL && each(type) < 0)
        return -1;
    derived = PyObject_CallMethod((PyObject *)&PyType_Type, "__subclasses__", "O", type);
    if (derived == NULL)
        return -1;
    for (Py_ssize_t i = 0; i < PyList_Size(derived); i++)
        if (see_below(PyList_GetItem(derived, i), each) < 0)
            return -1;
    return 0;
}

int finalizers_see(PyObject *type)
{
    return state.started && PyType_Check(type) ? see_below(type, NULL) : 0;
}

int finalizers_see_module(PyObject *module)
{
    PyObject *names = state.started && PyModule_Check(module) ? PyModule_GetDict(module) : NULL;
    PyObject *name;
    PyObject *value;
    Py_ssize_t at = 0;

    while (names != NULL && PyDict_Next(names, &at, &name, &value))
        if (PyType_Check(value) && see_one((PyTypeObject *)value) < 0)
            return -1;
    return 0;
}

int finalizers_start(int (*each)(PyObject *type))
{
    if (state.started)
        return 0;
    grow();
    state.started = true;
    return see_below((PyObject *)&PyBaseObject_Type, each);
}
