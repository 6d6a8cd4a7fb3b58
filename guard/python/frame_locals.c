#include "guard/python/frame_locals.h"

#include "guard/python/compat.h"

void frame_locals_write_back(PyObject *frame, PyObject *locals)
{
    /* The iterator of a comprehension is called without a look at what it is. */
    if (!compat_at_least(13) && compat.frame_locals_to_fast != NULL && PyDict_CheckExact(locals) &&
        PyDict_GetItemString(locals, ".0") == NULL)
        compat.frame_locals_to_fast(frame, 0);
}
