#include "guard/imported.h"

#include "guard/link/warm_modules.h"
#include "guard/python/link_end.h"

#include <Python.h>

static Py_ssize_t size_then;
static uint32_t told;

/* Keys of other types than str are not compared: a cell may have put them there. */
static uint32_t look(PyObject *modules)
{
    PyObject *name;
    PyObject *module;
    Py_ssize_t at = 0;
    uint32_t found = 0;

    while (PyDict_Next(modules, &at, &name, &module)) {
        Py_ssize_t size;
        const char *text = PyUnicode_CheckExact(name) ? PyUnicode_AsUTF8AndSize(name, &size) : NULL;

        if (text != NULL)
            found |= warm_modules_bit(text, (size_t)size);
        else
            PyErr_Clear(); /* no UTF-8, no module of ours */
    }
    return found;
}

void imported_tell(void)
{
    PyObject *modules = PyImport_GetModuleDict();
    cleanup_buffer struct buffer names = BUFFER_NONE;
    uint32_t found;

    if (modules == NULL || !PyDict_CheckExact(modules) || PyDict_Size(modules) == size_then)
        return;
    size_then = PyDict_Size(modules);
    found = look(modules);
    if ((found & ~told) == 0)
        return;
    told |= found;
    warm_modules_write(told, &names);
    link_end_post(&(struct frame){FRAME_IMPORTED, 0, 1, (struct bytes[]){buffer_bytes(&names)}});
}
