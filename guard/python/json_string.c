#include "guard/python/json_string.h"

#include "guard/link/buffer.h"
#include "guard/link/cleanup.h"
#include "guard/link/plain_run.h"
#include "guard/python/py_cleanup.h"

enum { SHORT = 4096 }; /* characters; beyond it nothing is asked for that Python would keep beside the text */

static PyObject *encode_slowly(PyObject *text)
{
    static PyObject *function; /* for ever */

    if (function == NULL) {
        cleanup_py PyObject *module = PyImport_ImportModule("_json");

        function = module != NULL ? PyObject_GetAttrString(module, "encode_basestring") : NULL;
    }
    return function != NULL ? PyObject_CallFunctionObjArgs(function, text, NULL) : NULL;
}

/* Of an exact str; for a long text beyond ASCII its UTF-8 would be made and kept. */
static bool has_text_at_hand(PyObject *text)
{
    cleanup_py PyObject *is_ascii = NULL;

    if (PyUnicode_GetLength(text) <= SHORT)
        return true;
    is_ascii = PyObject_CallMethod(text, "isascii", NULL);
    return is_ascii == Py_True;
}

static void append_escaped(struct buffer *json, char c)
{
    static const char names[] = "\"\"\\\\\nn\rr\tt\bb\ff"; /* pairs */

    for (size_t i = 0; i + 1 < sizeof(names); i += 2)
        if (c == names[i]) {
            buffer_append_char(json, '\\');
            buffer_append_char(json, names[i + 1]);
            return;
        }
    buffer_append_format(json, "\\u%04x", (unsigned char)c);
}

/* UTF-8 goes through as it is; what is left to escape is ASCII. */
static PyObject *escape(const char *at, const char *end)
{
    cleanup_buffer struct buffer json = BUFFER_NONE;

    buffer_append_char(&json, '"');
    while (at < end) {
        const char *plain_end = plain_run_end(at, end);

        while (plain_end < end && (unsigned char)*plain_end >= 0x80)
            plain_end++;
        if (plain_end > at)
            buffer_append(&json, (struct bytes){at, (size_t)(plain_end - at)});
        at = plain_end;
        if (at < end && !plain_run_is_plain((unsigned char)*at) && (unsigned char)*at < 0x80)
            append_escaped(&json, *at++);
    }
    buffer_append_char(&json, '"');
    return PyUnicode_DecodeUTF8(json.data, (Py_ssize_t)json.size, NULL);
}

PyObject *json_string(PyObject *module, PyObject *text)
{
    const char *data = NULL;
    Py_ssize_t size = 0;

    (void)module;
    if (!PyUnicode_CheckExact(text) || !has_text_at_hand(text))
        return encode_slowly(text);
    data = PyUnicode_AsUTF8AndSize(text, &size);
    if (data == NULL) {
        PyErr_Clear(); /* lone surrogates: they are replaced when all is put together */
        return encode_slowly(text);
    }
    if (plain_run_end(data, data + size) == data + size)
        return PyUnicode_FromFormat("\"%U\"", text);
    return escape(data, data + size);
}
