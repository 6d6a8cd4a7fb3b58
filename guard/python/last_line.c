#include "guard/python/last_line.h"
#include "guard/link/descriptors.h"
#include "guard/python/py_cleanup.h"

#include <fcntl.h>

static int call(PyObject *module, const char *name, PyObject *arguments, PyObject *keywords)
{
    cleanup_py PyObject *function = PyObject_GetAttrString(module, name);
    cleanup_py PyObject *result = NULL;

    if (function != NULL && arguments != NULL && keywords != NULL)
        result = PyObject_Call(function, arguments, keywords);
    return result != NULL ? 0 : -1;
}

int last_line_start(int link_fd)
{
    int fd = link_fd + DESCRIPTOR_LAST_LINE;
    cleanup_py PyObject *module = NULL;
    cleanup_py PyObject *none = NULL;
    cleanup_py PyObject *number = NULL;
    cleanup_py PyObject *keywords = NULL;

    if (!descriptor_is_last_line(fd))
        return 0;
    fcntl(fd, F_SETFD, FD_CLOEXEC);
    module = PyImport_ImportModule("faulthandler");
    none = PyTuple_New(0);
    number = Py_BuildValue("(i)", LAST_LINE_SIGNAL);
    keywords = Py_BuildValue("{s:i,s:O}", "file", fd, "all_threads", Py_False);
    if (module == NULL || call(module, "enable", none, keywords) < 0)
        return -1;
    return call(module, "register", number, keywords);
}
