#include "guard/frozen/trial.h"

#include "guard/python/py_cleanup.h"
#include "guard/python/streams.h"

static struct {
    PyObject *namespace;
    PyObject *effects; /* safepyrun._frozen.effects() */
    PyObject *names;   /* as the trial found them; NULL while there is none */
} trial;

int trial_start(PyObject *shell)
{
    cleanup_py PyObject *module = PyImport_ImportModule("safepyrun._frozen");

    if (module == NULL)
        return -1;
    trial.namespace = PyObject_GetAttrString(shell, "namespace");
    trial.effects = PyObject_GetAttrString(module, "effects");
    return trial.namespace != NULL && trial.effects != NULL ? 0 : -1;
}

void trial_begin(void)
{
    Py_CLEAR(trial.names);
    trial.names = PyDict_Copy(trial.namespace);
    if (trial.names == NULL)
        PyErr_Clear(); /* no memory: the cell will meet it */
}

void trial_end(void)
{
    cleanup_py PyObject *words = NULL;
    Py_ssize_t size;
    const char *text = NULL;

    if (trial.names != NULL)
        words = PyObject_CallFunctionObjArgs(trial.effects, trial.names, trial.namespace, NULL);
    Py_CLEAR(trial.names);
    if (words != NULL)
        text = PyUnicode_AsUTF8AndSize(words, &size);
    if (text == NULL || streams_write(FRAME_STDOUT, (struct bytes){text, (size_t)size}) < 0)
        PyErr_Clear(); /* an interrupt, or names that are no UTF-8 */
}
