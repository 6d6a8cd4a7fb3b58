#include "guard/failed.h"

#include "guard/python/error.h"
#include "guard/python/link_end.h"
#include "guard/python/py_cleanup.h"

void failed(const char *reason)
{
    struct bytes part = bytes_of_string(reason);

    link_end_post(&(struct frame){FRAME_FAILED, 0, 1, &part});
    link_end_close();
    _exit(1);
}

void failed_with_exception(const char *doing)
{
    cleanup_py PyObject *exception = error_take();
    cleanup_py PyObject *type_name = exception != NULL ? PyType_GetName(Py_TYPE(exception)) : NULL;
    cleanup_py PyObject *text = NULL;
    cleanup_py PyObject *utf8 = NULL;

    if (type_name != NULL)
        text = PyUnicode_FromFormat("the guard could not %s: %U: %S", doing, type_name, exception);
    if (text != NULL)
        utf8 = PyUnicode_AsEncodedString(text, "utf-8", "backslashreplace");
    failed(utf8 != NULL ? PyBytes_AsString(utf8) : doing);
}
