#include "guard/audit/socket_guard.h"

#include "guard/audit/hook.h"
#include "guard/audit/slot_patch.h"

#define FILENO_AT 3

static void *original; /* socket.__init__, an initproc */

static const struct event_row fileno_row = {.name = "socket.fileno",
                                            .check = check_link,
                                            .arguments = NUMBER_AT(0),
                                            .words = "make a socket of the kernel's own channel"};

static PyObject *fileno_of(PyObject *args, PyObject *keywords)
{
    PyObject *found = slot_argument(args, keywords, FILENO_AT, "fileno");

    return found != Py_None ? found : NULL;
}

/* Also called again on a socket that exists. */
static int guarded_init(PyObject *socket, PyObject *args, PyObject *keywords)
{
    PyObject *fileno = fileno_of(args, keywords);
    struct facts_source source = {&fileno, NULL, 1};

    if (fileno != NULL && hook_judge(&fileno_row, &source) < 0)
        return -1;
    return ((initproc)original)(socket, args, keywords);
}

int socket_guard_module(PyObject *module)
{
    cleanup_py PyObject *type = PyObject_GetAttrString(module, "socket");

    if (type == NULL) {
        PyErr_Clear(); /* not filled yet: the module is seen again when it is */
        return 0;
    }
    /* Again: "socket", the module in Python, has it too. */
    if (slot_patch_again(type, SLOT_INIT, (void *)guarded_init, &original) == 0)
        return 0;
    PyErr_SetString(PyExc_ImportError, "safepyrun cannot guard these sockets: they are not those of this Python");
    return -1;
}
