#include "guard/python/reply.h"
#include "guard/python/attribution.h"
#include "guard/python/display.h"
#include "guard/python/error.h"
#include "guard/python/input.h"
#include "guard/python/interrupt.h"
#include "guard/python/link_end.h"
#include "guard/python/py_cleanup.h"
#include "guard/python/streams.h"

PyObject *reply_error_content(PyObject *exception)
{
    PyObject *content = error_content(NULL, exception);

    if (content != NULL) {
        cleanup_py PyObject *status = PyUnicode_FromString("error");

        if (status != NULL)
            PyDict_SetItemString(content, "status", status);
    }
    return content;
}

/* For the case that even the error cannot be sent. */
static void post_last_resort(uint32_t cell)
{
    static const struct bytes parts[2] = {
        BYTES_LITERAL("{\"status\":\"error\",\"ename\":\"RuntimeError\",\"evalue\":\"safepyrun cannot send the "
                      "answer: memory is out, or a cell has changed what safepyrun itself needs; "
                      "restart the kernel\",\"traceback\":[]}"),
        BYTES_LITERAL("{}")};

    link_end_post(&(struct frame){FRAME_REPLY, cell, 2, parts});
}

static void post(uint32_t cell, PyObject *content)
{
    cleanup_py PyObject *exception = NULL;
    cleanup_py PyObject *error = NULL;

    if (display_post_for(cell, FRAME_REPLY, content) == 0)
        return;
    exception = error_take();
    error = exception != NULL ? reply_error_content(exception) : NULL;
    if (error != NULL && display_post_for(cell, FRAME_REPLY, error) == 0)
        return;
    PyErr_Clear(); /* said below as far as it can be */
    post_last_resort(cell);
}

void reply_send(uint32_t cell, PyObject *content)
{
    /* From here on SIGINT is ignored: nothing can come between the request and its reply. */
    interrupt_end_request();
    input_allow(false);
    link_end_hold();
    streams_flush_all();
    attribution_end_request();
    post(cell, content);
    link_end_release();
    while (link_end_drain() < 0)
        error_print(
            "sending a reply"); /* by a handler of another signal; the reply is on its way */
}
