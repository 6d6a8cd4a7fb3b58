#include "guard/python/json.h"

#include "guard/link/frame.h"
#include "guard/python/py_cleanup.h"

static struct {
    PyObject *decode;
    PyObject *encode;
} json;

int json_start(void)
{
    cleanup_py PyObject *module = PyImport_ImportModule("safepyrun._json");

    if (module == NULL)
        return -1;
    json.decode = PyObject_GetAttrString(module, "decode");
    json.encode = PyObject_GetAttrString(module, "encode");
    return json.decode != NULL && json.encode != NULL ? 0 : -1;
}

PyObject *json_decode(struct bytes text)
{
    cleanup_py PyObject *string =
        PyUnicode_DecodeUTF8(text.data != NULL ? text.data : "", (Py_ssize_t)text.size, "replace");

    if (string == NULL)
        return NULL;
    return PyObject_CallFunctionObjArgs(json.decode, string, NULL);
}

/* Behind the quote that ends it: one after an even number of backslashes. Most strings have no other. */
static const char *skip_string(const char *at, const char *end)
{
    const char *begin = at;

    while ((at = memchr(at, '"', (size_t)(end - at))) != NULL) {
        const char *before = at++;

        while (before > begin && before[-1] == '\\')
            before--;
        if ((at - 1 - before) % 2 == 0)
            return at;
    }
    return end;
}

static bool is_too_deep(const char *at, const char *end)
{
    unsigned depth = 0;

    while (at < end) {
        char c = *at++;

        if (c == '"')
            at = skip_string(at, end);
        else if (c == ']' || c == '}')
            depth--;
        else if ((c == '[' || c == '{') && ++depth > FRAME_JSON_DEPTH_MAX)
            return true;
    }
    return false;
}

PyObject *json_encode(PyObject *value)
{
    cleanup_py PyObject *text = PyObject_CallFunctionObjArgs(json.encode, value, NULL);
    char *bytes;
    Py_ssize_t size;

    if (text == NULL)
        return NULL;
    if (!PyBytes_CheckExact(text)) {
        PyErr_SetString(PyExc_TypeError, "the JSON encoder did not return bytes");
        return NULL;
    }
    PyBytes_AsStringAndSize(text, &bytes, &size);
    if (is_too_deep(bytes, bytes + size)) { /* the kernel process would take it for an attack */
        PyErr_Format(PyExc_ValueError, "lists and dicts lie in each other more than %d deep, which no message can carry",
                     FRAME_JSON_DEPTH_MAX);
        return NULL;
    }
    return steal(text);
}
