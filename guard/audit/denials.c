#include "guard/audit/denials.h"

#include "guard/python/py_cleanup.h"

#include <errno.h>
#include <string.h>

static struct {
    audit_denial_function callback;
    void *data;
} record;

void audit_set_denial_callback(audit_denial_function function, void *data)
{
    record.callback = function;
    record.data = data;
}

/* `subject` may be any bytes: as file names go, what is no UTF-8 becomes surrogates. */
static void set_exception(const char *message, const char *subject)
{
    cleanup_py PyObject *text = PyUnicode_DecodeUTF8(message, (Py_ssize_t)strlen(message), "replace");
    cleanup_py PyObject *name = PyUnicode_DecodeFSDefault(subject);
    cleanup_py PyObject *exception = NULL;

    if (text == NULL || name == NULL)
        return;
    exception = subject[0] != '\0'
                    ? PyObject_CallFunction(PyExc_PermissionError, "iOO", EACCES, text, name)
                    : PyObject_CallFunction(PyExc_PermissionError, "iO", EACCES, text);
    if (exception != NULL)
        PyErr_SetObject((PyObject *)Py_TYPE(exception), exception);
}

int denials_raise_with(const char *event, const char *words, const struct denial *denial,
                       const char *trail)
{
    cleanup_free char *message = verdict_sentence(words, denial->reason, denial->remedy);
    cleanup_free char *longer = NULL;
    struct audit_denial entry = {.event = event,
                                 .rule = denial->rule,
                                 .subject = denial->subject,
                                 .words = words,
                                 .reason = denial->reason,
                                 .remedy = denial->remedy,
                                 .message = message};

    if (record.callback != NULL)
        record.callback(&entry, record.data);
    if (trail != NULL)
        longer = xasprintf("%s%s", message, trail);
    set_exception(longer != NULL ? longer : message, denial->subject);
    return -1;
}

int denials_raise(const char *event, const char *words, const struct denial *denial)
{
    return denials_raise_with(event, words, denial, NULL);
}
