#include "guard/audit/codec_infos.h"

#include "guard/audit/slot_patch.h"
#include "guard/python/py_cleanup.h"

/* There are a hundred encodings. Beyond it is somebody who makes them for another reason. */
enum { INFOS_MAX = 1024 };

static struct {
    PyTypeObject *type; /* codecs.CodecInfo */
    PyObject *infos; /* list of (object, copy of its __dict__) */
} state;

/* ---- remembering ----------------------------------------------------------------------------- */

static int remember(PyObject *info)
{
    cleanup_py PyObject *own = NULL;
    cleanup_py PyObject *copy = NULL;
    cleanup_py PyObject *pair = NULL;

    if (Py_TYPE(info) != state.type || PyList_Size(state.infos) > INFOS_MAX)
        return 0;
    own = PyObject_GenericGetDict(info, NULL);
    copy = own != NULL ? py_hide(PyDict_Copy(own)) : NULL;
    pair = copy != NULL ? py_hide(PyTuple_Pack(2, info, copy)) : NULL;
    return pair != NULL ? PyList_Append(state.infos, pair) : -1;
}

/* __new__ has filled it, which could not be replaced: tuple.__new__ refuses to work for another one. */
static int init_info(PyObject *info, PyObject *args, PyObject *keywords)
{
    (void)args, (void)keywords;
    return remember(info);
}

static int remember_known(void)
{
    static const char *const names[] = {"utf-8", "ascii", "latin-1"};
    cleanup_py PyObject *encodings = PyImport_ImportModule("encodings");
    cleanup_py PyObject *cache = NULL;
    PyObject *name;
    PyObject *info;
    Py_ssize_t at = 0;

    for (size_t i = 0; encodings != NULL && i < sizeof(names) / sizeof(names[0]); i++) {
        cleanup_py PyObject *found = PyCodec_IncrementalDecoder(names[i], NULL);

        if (found == NULL)
            return -1;
    }
    cache = encodings != NULL ? PyObject_GetAttrString(encodings, "_cache") : NULL;
    if (cache == NULL || !PyDict_CheckExact(cache))
        return -1;
    while (PyDict_Next(cache, &at, &name, &info))
        if (info != Py_None && remember(info) < 0)
            return -1;
    return 0;
}

int codec_infos_remember(void)
{
    cleanup_py PyObject *codecs = PyImport_ImportModule("codecs");

    state.type = codecs != NULL ? (PyTypeObject *)PyObject_GetAttrString(codecs, "CodecInfo") : NULL;
    state.infos = py_hide(PyList_New(0));
    if (state.type == NULL || state.infos == NULL || remember_known() < 0)
        return -1;
    if (PyType_GetSlot(state.type, Py_tp_init) != PyType_GetSlot(&PyBaseObject_Type, Py_tp_init) ||
        slot_patch_one((PyObject *)state.type, SLOT_INIT, (void *)init_info) < 0) {
        PyErr_SetString(PyExc_RuntimeError, "safepyrun cannot guard codecs on this Python");
        return -1;
    }
    return 0;
}

/* ---- comparing ------------------------------------------------------------------------------- */

static bool info_holds(PyObject *info, PyObject *before)
{
    cleanup_py PyObject *own = Py_TYPE(info) == state.type ? PyObject_GenericGetDict(info, NULL) : NULL;
    PyObject *name;
    PyObject *value;
    Py_ssize_t at = 0;

    if (own == NULL || !PyDict_CheckExact(own) || PyDict_Size(own) != PyDict_Size(before))
        return false;
    while (PyDict_Next(own, &at, &name, &value))
        if (!PyUnicode_CheckExact(name) || PyDict_GetItemWithError(before, name) != value)
            return false;
    return true;
}

bool codec_infos_hold(void)
{
    bool hold = PyType_GetSlot(state.type, Py_tp_init) == (void *)init_info && PyList_Size(state.infos) <= INFOS_MAX;

    for (Py_ssize_t i = 0; hold && i < PyList_Size(state.infos); i++) {
        PyObject *pair = PyList_GetItem(state.infos, i);

        hold = info_holds(PyTuple_GetItem(pair, 0), PyTuple_GetItem(pair, 1));
    }
    PyErr_Clear();
    return hold;
}
